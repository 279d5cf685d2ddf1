"""A stage's runtime on a log in memory: Faust and the engine are real, aiokafka's consumer is played.

kafka = Kafka({TopicPartition("in", 0): 3})
runtime = runtime_on(kafka, stage, folder)
async with reading(runtime): ...
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

from aiokafka.structs import TopicPartition
from faust.types import TP

from streams.engine.api import Record
from streams.engine.core import Limits
from streams.engine.worker import Runtime, StageConfig
from streams.engine.writer import Writer
from tests.unit.engine_world import Fetched, Topics

FETCH_RECORDS_MAX = 2


class Kafka:
    """aiokafka's consumer: positions, pauses and commits of the partitions it holds. ``ends`` is how long they are.

    A fetch gives at most two records, of one partition that is not paused; while ``holds_fetches`` is set it has its
    records already, as one under way has, and returns later.
    """

    def __init__(self, ends: Mapping[TopicPartition, int]) -> None:
        self.ends = dict(ends)
        self.positions = dict.fromkeys(ends, 0)
        self.paused: set[TopicPartition] = set()
        self.committed: dict[TopicPartition, int] = {}
        self.holds_fetches = False
        self.is_holding = asyncio.Event()
        self._released = asyncio.Event()
        self._fetches = 0
        # What Faust reaches for inside of aiokafka.
        self._fetcher = self
        self._subscriptions = self
        self._closed = False
        self._max_poll_records = FETCH_RECORDS_MAX
        self._fetch_task: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self.ends)

    def pause(self, *places: TopicPartition) -> None:
        self.paused.update(places)

    def resume(self, *places: TopicPartition) -> None:
        self.paused.difference_update(places)

    def seek(self, place: Any, offset: int) -> None:
        self.positions[TopicPartition(*place)] = offset

    async def position(self, place: Any) -> int:
        return self.positions[TopicPartition(*place)]

    async def commit(self, offsets: Mapping[TopicPartition, Any]) -> None:
        self.committed.update({place: mark.offset for place, mark in offsets.items()})

    async def seek_to_committed(self) -> dict[TopicPartition, int | None]:
        return {place: self.committed.get(place) for place in self.ends}

    async def beginning_offsets(self, places: Sequence[Any]) -> dict[TopicPartition, int]:
        return {TopicPartition(*place): 0 for place in places}

    def has_been_asked(self, times: int) -> None:
        """Raises AssertionError while there were fewer fetches."""
        assert self._fetches >= times

    def fail_fetching(self) -> None:
        """aiokafka's background task ends."""
        self._fetch_task.set_result(None)

    def release(self) -> None:
        """The fetch under way returns."""
        self.holds_fetches = False
        self._released.set()

    @contextmanager
    def fetch_context(self) -> Iterator[None]:
        yield

    async def fetched_records(self, partitions: set[TP], *, timeout: float, max_records: int) -> dict[Any, list[Any]]:
        self._fetches += 1
        for place, end in self.ends.items():
            start = self.positions[place]
            if start < end and place not in self.paused and TP(*place) in partitions:
                self.positions[place] = min(start + max_records, end)
                found = {place: [_fetched(place, offset) for offset in range(start, self.positions[place])]}
                await self._pass_on()
                return found
        await asyncio.sleep(0.001)
        return {}

    async def _pass_on(self) -> None:
        if self.holds_fetches:
            self.is_holding.set()
            await self._released.wait()


def _fetched(place: TopicPartition, offset: int) -> Fetched:
    return Fetched(Record(place.topic, place.partition, offset, 1_000, b"ann", b"%d" % offset))


def runtime_on(kafka: Kafka, stage: Any, folder: Path, *, limits: Limits | None = None) -> tuple[Runtime, Topics]:
    """The runtime, which is never started, and what it writes."""
    config = StageConfig("127.0.0.1:1", "group", 1, 1, "dead", folder, limits or Limits(), commit_interval_s=0.02)
    runtime = Runtime(stage, config)
    topics = Topics()
    runtime.engine.writer = cast(Writer, topics)
    runtime.app.finalize()
    consumer_of(runtime)._thread._consumer = kafka
    return runtime, topics


def consumer_of(runtime: Runtime) -> Any:
    """The stage's consumer, with its inner parts."""
    return runtime.app.consumer


async def assign(runtime: Runtime) -> None:
    """A new assignment of all partitions, as a rebalance ends."""
    consumer = consumer_of(runtime)
    await runtime.end_assignment()
    await consumer.perform_seek()
    consumer.resume_partitions(consumer.assignment())


class FetcherService:
    """Faust's service around the read loop."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()


@asynccontextmanager
async def reading(runtime: Runtime) -> AsyncIterator[None]:
    """The read loop runs on a fresh assignment."""
    await assign(runtime)
    loop = asyncio.create_task(consumer_of(runtime)._drain_messages(FetcherService()))
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        await runtime.runner.cancel()
