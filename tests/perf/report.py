"""Shows figures: as a table on the terminal, as the JSON line, as a dated section of ``deploy/docs/benchmarks.md``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.perf.figures import Figure, rounded

COLUMNS = ("part", "what", "unit", "ours", "yardstick", "theirs", "ratio", "wanted", "")
MARKS = {True: "ok", False: "MISSED", None: ""}


@dataclass(frozen=True)
class Setting:
    """Under which circumstances the figures were found."""

    day: date
    machine: str
    load: float
    pairs: int
    is_quick: bool
    seconds: float
    versions: str

    def __str__(self) -> str:
        kind = "quick" if self.is_quick else "full"
        return (
            f"{self.machine}; load {self.load:.1f} when it began; {self.versions}; {kind} run of {self.seconds:.0f} s, "
            f"median of {self.pairs} interleaved pairs (lowest-highest)"
        )


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of a figure, in the order of ``COLUMNS``."""
    return (
        figure.part,
        figure.what,
        figure.unit,
        spread(figure.ours),
        figure.yardstick,
        spread(figure.theirs),
        spread(figure.ratios),
        _wanted(figure),
        MARKS[figure.is_good],
    )


def spread(values: Sequence[float]) -> str:
    """Median (lowest-highest); the median alone where there is one value, nothing where there is none."""
    if not values:
        return ""
    middle = f"{rounded(median(values)):,g}" if median(values) < 1e6 else f"{median(values):,.0f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({rounded(min(values)):,g}-{rounded(max(values)):,g})"


def show(figures: Iterable[Figure], setting: Setting, console: Console) -> None:
    """One table."""
    table = Table(*COLUMNS, title="Iris Streams beside its yardsticks", caption=str(setting), pad_edge=False)
    for column in (3, 5, 6, 7):
        table.columns[column].justify = "right"
    for figure in figures:
        style = "red" if figure.is_good is False else ""
        table.add_row(*row(figure), style=style)
    console.print(table)


def write(figures: Sequence[Figure], setting: Setting, path: Path) -> None:
    """Put today's section on top of the earlier ones; a second run of a day replaces the first."""
    heading = f"## {setting.day.isoformat()}"
    earlier = _sections(path.read_text()) if path.exists() else []
    kept = [section for section in earlier if section.partition("\n")[0] != heading]
    lines = [heading, "", f"{setting}.", "", _line(COLUMNS), _line("---" for _ in COLUMNS)]
    lines += [_line(row(figure)) for figure in figures]
    path.write_text("\n".join([PREFACE, "\n".join(lines), *kept]))


def _sections(text: str) -> list[str]:
    return [f"## {section.rstrip()}" for section in text.split("\n## ")[1:]]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _wanted(figure: Figure) -> str:
    if figure.wanted is None:
        return ""
    return f"{'≥' if figure.wanted.is_minimum else '≤'} {rounded(figure.wanted.limit):,g}"


PREFACE = """\
# Benchmarks

Written by `make bench ARGS=--write`; only figures of complete runs on a quiet machine are kept here. Each figure stands
beside a yardstick that ran in turn with it on the same broker, and `ratio` is the median over the pairs.

- **stage**: consume, change state with a changelog, produce, commit; CPU per event from the first record handled to the
  last offset committed. All sides have acks=all; all but Faust as shipped are idempotent and verify deliveries before
  offsets. Bare aiokafka keeps its state in a dictionary only.
- **turn**: `tests/perf/bare.py` does a turn's work in one plain process with one awaited produce per record; ours are
  intake and four stages. The simulated platform, AI and people run in a process that is not counted.
- **own**: webhook's handler entered until the AI is asked, plus AI has answered until the platform is called, as each
  side measures it itself.
- **intake**: webhooks per second of the server's CPU.
- **normalise**: proving and splitting a webhook of one message and making its event, in one process, beside
  `orjson.loads` (of WeChat's body: the standard XML parser) and HMAC of the same body.
- **growth**: the converse worker at 100 turns a second, each in another conversation, after it has found its
  table on the changelog. Two messages are one turn, question and answer.
- **recovery**: from the start of recovery to readiness, with no local store.
"""
