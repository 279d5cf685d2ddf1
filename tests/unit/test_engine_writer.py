"""The writer's promises: order per partition over many batches, one batch of a partition in flight, and a failure that
ends the process, frees the partition and is believed by nobody."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import RecordMetadata, TopicPartition

from streams.engine.writer import BATCH_BYTES_SOFT, RECORD_BYTES_MAX, Writer
from tests.harness.eventually import eventually

ONE, TWO = TopicPartition("out", 0), TopicPartition("out", 1)


class Batch:
    """aiokafka's batch builder, as far as it is used."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.is_closed = False

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[Any]) -> SimpleNamespace:
        self.values.append(value)
        return SimpleNamespace(size=len(value))

    def close(self) -> None:
        self.is_closed = True


class Producer:
    """aiokafka's producer: keeps the batches per partition; acknowledges, or fails, when told."""

    def __init__(self) -> None:
        self.sent: dict[TopicPartition, list[Batch]] = {ONE: [], TWO: []}
        self._deliveries: dict[TopicPartition, list[asyncio.Future[Any]]] = {ONE: [], TWO: []}
        self._ends = {ONE: 0, TWO: 0}

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        place = TopicPartition(topic, partition)
        assert batch.is_closed
        self.sent[place].append(batch)
        self._deliveries[place].append(asyncio.get_running_loop().create_future())
        return self._deliveries[place][-1]

    def in_flight(self, place: TopicPartition) -> int:
        return sum(not delivery.done() for delivery in self._deliveries[place])

    def deliver(self, place: TopicPartition) -> None:
        """The last batch of this partition is acknowledged."""
        self._deliveries[place][-1].set_result(RecordMetadata("out", 0, place, self._ends[place], -1, 0, 0))
        self._ends[place] += len(self.sent[place][-1].values)

    def fail(self, place: TopicPartition) -> None:
        """It has failed for good."""
        self._deliveries[place][-1].set_exception(KafkaTimeoutError())

    def values(self, place: TopicPartition) -> list[bytes]:
        return [value for batch in self.sent[place] for value in batch.values]


class Writing:
    """A writer on a played producer."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.writer = Writer("nowhere:1", client_id="test", on_failure=self.failures.append)
        self.producer = Producer()
        self.writer._producer = self.producer

    def write(self, place: TopicPartition, *values: bytes) -> "asyncio.Future[int]":
        return self.writer.write(place.topic, place.partition, [(b"k", value, []) for value in values])

    async def sent(self, place: TopicPartition, batches: int) -> None:
        """Returns once so many batches of this partition have left."""

        def have_left() -> None:
            assert len(self.producer.sent[place]) == batches

        await eventually(have_left, interval_s=0.001)

    async def is_idle(self) -> None:
        """Returns when ``flush`` does; it must, at once."""
        async with asyncio.timeout(2):
            await self.writer.flush()


@pytest.fixture
async def it() -> Writing:
    return Writing()


async def test_what_comes_while_a_batch_is_in_flight_leaves_in_order_in_the_next_one(it: Writing) -> None:
    futures = [it.write(ONE, b"0")]
    for batch in range(1, 4):
        await it.sent(ONE, batch)
        futures += [it.write(ONE, b"%d" % batch, b"%d!" % batch), it.write(ONE, b"%d?" % batch)]
        await asyncio.sleep(0)
        assert it.producer.in_flight(ONE) == 1
        it.producer.deliver(ONE)
    await it.sent(ONE, 4)
    it.producer.deliver(ONE)
    await it.is_idle()
    assert it.producer.values(ONE) == [b"0", *(b"%d%s" % (n, mark) for n in (1, 2, 3) for mark in (b"", b"!", b"?"))]
    assert await asyncio.gather(*futures) == [0, 2, 3, 5, 6, 8, 9]


async def test_a_write_that_is_larger_than_a_batch_is_told_of_when_its_last_record_has_arrived(it: Writing) -> None:
    large = [b"%d" % n * (BATCH_BYTES_SOFT // 2) for n in range(5)]
    future = it.write(ONE, *large)
    after = it.write(ONE, b"after")
    batches = 0
    while len(it.producer.values(ONE)) < 6:
        batches += 1
        await it.sent(ONE, batches)
        assert not future.done()
        it.producer.deliver(ONE)
        await asyncio.sleep(0)
    assert batches > 1
    await it.is_idle()
    assert it.producer.values(ONE) == [*large, b"after"]
    assert (await future, await after) == (4, 5)


async def test_a_slow_partition_holds_back_no_other(it: Writing) -> None:
    slow, quick = it.write(ONE, b"slow"), it.write(TWO, b"quick")
    await it.sent(TWO, 1)
    it.producer.deliver(TWO)
    assert await quick == 0
    assert not slow.done()
    assert it.producer.in_flight(ONE) == 1


async def test_a_record_that_cannot_be_sent_ends_the_process_and_frees_its_partition(it: Writing) -> None:
    future = it.write(ONE, b"x" * (RECORD_BYTES_MAX + 1))
    fine = it.write(TWO, b"fine")
    await it.sent(TWO, 1)
    it.producer.deliver(TWO)
    await it.is_idle()
    assert "over the limit" in str(it.failures)
    assert not future.done()
    assert await fine == 0


async def test_nobody_believes_in_a_write_whose_delivery_failed(it: Writing) -> None:
    failed = it.write(ONE, b"failed")
    await it.sent(ONE, 1)
    behind = it.write(ONE, b"behind it")
    it.producer.fail(ONE)
    await it.is_idle()
    assert [type(error) for error in it.failures] == [KafkaTimeoutError]
    assert not failed.done()
    assert not behind.done()
    assert it.producer.values(ONE) == [b"failed"], "what follows a hole must not be written"


async def test_flush_waits_for_what_is_queued_behind_the_batch_in_flight(it: Writing) -> None:
    it.write(ONE, b"1")
    await it.sent(ONE, 1)
    it.write(ONE, b"2")
    flushing = asyncio.create_task(it.writer.flush())
    it.producer.deliver(ONE)
    await it.sent(ONE, 2)
    assert not flushing.done()
    it.producer.deliver(ONE)
    async with asyncio.timeout(2):
        await flushing
