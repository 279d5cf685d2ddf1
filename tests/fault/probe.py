"""A process that asks a port something small, again and again, and says at its end how long the slowest answer took.

``python -m tests.fault.probe PORT PID``: until stdin is closed, then a JSON object on stdout: ``wall_s`` of the slowest
answer, and ``busy_s``, the most that process PID worked itself while one answer was waited for (proc(5),
"/proc/pid/schedstat"): on a machine that others use too, the rest of the time is theirs. A process of its own, because
a drill that is busy would take its own pauses for those of the other side.
"""

import asyncio
import json
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.harness.processes import ROOT

EACH_S = 0.02
REQUEST = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def main() -> None:
    """Ask until told to stop."""
    port, schedule = int(sys.argv[1]), Path(f"/proc/{sys.argv[2]}/schedstat")
    found = Slowest(0.0, 0.0)
    connection = None
    while not select.select([sys.stdin], [], [], EACH_S)[0]:
        # Kept, so that an answer takes few turns of the other side's loop: its length is that of the turns.
        connection = connection or socket.create_connection(("127.0.0.1", port))
        began, worked_s = time.monotonic(), _worked_s(schedule)
        try:
            connection.sendall(REQUEST)
            is_answered = bool(connection.recv(4096))
        except OSError:
            is_answered = False
        if is_answered:
            busy_s = _worked_s(schedule) - worked_s
            found = Slowest(max(found.wall_s, time.monotonic() - began), max(found.busy_s, busy_s))
        else:
            connection.close()
            connection = None
    print(json.dumps({"wall_s": found.wall_s, "busy_s": found.busy_s}))


def _worked_s(schedule: Path) -> float:
    return int(schedule.read_text().split()[0]) / 1e9


@dataclass(frozen=True)
class Slowest:
    """Of all answers, in seconds."""

    wall_s: float
    busy_s: float


class Probe:
    """The process, from its start to its figures."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, port: int, pid: int) -> "Probe":
        """Begin to ask."""
        arguments = ("-m", "tests.fault.probe", str(port), str(pid))
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe, cwd=ROOT))

    async def slowest(self) -> Slowest:
        """Stop; what was found."""
        out, _ = await self._process.communicate(b"")
        return Slowest(**json.loads(out))


if __name__ == "__main__":
    main()
