"""What every measured process does alike: read its order, count CPU from the first record on, print one JSON line.

The clock starts when the first record is handled, not when the process does: nobody gains by fetching ahead, and the
interpreter's start is nobody's cost per event. It ends when every record's offset is committed.
"""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Order:
    """One run of one side. Outputs and changelog are topics of this run alone; the source is shared by all sides."""

    bootstrap: str
    source: str
    output: str
    changelog: str
    group: str
    folder: str
    records: int
    partitions: int
    state_bytes: int
    commit_s: float = 0.5

    def to_json(self) -> str:
        """As the side's only argument."""
        return json.dumps(asdict(self))


def read_order() -> Order:
    """The order of this process."""
    return Order(**json.loads(sys.argv[1]))


def used_s() -> float:
    """CPU seconds of this process, all threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Clock:
    """CPU and wall time from the first record on."""

    def __init__(self) -> None:
        self._began: tuple[float, float] | None = None

    def begin(self) -> None:
        """Called with every record or batch; only the first counts."""
        if self._began is None:
            self._began = used_s(), time.monotonic()

    def result(self) -> dict[str, Any]:
        """Since then; ``rss_mb`` is the highest of the process's life."""
        assert self._began is not None, "no record was handled"
        cpu_s, wall_s = used_s() - self._began[0], time.monotonic() - self._began[1]
        rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"cpu_s": cpu_s, "wall_s": wall_s, "rss_mb": rss_mb}


def report(result: dict[str, Any]) -> None:
    """The one line that the bench reads."""
    print(json.dumps(result), flush=True)
