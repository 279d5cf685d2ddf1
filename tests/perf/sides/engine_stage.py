"""Our engine with the counting stage, as one process.

Reads the source topic; writes the output topic and the stage's changelog, ``<group>-count-changelog``.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import uvloop

from streams.engine.api import Output, Record, View
from streams.engine.core import Limits
from streams.engine.worker import Runtime, StageConfig
from tests.perf.sides.clock import Clock, Order, read_order, report
from tests.perf.sides.counting import counted

POLL_S = 0.01


class Count:
    """Implements ``PureStage``."""

    name = "count"
    has_table = True

    def __init__(self, order: Order, clock: Clock) -> None:
        self.reads: tuple[str, ...] = (order.source,)
        self._order = order
        self._clock = clock

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        """Every record goes on unchanged."""
        self._clock.begin()
        state = view.get()
        for _ in records:
            state = counted(state, self._order.state_bytes)
        assert state is not None
        view.put(b"", state)
        return [Output(self._order.output, record.key, record.value) for record in records]

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """Nothing here can be poison, so a failure shall show."""
        raise AssertionError(f"given up: {record}") from error

    def timer_output(self, key: bytes, name: str, due_ms: int) -> Output:
        """No timer is ever set."""
        raise AssertionError(f"a timer that nobody set: {name}")


def runtime_of(order: Order, stage: Count) -> Runtime:
    """As the product builds it, with its default limits."""
    config = StageConfig(
        bootstrap=order.bootstrap,
        group=order.group,
        partitions=order.partitions,
        replication=1,
        dead_letters=order.output,
        data_dir=Path(order.folder),
        limits=Limits(),
        commit_interval_s=order.commit_s,
    )
    return Runtime(stage, config)


async def run(order: Order) -> None:
    """Until every record is committed."""
    clock = Clock()
    runtime = runtime_of(order, Count(order, clock))
    stop = asyncio.Event()

    async def finish() -> None:
        trackers = runtime.engine.trackers
        while sum(tracker.committed or 0 for tracker in trackers.values()) < order.records:
            await asyncio.sleep(POLL_S)
        report(clock.result())
        stop.set()

    async def ready() -> None:
        """Nobody waits for it here."""

    task = asyncio.create_task(finish())
    await runtime.run(until=stop, on_ready=ready)
    await task


if __name__ == "__main__":
    uvloop.run(run(read_order()))
