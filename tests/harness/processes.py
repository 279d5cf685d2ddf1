"""The product's processes as a test sees them: started, killed, stopped, continued, started again.

Each runs ``python -m streams.cli …`` with its own log file and tells that it is ready through ``IRIS_READY_FD``.
"""

import asyncio
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from streams.cli.process import PARENT_PID, READY_FD

READY_TIMEOUT_S = 45.0
FAILPOINTS = "IRIS_FAILPOINTS"
ROOT = Path(__file__).resolve().parents[2]


class ProcessFailed(AssertionError):
    """A process ended or never became ready; the text holds the end of its log."""


class Process:
    """One process of the product; ``arguments`` are those of ``iris``."""

    def __init__(self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.arguments = arguments
        self.environment = dict(environment)
        self.log = folder / f"{name}.log"
        self._schedule = folder / f"{name}.failpoints"
        self.exits: list[int] = []
        self.ready_s: list[float] = []
        self._process: asyncio.subprocess.Process | None = None
        self._unread: list[int] = []

    @property
    def is_alive(self) -> bool:
        """Started and not yet ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def is_stopped(self) -> bool:
        """Whether the kernel has it stopped (SIGSTOP), as proc(5), "/proc/pid/stat", tells."""
        if not self.is_alive:
            return False
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def can_be_armed(self) -> None:
        """From its next start on."""
        self.environment[FAILPOINTS] = f"@{self._schedule}"

    def arm(self, failpoints: str) -> None:
        """Give the process, at work, a schedule, if it ``can_be_armed``: from the next pass of a failpoint on."""
        beside = self._schedule.with_suffix(".new")
        beside.write_text(failpoints)
        beside.replace(self._schedule)

    async def start(self, *, failpoints: str = "", wait_ready: bool = True) -> None:
        """Start; raises ProcessFailed when it is not ready in time. ``failpoints`` hold for this one life."""
        began = time.monotonic()
        reading, writing = os.pipe()
        # A test run that is killed must leave nobody behind.
        environment = os.environ | self.environment | {READY_FD: str(writing), PARENT_PID: str(os.getpid())}
        self._schedule.unlink(missing_ok=True)
        if failpoints:
            environment[FAILPOINTS] = failpoints
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "streams.cli", *self.arguments,
                env=environment, stdout=log, stderr=log, pass_fds=(writing,), cwd=ROOT, start_new_session=True,
            )  # fmt: skip
        os.close(writing)
        if wait_ready:
            await self._wait_ready(reading)
            self.ready_s.append(time.monotonic() - began)
        else:
            self._unread.append(reading)

    @property
    def has_said_ready(self) -> bool:
        """Whether a process that was started without waiting has told that it is ready; reads nothing away."""
        return any(select.select([reading], [], [], 0)[0] for reading in self._unread)

    async def _wait_ready(self, reading: int) -> None:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[bytes] = loop.create_future()

        def read() -> None:
            loop.remove_reader(reading)
            if not answered.done():
                answered.set_result(os.read(reading, 16))

        loop.add_reader(reading, read)
        try:
            said = await asyncio.wait_for(answered, READY_TIMEOUT_S)
        except TimeoutError:
            said = b""
        finally:
            loop.remove_reader(reading)
            os.close(reading)
        if not said:
            raise ProcessFailed(f"{self.name} did not become ready; its log ends:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    async def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGKILL)
        await self.wait()

    def pause(self) -> None:
        """SIGSTOP: alive, but does nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    async def terminate(self, timeout_s: float = 15.0) -> int:
        """SIGTERM, and wait for the end; raises ProcessFailed when it takes longer."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGTERM)
        return await self.wait(timeout_s)

    async def wait(self, timeout_s: float = 15.0) -> int:
        """The exit code, negative for a signal."""
        assert self._process is not None, f"{self.name} was not started"
        try:
            code = await asyncio.wait_for(self._process.wait(), timeout_s)
        except TimeoutError:
            raise ProcessFailed(f"{self.name} did not end within {timeout_s} s; its log ends:\n{self.tail()}") from None
        while self._unread:
            os.close(self._unread.pop())
        self.exits.append(code)
        return code
