"""What every drill has in common: a seed, a scale, faults planned and seen, figures, and one JSON object at the end.

A drill is ``async def run(frame)``. It counts faults at the victim, judges with the history checker, and names each
figure that was missed. The quick form scales counts and waits down; its figures of time are told, but do not decide.
"""

import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.harness.history import Verdict

FAULTS_SEEN_SHARE = 0.9
"""A drill that saw less of what it planned has shown nothing."""


class Frame:
    """One run of one drill. ``bootstrap`` is a running broker; ``folder`` belongs to this run."""

    def __init__(self, name: str, *, seed: int, is_quick: bool, bootstrap: str, folder: Path) -> None:
        self.name = name
        self.seed = seed
        self.is_quick = is_quick
        self.bootstrap = bootstrap
        self.folder = folder
        self.random = random.Random(f"{name} {seed}")
        self.measures: dict[str, Any] = {}
        self.missed: list[str] = []
        self.faults_planned = 0
        self.faults_seen = 0
        self._limits: dict[str, float] = {}
        self._floors: dict[str, float] = {}
        self._totals = dict.fromkeys(("accepted", "lost", "doubled", "reordered", "unknown", "residual"), 0)
        self._began = time.monotonic()

    def scaled(self, what: str, full: float, quick: float) -> float:
        """A count or a wait in this run's scale; the quick form says by how much it is less."""
        if self.is_quick:
            self.say(f"quick: {what} {quick:g} instead of {full:g}")
            return quick
        return full

    def say(self, text: str) -> None:
        """Progress, on stderr."""
        print(f"[{time.monotonic() - self._began:6.1f} s] {self.name}: {text}", file=sys.stderr, flush=True)

    def plan_faults(self, count: int) -> None:
        """So many faults will be injected."""
        self.faults_planned += count

    def saw_fault(self, text: str) -> None:
        """The victim showed the effect of one planned fault."""
        self.faults_seen += 1
        self.say(text)

    def require(self, holds: bool, otherwise: str) -> None:
        """Note a figure that was missed; the drill goes on, because the rest is worth knowing too."""
        if not holds:
            self.missed.append(otherwise)
            self.say(f"MISSED: {otherwise}")

    def measure(self, name: str, value: float, *, limit: float | None = None, decides: bool = False) -> None:
        """Report a figure. A ``limit`` decides in the full form, and in the quick one if it ``decides`` there too."""
        self.measures[name] = round(value, 3)
        if limit is not None and (decides or not self.is_quick):
            self._limits[name] = limit

    def measure_at_least(self, name: str, value: float, *, least: float) -> None:
        """Report a figure that decides from below, in the full form."""
        self.measures[name] = round(value, 3)
        if not self.is_quick:
            self._floors[name] = least

    def measure_worst(self, name: str, value: float, *, limit: float) -> None:
        """Report the largest of several values of a figure."""
        self.measure(name, max(value, float(self.measures.get(name, value))), limit=limit)

    def judge(self, verdict: Verdict) -> None:
        """Add a history checker's verdict; several deployments of one drill add up."""
        found = {
            "accepted": verdict.accepted,
            "lost": verdict.lost + verdict.unseen,
            "doubled": verdict.doubled_inside + verdict.doubled_outside,
            "reordered": verdict.reordered,
            "unknown": verdict.unknown,
            "residual": verdict.residual,
        }
        for name, value in found.items():
            self._totals[name] += value
        self.require(verdict.is_clean, f"the history is not clean: {verdict}")

    def lose(self, count: int) -> None:
        """Losses that a drill without a history counts itself."""
        self._totals["lost"] += count
        self.require(not count, f"{count} records were accepted and are not there")

    def accept(self, count: int) -> None:
        """Acceptances that a drill without a history counts itself."""
        self._totals["accepted"] += count

    def report(self) -> dict[str, Any]:
        """The object that the drill ends with."""
        for name, limit in self._limits.items():
            self.require(self.measures[name] <= limit, f"{name} is {self.measures[name]}, over {limit:g}")
        for name, least in self._floors.items():
            self.require(self.measures[name] >= least, f"{name} is {self.measures[name]}, under {least:g}")
        saw_enough = self.faults_seen >= FAULTS_SEEN_SHARE * self.faults_planned
        return {
            "name": self.name,
            "seed": self.seed,
            "faults_planned": self.faults_planned,
            "faults_seen": self.faults_seen,
            **self._totals,
            "seconds": round(time.monotonic() - self._began, 1),
            "passed": saw_enough and not self.missed,
            **self.measures,
            **({} if saw_enough else {"reason": "too few of the planned faults were seen"}),
            **({"missed": self.missed} if self.missed else {}),
        }


Drill = Callable[[Frame], Awaitable[None]]


async def run_drill(drill: Drill, frame: Frame) -> dict[str, Any]:
    """The report of one drill; its log lines go to stderr. A failed assertion is a missed figure, not a crash."""
    frame.say(f"seed {frame.seed}")
    try:
        await drill(frame)
    except* AssertionError as failed:
        for error in failed.exceptions:
            frame.require(False, f"{type(error).__name__}: {error}")
    return frame.report()


def as_line(report: dict[str, Any]) -> str:
    """One JSON object on one line."""
    return json.dumps(report, ensure_ascii=False)
