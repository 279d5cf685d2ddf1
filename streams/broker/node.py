"""One broker process: formatted once, started, killed, paused, resumed, stopped.

Reads and writes ``node-N/`` (its configuration and log) and appends to ``broker-N.log`` beside it. Nothing here is
bound to an event loop, so a node may be started under one and stopped under another.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from streams.broker import guard
from streams.broker.errors import BrokerStartFailed, tail
from streams.broker.runtime import Runtime

FORMAT_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
"""How long SIGTERM has before SIGKILL; a healthy node takes less than one second."""
FORMAT_HEAP_MB = 128
OUTPUT_BYTES_MAX = 10_000_000
"""A larger log becomes ``broker-N.log.1`` at the next start, and replaces the one before."""
POLL_S = 0.02


class Node:
    """A broker by its id. The caller decides when; the node knows how."""

    def __init__(self, data_dir: Path, node: int, *, runtime: Runtime, heap_mb: int) -> None:
        self.id = node
        self.home = data_dir / f"node-{node}"
        self.log_dir = self.home / "log"
        self.output = data_dir / f"broker-{node}.log"
        self.is_wanted = False
        self._properties = self.home / "server.properties"
        self._runtime = runtime
        self._heap_mb = heap_mb
        self._process: subprocess.Popen[bytes] | None = None
        self._output_start = 0

    @property
    def pid(self) -> int | None:
        """Of the latest process, alive or not; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        """A paused process is alive."""
        return self._process is not None and self._process.poll() is None

    def configure(self, properties: Mapping[str, str]) -> None:
        """Replace ``server.properties``; counts from the next start."""
        self.home.mkdir(parents=True, exist_ok=True)
        lines = (f"{key}={value}\n" for key, value in properties.items())
        self._properties.write_text("".join(lines), encoding="utf-8")

    async def format(self, cluster_id: str) -> None:
        """Make the log directory one of this cluster; does nothing to one that is formatted already."""
        if (self.log_dir / "meta.properties").exists():
            return
        command = self._runtime.command(
            "kafka.tools.StorageTool",
            *("format", "--cluster-id", cluster_id, "--config", str(self._properties), "--ignore-formatted"),
            heap_mb=FORMAT_HEAP_MB,
            jvm=("-XX:TieredStopAtLevel=1",),
        )
        done = await asyncio.to_thread(
            subprocess.run, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=FORMAT_TIMEOUT_S
        )
        if done.returncode != 0:
            output = done.stdout.decode(errors="replace").strip()
            raise BrokerStartFailed(f"Kafka could not format {self.log_dir}:\n{output}")

    def spawn(self, *jvm: str) -> None:
        """Start the process and return at once. Call it from a thread that outlives the broker (see ``guard``)."""
        if self.output.exists() and self.output.stat().st_size > OUTPUT_BYTES_MAX:
            self.output.replace(self.output.with_suffix(".log.1"))
        broker = self._runtime.command("kafka.Kafka", str(self._properties), heap_mb=self._heap_mb, jvm=jvm)
        guarded = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), *broker]
        with self.output.open("ab") as output:
            self._output_start = output.tell()
            # A session of its own, so that Ctrl-C reaches only us, and we drain before the broker goes.
            self._process = subprocess.Popen(
                guarded, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.is_wanted = True

    def send_signal(self, number: signal.Signals) -> None:
        """Does nothing when the process has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until the kernel has taken the process (and its ports) away."""
        self.is_wanted = False
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """SIGTERM, then SIGKILL after ``timeout_s``; a paused process is woken first."""
        self.is_wanted = False
        self.send_signal(signal.SIGTERM)
        self.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + timeout_s
        while self.is_alive and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
        self.kill()

    def has_printed(self, text: str) -> bool:
        """Whether the latest process printed this so far."""
        with self.output.open("rb") as output:
            output.seek(self._output_start)
            return text.encode() in output.read()

    def log_tail(self) -> str:
        """The end of what the process printed, for an error's text."""
        return tail(self.output)
