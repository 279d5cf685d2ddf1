"""Named crash points. A schedule in ``IRIS_FAILPOINTS`` makes the process fail at one of them.

The schedule is ``name=n,…``: die, as ``kill -9`` would, when ``name`` is reached for the n-th time. ``name=n:stop``
stops the process there as SIGSTOP does, so that it can be continued later in the middle of a step; ``name=n:raise``
raises FailpointReached once. ``@file`` is a schedule that may come later: it is read, and the file removed, at the
first pass of any point after somebody has written it, so that a process can be armed at work.

Only tests set a schedule; without one a failpoint costs one attribute look-up.
"""

import os
import signal
from pathlib import Path

EXIT_CODE = 137
"""What a shell reports for a process that SIGKILL ended."""


class FailpointReached(Exception):
    """The unexpected, on order: what a stage's code raises when it meets something that nobody thought of."""


class Failpoints:
    """The schedule of this process and how often each point was reached."""

    def __init__(self, schedule: str) -> None:
        self._file = Path(schedule[1:]) if schedule.startswith("@") else None
        self._due = _parsed("" if self._file else schedule)
        self.is_watched = bool(self._file or self._due)

    def reach(self, name: str) -> None:
        """Count one pass; acts, once, when the schedule says so."""
        if self._file is not None and self._file.exists():
            self._due |= _parsed(self._file.read_text())
            self._file.unlink()
        due = self._due.get(name)
        if due is None:
            return
        left, action = due
        if left > 1:
            self._due[name] = (left - 1, action)
            return
        del self._due[name]
        os.write(2, f"failpoint {name}: {action or f'exit {EXIT_CODE}'}\n".encode())
        if action == "raise":
            raise FailpointReached(name)
        if action == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        else:
            os._exit(EXIT_CODE)


def _parsed(schedule: str) -> dict[str, tuple[int, str]]:
    due = {}
    for item in filter(None, schedule.split(",")):
        name, _, rest = item.partition("=")
        count, _, action = rest.partition(":")
        due[name.strip()] = (int(count or 1), action)
    return due


_failpoints = Failpoints(os.environ.get("IRIS_FAILPOINTS", ""))


def failpoint(name: str) -> None:
    """Fail here if the schedule says so."""
    if _failpoints.is_watched:
        _failpoints.reach(name)
