"""Named crash points. A schedule in ``IRIS_FAILPOINTS`` makes the process die at one of them, as ``kill -9`` would.

The schedule is ``name=n,…``: die when ``name`` is reached for the n-th time. Only tests set it; without a schedule a
failpoint costs one attribute look-up.
"""

import os

EXIT_CODE = 137
"""What a shell reports for a process that SIGKILL ended."""


class Failpoints:
    """The schedule of this process and how often each point was reached."""

    def __init__(self, schedule: str) -> None:
        self._due: dict[str, int] = {}
        for item in filter(None, schedule.split(",")):
            name, _, count = item.partition("=")
            self._due[name.strip()] = int(count or 1)

    def reach(self, name: str) -> None:
        """Count one pass; ends the process without any clean-up when the schedule says so."""
        due = self._due.get(name)
        if due is None:
            return
        if due <= 1:
            os.write(2, f"failpoint {name}: exit {EXIT_CODE}\n".encode())
            os._exit(EXIT_CODE)
        self._due[name] = due - 1


_failpoints = Failpoints(os.environ.get("IRIS_FAILPOINTS", ""))


def failpoint(name: str) -> None:
    """Die here if the schedule says so."""
    if _failpoints._due:
        _failpoints.reach(name)
