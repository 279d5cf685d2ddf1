"""What the bench has measured: figures with their yardsticks, pair by pair, and what is wanted of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

KEYS = (
    "stage_vs_quix",
    "stage_vs_aiokafka",
    "turn_vs_bare",
    "intake_vs_bare",
    "normalise_vs_parse",
    "own_time_p50_vs_bare",
    "own_time_p99_vs_bare",
    "own_time_ms_p50",
    "own_time_ms_p99",
    "conversations_flatness",
    "changelog_bytes_per_turn",
    "recovery_records_per_s",
)
"""Members of the JSON line, in this order; those of parts that did not run are absent."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``limit`` on the ratio where there is a yardstick, else on our own figure."""

    limit: float
    is_minimum: bool = False

    def allows(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.limit if self.is_minimum else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``ours[i]`` and ``theirs[i]`` come from the same pair of runs; without a yardstick
    ``theirs`` is empty. ``ratio_key`` and ``value_key`` name the members of the JSON line, where it has them."""

    part: str
    what: str
    unit: str
    ours: tuple[float, ...]
    yardstick: str = ""
    theirs: tuple[float, ...] = ()
    wanted: Wanted | None = None
    ratio_key: str = ""
    value_key: str = ""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours by theirs, pair by pair."""
        return tuple(own / other for own, other in zip(self.ours, self.theirs, strict=True)) if self.theirs else ()

    @property
    def judged(self) -> float:
        """What ``wanted`` is about: the median ratio, or our median where nothing stands beside it."""
        return median(self.ratios or self.ours)

    @property
    def is_good(self) -> bool | None:
        """None where nothing was promised."""
        return None if self.wanted is None else self.wanted.allows(self.judged)


def json_members(figures: Sequence[Figure]) -> dict[str, float]:
    """The members of the JSON line. Where several figures share a key, the worst of them is told."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for figure in figures:
        is_minimum = figure.wanted is not None and figure.wanted.is_minimum
        if figure.ratio_key:
            found.setdefault(figure.ratio_key, []).append((median(figure.ratios), is_minimum))
        if figure.value_key:
            found.setdefault(figure.value_key, []).append((median(figure.ours), is_minimum))
    return {key: rounded(_worst(found[key])) for key in KEYS if key in found}


def _worst(values: list[tuple[float, bool]]) -> float:
    pick = min if values[0][1] else max
    return pick(value for value, _ in values)


def rounded(value: float) -> float:
    """Three significant digits below a thousand, whole numbers above."""
    return round(value) if abs(value) >= 1_000 else float(f"{value:.3g}")
