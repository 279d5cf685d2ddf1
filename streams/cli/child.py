"""One child process: start, ready, output, end.

Its output goes line by line into a log file that is kept short, or to our stderr under its name; the last lines are
kept in memory for the error message that a person sees.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from streams.cli.process import PARENT_PID, READY_FD

LOG_BYTES_MAX = 8_000_000
"""A fuller log file becomes ``<name>.log.1``, and the one before that is gone."""
TAIL_LINES = 12


@dataclass(frozen=True, slots=True)
class Spec:
    """What to start. ``log`` None: to our own stderr. ``stops_first``: it takes work in, so it ends before the others.

    ``env`` is added to our own environment.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path | None = None
    stops_first: bool = False


class StartFailed(Exception):
    """A child ended or stayed silent before it was ready; the text holds the end of its log."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class LogSink:
    """Where a child's lines go."""

    def __init__(self, spec: Spec) -> None:
        self._name, self._path = spec.name, spec.log
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)

    def write(self, line: bytes) -> None:
        """One line, with its newline."""
        self.tail.append(line.decode(errors="replace").rstrip())
        if self._path is None:
            sys.stderr.write(f"{self._name:<10} {self.tail[-1]}\n")
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > LOG_BYTES_MAX:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
        with self._path.open("ab") as file:
            file.write(line)

    def told(self) -> str:
        """The last lines, and where the rest is."""
        where = f"; the whole log: {self._path}" if self._path else ""
        return "\n".join(f"    {line}" for line in self.tail) + where


class Child:
    """A running process; made by ``launch``."""

    def __init__(self, spec: Spec, process: asyncio.subprocess.Process, ready: asyncio.StreamReader) -> None:
        self.spec = spec
        self.process = process
        self.sink = LogSink(spec)
        self._ready = ready
        self._pump = asyncio.create_task(self._copy_output())

    @classmethod
    async def launch(cls, spec: Spec) -> "Child":
        """Start the process in a group of its own, so that Ctrl-C reaches only us and we stop everybody in order."""
        read_fd, write_fd = os.pipe()
        ready = asyncio.StreamReader()
        pipe = os.fdopen(read_fd, "rb", buffering=0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ready), pipe)
        try:
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                env={**os.environ, **spec.env, READY_FD: str(write_fd), PARENT_PID: str(os.getpid())},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(write_fd,),
                process_group=0,
            )
        except OSError as error:
            raise StartFailed(f"cannot start {spec.name}: {spec.argv[0]}: {error.strerror}") from error
        finally:
            # The read end sees its end of file, and closes itself, once the child's copy is gone too.
            os.close(write_fd)
        return cls(spec, process, ready)

    async def first_line(self, *, timeout_s: float) -> bytes:
        """What the child says when it is ready (b"ready\\n"); raises StartFailed."""
        try:
            line = await asyncio.wait_for(self._ready.readline(), timeout_s)
        except TimeoutError:
            told = self.sink.told()
            raise StartFailed(f"{self.spec.name} was not ready within {timeout_s:.0f} s:\n{told}") from None
        if not line:
            code = await self.ended()
            raise StartFailed(f"{self.spec.name} ended with exit code {code}:\n{self.sink.told()}", code)
        return line

    async def ended(self) -> int:
        """Its exit code once it is gone and all its output is written; negative: the signal that ended it."""
        code = await self.process.wait()
        # A grandchild may hold the pipe open: what it still writes is not waited for.
        await asyncio.wait({self._pump}, timeout=1.0)
        self._pump.cancel()
        return code

    def send(self, number: signal.Signals) -> None:
        """Signal it, if it is still there."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def _copy_output(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        rest = b""
        while chunk := await stdout.read(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.sink.write(line + b"\n")
            if len(rest) > LOG_BYTES_MAX:
                rest = b""
        if rest:
            self.sink.write(rest + b"\n")
