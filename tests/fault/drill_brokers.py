"""brokers: each of three is killed, paused, delayed and reset under load; then two of three are gone.

Model: three copies of everything, two of which acknowledge; every broker stands behind a proxy, which is the only way
to it. Nothing that was accepted is lost, doubled or reordered. With two brokers gone nothing can be stored: intake
answers 503 before the platform hangs up, and no 2xx is without its record. Faults are counted at the victim: a process
that is gone or stopped, connections that were cut, traffic that was held up. Figure: "brokers" of the table of drills.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.broker import EmbeddedBroker
from tests.fault.drill_frame import Frame
from tests.fault.fleet import Fleet
from tests.harness.eventually import eventually
from tests.harness.history import Sent
from tests.harness.proxy import Proxy

NODES = 3
KINDS = ("kill", "pause", "delay", "reset")
DELAY_S = 0.2
IN_USE_PIECES = 50
LEADERS_BACK = {"leader.imbalance.check.interval.seconds": "3", "leader.imbalance.per.broker.percentage": "0"}
"""A node that was down leads its partitions again soon, so that the next fault hits a node that matters."""
POLL_S = 0.02


@dataclass
class Cluster:
    """Three brokers behind proxies."""

    broker: EmbeddedBroker
    proxies: list[Proxy]

    async def in_use(self, node: int) -> None:
        """Wait until clients use this node: one that was down gets its partitions back only after a while."""
        passed = self.proxies[node].passed

        def is_used() -> None:
            assert self.proxies[node].passed > passed + IN_USE_PIECES, f"nobody uses broker {node}"

        await eventually(is_used, timeout_s=60)

    async def strike(self, kind: str, node: int, *, seconds: float) -> bool:
        """One fault, and its end; whether the victim showed it."""
        proxy = self.proxies[node]
        if kind == "kill":
            self.broker.kill(node)
            is_gone = not self.broker.is_alive(node)
            await asyncio.sleep(seconds / 2)
            await self.broker.restart(node)
            return is_gone
        if kind == "pause":
            self.broker.pause(node)
            await asyncio.sleep(seconds)
            is_stopped = _is_stopped(self.broker.pid_of(node))
            self.broker.resume(node)
            return is_stopped
        if kind == "delay":
            proxy.delay_s = DELAY_S
            passed_before = proxy.passed
            await asyncio.sleep(seconds)
            proxy.delay_s = 0.0
            return proxy.passed > passed_before
        return proxy.reset() > 0


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


async def run(frame: Frame) -> None:
    """Every fault on every node, in random order; then the loss of two."""
    faults = [(kind, node) for kind in KINDS for node in range(NODES)]
    frame.random.shuffle(faults)
    if frame.is_quick:
        faults = [(kind, frame.random.randrange(NODES)) for kind in ("kill", "delay", "reset")]
        frame.say(f"quick: {len(faults)} faults instead of {len(KINDS) * NODES}, no pause")
    seconds = frame.scaled("seconds of a fault", 12, 3)
    rate = frame.scaled("messages per second", 60, 30)
    frame.plan_faults(len(faults) + 2)
    async with _cluster(frame.folder / "cluster") as cluster:
        fleet = Fleet(frame, is_static=True, settings={"replication": NODES}, bootstrap=cluster.broker.bootstrap)
        async with fleet.running():
            fleet.start_load(rate_per_s=rate, users=10)
            async with fleet.supervised(), AckWatch(lambda: len(fleet.load.sent)) as acks:
                await _strike_all(frame, fleet, cluster, acks, [(*fault, seconds) for fault in faults])
            await fleet.stop_load()
            async with fleet.supervised():
                await _two_of_three_gone(frame, fleet, cluster)
                await fleet.back_at_work(time.monotonic())
            await fleet.judge(timeout_s=60)


async def _strike_all(
    frame: Frame, fleet: Fleet, cluster: Cluster, acks: AckWatch, faults: Sequence[tuple[str, int, float]]
) -> None:
    for kind, node, seconds in faults:
        await cluster.in_use(node)
        await fleet.reach(len(fleet.load.sent) + 20)
        acks.gap_s_max = 0.0
        frame.say(f"{kind} on broker {node}")
        if await cluster.strike(kind, node, seconds=seconds):
            frame.saw_fault(f"{kind} on broker {node} was seen")
        frame.measure_worst("back_at_work_s_max", await fleet.back_at_work(time.monotonic()), limit=20.0)
        frame.say(f"nothing was accepted for {acks.gap_s_max:.1f} s")
        frame.measure_worst("ack_gap_s_max", acks.gap_s_max, limit=6.0)
        frame.measure_worst(f"ack_gap_{kind}_s_max", acks.gap_s_max, limit=6.0)


async def _two_of_three_gone(frame: Frame, fleet: Fleet, cluster: Cluster) -> None:
    """Whoever is asked in the meantime answers 503 in time; what is answered 2xx all the same has to be in the log."""
    gone = frame.random.sample(range(NODES), k=2)
    for node in gone:
        cluster.broker.kill(node)
        if not cluster.broker.is_alive(node):
            frame.saw_fault(f"broker {node} is gone")
    answers: list[int] = []
    writers = [_write_during_outage(fleet, name, number, answers) for name in fleet.it.fakes for number in range(3)]
    await asyncio.gather(*writers)
    frame.measure("answers_without_quorum", len(answers))
    wrong = [status for status in answers if status != 503]
    frame.require(not wrong, f"without a quorum intake answered {wrong}; 0 is no answer within the platform's limit")
    for node in gone:
        await cluster.broker.restart(node)


async def _write_during_outage(fleet: Fleet, platform: str, number: int, answers: list[int]) -> None:
    """One delivery, once. It may be stored after its 503, and is answered then; the platform would deliver it again."""
    fake = fleet.it.fakes[platform]
    user = f"outage{number}"
    text = f"{user} on {platform} #1"
    event = fake.user_message(user, text)
    status = await fake.deliver(fake.body([event]))
    answers.append(status)
    fleet.load.sent.append(Sent(platform, user, 1, text, fake.native_id(event), 200 <= status < 300))


@asynccontextmanager
async def _cluster(folder: Path) -> AsyncIterator[Cluster]:
    proxies = [Proxy(0) for _ in range(NODES)]
    for proxy in proxies:
        await proxy.start()

    def advertise(node: int) -> int:
        proxies[node].target_port = broker.port_of(node)
        return proxies[node].port

    broker = EmbeddedBroker(folder, nodes=NODES, advertised=advertise, settings=LEADERS_BACK)
    try:
        await broker.start()
        yield Cluster(broker, proxies)
    finally:
        broker.kill_all()
        await broker.stop()
        for proxy in proxies:
            await proxy.stop()


def _is_stopped(pid: int | None) -> bool:
    """Whether the guarded JVM, or the guard that stands for it, is stopped; see proc(5)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False
