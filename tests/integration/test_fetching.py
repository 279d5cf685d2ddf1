"""How a stage reads, against a real broker: every record once and in order, whatever happens to the session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.broker import Broker
from streams.engine.fetch_session import FetchSession
from streams.engine.fetching import fetch_incrementally, fetch_promptly
from streams.engine.writer import Writer
from tests.harness.broker import BrokerFactory, unique_prefix
from tests.harness.eventually import eventually

pytestmark = pytest.mark.broker

PARTITIONS = 8


class Reader:
    """A consumer as stages have it, of all partitions of one topic, and what it has read: values by partition."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.topic = topic
        self.consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100
        )
        self.read: dict[int, list[int]] = {}
        self._writer = Writer(bootstrap, client_id="test", on_failure=self._fail)

    def place(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)

    async def write(self, partition: int, *numbers: int) -> None:
        await self._writer.write(self.topic, partition, [(b"key", b"%d" % number, []) for number in numbers])

    async def take(self) -> None:
        """One fetch's worth."""
        found = await self.consumer._fetcher.fetched_records((), timeout=0.3, max_records=5)
        for place, records in found.items():
            self.read.setdefault(place.partition, []).extend(int(record.value) for record in records)

    async def has_read(self, **expected: list[int]) -> None:
        """Waits until exactly this was read: ``p3=[1, 2]`` of partition 3."""
        wanted = {int(name[1:]): numbers for name, numbers in expected.items()}

        async def is_there() -> None:
            await self.take()
            assert self.read == wanted

        await eventually(is_there, timeout_s=30)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Reader"]:
        fetch_incrementally(self.consumer)
        await self._writer.start()
        await self.consumer.start()
        fetch_promptly(self.consumer)
        self.consumer.assign([self.place(partition) for partition in range(PARTITIONS)])
        try:
            yield self
        finally:
            await self.consumer.stop()
            await self._writer.stop()

    def _fail(self, error: BaseException) -> None:
        raise error


@asynccontextmanager
async def reading(bootstrap: str) -> AsyncIterator[Reader]:
    topic = unique_prefix() + "in"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    async with Reader(bootstrap, topic).running() as reader:
        yield reader


async def test_single_records_and_many_are_read_once_and_in_order(broker: Broker) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.write(3, 1)
        await reader.has_read(p3=[1])
        await reader.write(3, 2)
        await reader.write(5, *range(12))
        await reader.has_read(p3=[1, 2], p5=list(range(12)))


async def test_only_what_changed_is_asked_for(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    shorten = FetchSession.ask

    def ask(self: FetchSession, request: Any) -> None:
        shorten(self, request)
        asked.append([item[0] for _, items in request.topics for item in items])

    monkeypatch.setattr(FetchSession, "ask", ask)
    async with reading(broker.bootstrap) as reader:
        await reader.write(3, 1)
        await reader.has_read(p3=[1])
        await reader.take()
        assert list(range(PARTITIONS)) in [sorted(partitions) for partitions in asked]
        del asked[:]
        await reader.write(4, 1)
        await reader.has_read(p3=[1], p4=[1])
        await reader.take()
        assert [4] in asked
        assert all(len(partitions) <= 1 for partitions in asked), asked


async def test_a_paused_partition_is_left_and_taken_up_where_it_was(broker: Broker) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.write(0, 1)
        await reader.has_read(p0=[1])
        reader.consumer.pause(reader.place(0))
        await reader.take()
        await reader.write(0, 2)
        await reader.write(1, 1)
        await reader.has_read(p0=[1], p1=[1])
        for _ in range(3):
            await reader.take()
        assert reader.read[0] == [1]
        reader.consumer.resume(reader.place(0))
        await reader.has_read(p0=[1, 2], p1=[1])


async def test_nothing_is_asked_while_all_are_paused_and_the_first_resumed_is_read_at_once(broker: Broker) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.write(0, 1)
        await reader.has_read(p0=[1])
        reader.consumer.pause(*map(reader.place, range(PARTITIONS)))
        await reader.take()
        await reader.write(2, 7)
        taking = asyncio.create_task(reader.consumer._fetcher.fetched_records((), timeout=20, max_records=5))
        await asyncio.sleep(0.3)
        assert not reader.consumer._fetcher._asked
        reader.consumer.resume(reader.place(2))
        found = await asyncio.wait_for(taking, 5)
        assert [int(record.value) for record in found[reader.place(2)]] == [7]


async def test_a_position_that_was_changed_counts_though_a_fetch_is_under_way(broker: Broker) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.write(0, 1, 2, 3)
        await reader.has_read(p0=[1, 2, 3])
        taking = asyncio.create_task(reader.take())
        await eventually(lambda: _require(reader.consumer._fetcher._asked))
        reader.consumer.seek(reader.place(0), 1)
        await taking
        await reader.has_read(p0=[1, 2, 3, 2, 3])


def _require(condition: object) -> None:
    assert condition


async def test_a_broker_that_has_forgotten_the_session_is_told_all_again(broker: Broker) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.write(0, 1)
        await reader.has_read(p0=[1])
        for session in reader.consumer._client.sessions.values():
            session._id += 1
        await reader.write(0, 2)
        await reader.has_read(p0=[1, 2])


async def test_reading_goes_on_after_the_broker_was_killed(make_broker: BrokerFactory) -> None:
    own = await make_broker()
    async with reading(own.bootstrap) as reader:
        await reader.write(0, 1)
        await reader.has_read(p0=[1])
        own.kill()
        await reader.take()
        await own.restart()
        await reader.write(0, 2)
        await reader.write(6, 1)
        await reader.has_read(p0=[1, 2], p6=[1])


async def test_an_error_that_nobody_expects_ends_the_fetcher_for_all_to_see(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reading(broker.bootstrap) as reader:
        await reader.take()

        def broken(*_: Any) -> Any:
            raise RuntimeError("as uvloop's for a connection that was reset just now")

        monkeypatch.setattr(FetchSession, "ask", broken)

        async def has_ended() -> None:
            await reader.take()
            assert reader.consumer._fetcher._fetch_task.done()

        await eventually(has_ended)
