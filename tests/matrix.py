"""The README's table of platforms and kinds: ``python -m tests.matrix`` prints it, ``--write`` puts it into README.md.

A cell is the outcome of a test: this runs them and reads the ids of those that passed. Rows, and the reasons of empty
cells, are data (``tests/corpora/matrix.json``); columns are the connectors that are found.
"""

import argparse
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.contract.matrix_cells import case_of, columns, notes_of, reason_of, rows

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN = "<!-- matrix: tests/contract/test_matrix.py compares this table with `python -m tests.matrix` -->"
END = "<!-- end of matrix -->"
IN = "tests/contract/test_matrix.py::test_comes_in"
OUT = "tests/contract/test_outbound_accepted.py::test_every_planned_call_is_taken_by_the_platform"
PASSED = re.compile(r"^PASSED (\S+?)\[(.+)\]$", re.MULTILINE)
RUN_S_MAX = 110.0
WIDTH = 140
YES, NEAR, NO = "✓", "≈", "–"
UNSHOWN = "no test shows it"
LEGEND = f"{YES} as it is; {NEAR} in the nearest form, and the sent event says what was changed; {NO} not there."


def passed() -> set[str]:
    """Ids of the cells' tests that passed: ``in/<platform>-<row>`` and ``out/<platform>-<case>``."""
    arguments = (sys.executable, "-m", "pytest", "-q", "--no-header", "-rp", "-p", "no:cacheprovider", IN, OUT)
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, timeout=RUN_S_MAX)
    found = {f"{'in' if test == IN else 'out'}/{id}" for test, id in PASSED.findall(done.stdout)}
    if not found:
        raise SystemExit(f"no cell's test passed:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return found


def table(outcomes: set[str]) -> str:
    """Markdown; an empty cell has the number of its reason."""
    reasons: dict[str, int] = {}

    def numbered(reason: str) -> str:
        return f"<sup>{reasons.setdefault(reason, len(reasons) + 1)}</sup>"

    def incoming(platform: str, row: str) -> str:
        return YES if f"in/{platform}-{row}" in outcomes else NO + numbered(reason_of(platform, row) or UNSHOWN)

    def outgoing(platform: str, row: str) -> str:
        if f"out/{platform}-{case_of(row)}" not in outcomes:
            return NO + numbered(UNSHOWN)
        notes = notes_of(platform, row)
        return NEAR + numbered(notes[0]) if notes else YES

    head = f"| | {' | '.join(columns())} |\n|---|{'---|' * len(columns())}"
    lines = [head]
    for title, way, cell in (("in", "in", incoming), ("out", "out", outgoing)):
        lines.append(f"| **{title}** |{' |' * len(columns())}")
        lines += [f"| {row} | {' | '.join(cell(name, row) for name in columns())} |" for row in rows(way)]
    told = "; ".join(f"{number} {reason}" for reason, number in reasons.items())
    return "\n".join([*lines, "", *textwrap.wrap(f"{LEGEND} Why: {told}.", WIDTH)])


def current() -> str:
    """What the README holds between the marks."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip("\n")


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    made = table(passed())
    if parser.parse_args().write:
        text = README.read_text()
        head, _, rest = text.partition(BEGIN)
        README.write_text(f"{head}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}")
    else:
        print(made)


if __name__ == "__main__":
    main()
