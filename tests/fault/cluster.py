"""Three brokers, each behind a proxy and on a disk of its own, and what can befall them; for the drill ``brokers``.

Faults are counted at the victim: a process that is gone or stopped, connections that were cut, traffic that was held
up, a write that the file system refused.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.broker import EmbeddedBroker
from tests.harness.eventually import eventually
from tests.harness.proxy import Proxy
from tests.harness.small_disk import SmallDisk

NODES = 3
KINDS = ("kill", "pause", "delay", "reset", "fill")
DELAY_S = 0.2
IN_USE_PIECES = 50
LEADERS_BACK = {"leader.imbalance.check.interval.seconds": "3", "leader.imbalance.per.broker.percentage": "0"}
"""A node that was down leads its partitions again soon, so that the next fault hits a node that matters."""
POLL_S = 0.02
DISK_BYTES = 4 * 1024**3
"""More than a run writes; memory is taken only by what is written."""
LEFT_BYTES = 64 * 1024
"""Room on a disk that is about to be full: a moment of the load."""
FILLS_WITHIN_S = 30.0
DISK_FULL = (b"No space left on device", b"a fault occurred in")
"""How a broker's log tells of it: a write to a file, and one to an index that is mapped into memory."""


@dataclass
class Cluster:
    """The brokers and what stands around them."""

    broker: EmbeddedBroker
    proxies: list[Proxy]
    disks: list[SmallDisk]

    async def in_use(self, node: int) -> None:
        """Wait until clients use this node: one that was down gets its partitions back only after a while."""
        passed = self.proxies[node].passed

        def is_used() -> None:
            assert self.proxies[node].passed > passed + IN_USE_PIECES, f"nobody uses broker {node}"

        await eventually(is_used, timeout_s=60)

    async def strike(self, kind: str, node: int, *, seconds: float) -> bool:
        """One fault, and its end; whether the victim showed it."""
        if kind in TAKEN_DOWN:
            is_down = await self.take_down(kind, node)
            await asyncio.sleep(seconds / 2)
            await self.bring_back([node])
            return is_down
        if kind == "pause":
            self.broker.pause(node)
            await asyncio.sleep(seconds)
            is_stopped = _is_stopped(self.broker.pid_of(node))
            self.broker.resume(node)
            return is_stopped
        proxy = self.proxies[node]
        if kind == "delay":
            proxy.delay_s = DELAY_S
            passed_before = proxy.passed
            await asyncio.sleep(seconds)
            proxy.delay_s = 0.0
            return proxy.passed > passed_before
        return proxy.reset() > 0

    async def take_down(self, kind: str, node: int) -> bool:
        """``kill`` a node, or ``fill`` its disk, under load, until it can write no more; whether it showed that."""
        if kind == "kill":
            self.broker.kill(node)
            return not self.broker.is_alive(node)
        output = self.broker.data_dir / f"broker-{node}.log"
        told_before = output.stat().st_size
        self.disks[node].take_space(left_bytes=LEFT_BYTES)

        def is_refused() -> None:
            with output.open("rb") as told:
                told.seek(told_before)
                text = told.read()
            assert any(sign in text for sign in DISK_FULL), f"the disk of broker {node} is not full yet"

        with contextlib.suppress(AssertionError):
            await eventually(is_refused, timeout_s=FILLS_WITHIN_S)
            return True
        return False

    async def bring_back(self, nodes: Sequence[int]) -> None:
        """Give space, and start again. A node that has not ended yet is killed: in order it would end only with the
        others' help, who may be gone too."""
        for node in nodes:
            self.broker.kill(node)
            self.disks[node].give_space(size_bytes=DISK_BYTES)
        await asyncio.gather(*(self.broker.restart(node) for node in nodes))


TAKEN_DOWN = frozenset({"kill", "fill"})
"""What a node does not survive: a broker without a directory to write to ends itself."""


@asynccontextmanager
async def three_brokers(folder: Path) -> AsyncIterator[Cluster]:
    """Started; at the end everything is gone. Raises MountRefused."""
    proxies = [Proxy(0) for _ in range(NODES)]
    disks = [SmallDisk(folder / f"node-{node}" / "log") for node in range(NODES)]

    def advertise(node: int) -> int:
        proxies[node].target_port = broker.port_of(node)
        return proxies[node].port

    broker = EmbeddedBroker(folder, nodes=NODES, advertised=advertise, settings=LEADERS_BACK)
    try:
        for disk in disks:
            disk.mount(size_bytes=DISK_BYTES)
        for proxy in proxies:
            await proxy.start()
        await broker.start()
        yield Cluster(broker, proxies, disks)
    finally:
        broker.kill_all()
        await broker.stop()
        for proxy in proxies:
            await proxy.stop()
        for disk in disks:
            disk.unmount()


@dataclass
class AckWatch:
    """The longest time without any acceptance."""

    count: Callable[[], int]
    gap_s_max: float = 0.0
    _task: "asyncio.Task[None] | None" = field(default=None)

    async def _watch(self) -> None:
        last, at = self.count(), time.monotonic()
        while True:
            await asyncio.sleep(POLL_S)
            now = time.monotonic()
            if self.count() != last:
                last, at = self.count(), now
            self.gap_s_max = max(self.gap_s_max, now - at)

    async def __aenter__(self) -> "AckWatch":
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def _is_stopped(pid: int | None) -> bool:
    """Whether the guarded JVM, or the guard that stands for it, is stopped; see proc(5)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False
