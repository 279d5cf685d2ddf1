"""Partitions are given back, or the stage stops: what is in hand ends, nothing more begins, and no state has seen a
record that was given back, because it would not be handled when it is read again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aiokafka.structs import TopicPartition

from streams.engine.api import Output, Record, View
from streams.engine.pure import STEP_RECORDS_MAX, PureRunner
from streams.engine.worker import Runtime
from tests.harness.eventually import eventually
from tests.unit.engine_kafka import Kafka, assign, consumer_of, runtime_on
from tests.unit.engine_world import Echo, Fetched, Slow, World

PLACE = TopicPartition("in", 0)


class Stream:
    """Faust's stream of the agent: a batch per event, each is itself what was put in last."""

    def __init__(self, runtime: Runtime) -> None:
        self._engine = runtime.engine
        self._batches: asyncio.Queue[tuple[int, int, list[Record]]] = asyncio.Queue()
        self.value: tuple[int, int, list[Record]] | None = None

    def fetch(self, *values: bytes) -> None:
        """The next records of ann's arrive in one batch."""
        start = self._engine.trackers[PLACE].next_offset
        fetched = [Fetched(Record("in", 0, start + n, 1_000, b"ann", value)) for n, value in enumerate(values)]
        records, _ = self._engine.admit(PLACE, fetched)
        self._batches.put_nowait((self._engine.epoch, self._engine.number_batch(), records))

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator["Stream"]:
        while True:
            self.value = await self._batches.get()
            yield self
            self._batches.task_done()

    async def is_drained(self) -> None:
        """The agent has seen every batch."""
        await self._batches.join()


class Stopping:
    """A stage in the middle of ann's first record, with a second one waiting."""

    def __init__(self, folder: Path) -> None:
        self.kafka = Kafka({PLACE: 0})
        self.stage = Slow()
        self.runtime, self.topics = runtime_on(self.kafka, self.stage, folder)
        self.consumer: Any = consumer_of(self.runtime)
        self.stream = Stream(self.runtime)

    async def begin(self) -> None:
        await assign(self.runtime)
        table: Any = self.runtime.app.tables[self.stage.name]
        self.store = table.data.partition(0)
        self.agent = asyncio.create_task(self.runtime._consume(self.stream))
        self.stream.fetch(b"first", b"given back")

        def is_begun() -> None:
            assert self.stage.log == ["begin first"]

        await eventually(is_begun, interval_s=0.002)

    async def end(self) -> None:
        self.agent.cancel()
        await asyncio.gather(self.agent, return_exceptions=True)
        await self.runtime.runner.cancel()
        self.store.close()


async def test_what_arrives_while_a_stage_settles_is_not_started(tmp_path: Path) -> None:
    it = Stopping(tmp_path)
    await it.begin()
    settling = asyncio.create_task(it.runtime.settle())
    await asyncio.sleep(0)
    it.stream.fetch(b"too late")
    await it.stream.is_drained()
    it.stage.gates[b"ann"].set()
    await settling
    await it.consumer.force_commit()

    assert it.stage.log == ["begin first", "end first"]
    assert it.kafka.committed == {PLACE: 1}
    assert {value.position for _, _, value in it.store.dump()} == {0}
    await it.end()


async def test_a_stop_lets_what_is_in_hand_end_and_commits_it_before_faust_stops(tmp_path: Path) -> None:
    it = Stopping(tmp_path)
    await it.begin()
    stopping = asyncio.create_task(it.runtime._stop())

    def is_settling() -> None:
        assert it.runtime.engine.is_settling

    await eventually(is_settling, interval_s=0.002)
    assert not it.consumer.flow_active
    it.stage.gates[b"ann"].set()
    await stopping

    assert it.stage.log == ["begin first", "end first"]
    assert it.topics.on("out") == [b"started first", b"done first"]
    assert it.kafka.committed == {PLACE: 1}
    await it.end()


async def test_a_pure_stage_that_settles_leaves_the_rest_of_a_fetch_alone(tmp_path: Path) -> None:
    class Settling(Echo):
        def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
            world.engine.is_settling = True
            return super().handle(view, records)

    world = World(Settling(), tmp_path)
    runner = PureRunner(world.engine, Settling(), checkpoint_interval_s=0.01)
    await runner.submit(world.records(*[(b"ann", b"x")] * (3 * STEP_RECORDS_MAX)))
    await world.done(STEP_RECORDS_MAX)
    state = world.store.get(b"ann", b"")
    assert state is not None
    assert (state.position, state.data) == (STEP_RECORDS_MAX - 1, b"%d" % STEP_RECORDS_MAX)
    await runner.cancel()
    world.store.close()
