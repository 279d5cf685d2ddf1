"""A process that asks a port something small, again and again, and says at its end how long the slowest answer took.

``python -m tests.fault.probe PORT``: until stdin is closed, then one number on stdout, in seconds. A process of its
own, because a drill that is busy itself would take its own pauses for those of the other side.
"""

import asyncio
import select
import socket
import sys
import time

from tests.harness.processes import ROOT

EACH_S = 0.02
REQUEST = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def main() -> None:
    """Ask until told to stop."""
    worst_s = 0.0
    connection = None
    while not select.select([sys.stdin], [], [], EACH_S)[0]:
        # Kept, so that an answer takes few turns of the other side's loop: its length is that of the turns.
        connection = connection or socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        began = time.monotonic()
        try:
            connection.sendall(REQUEST)
            is_answered = bool(connection.recv(4096))
        except OSError:
            is_answered = False
        if is_answered:
            worst_s = max(worst_s, time.monotonic() - began)
        else:
            connection.close()
            connection = None
    print(worst_s)


class Probe:
    """The process, from its start to its number."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, port: int) -> "Probe":
        """Begin to ask."""
        arguments = ("-m", "tests.fault.probe", str(port))
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe, cwd=ROOT))

    async def worst_s(self) -> float:
        """Stop; the slowest answer."""
        out, _ = await self._process.communicate(b"")
        return float(out)


if __name__ == "__main__":
    main()
