"""Reads whole topics, and writes single records, for checks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands on a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """A header as text; empty when absent."""
        return next((value.decode() for key, value in self.headers if key == name), "")


async def read_topic(bootstrap: str, topic: str) -> list[Stored]:
    """Everything on a topic up to its end now, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        await consumer._client.set_topics([topic])
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        if not places:
            return []
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        found: list[Stored] = []
        for place in places:
            found.extend([record async for record in _read_until(consumer, place, ends[place])])
        return found
    finally:
        await consumer.stop()


async def _read_until(consumer: AIOKafkaConsumer, place: TopicPartition, end: int) -> AsyncIterator[Stored]:
    while await consumer.position(place) < end:
        fetched = await consumer.getmany(place, timeout_ms=500, max_records=5_000)
        for record in fetched.get(place, ()):
            if record.offset < end:
                yield Stored(
                    record.topic, record.partition, record.offset, record.timestamp, record.key, record.value,
                    tuple(record.headers),
                )  # fmt: skip


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer, acks=all, murmur2: what anybody's tool would write with."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def values(records: Sequence[Stored]) -> list[bytes]:
    """Values without the tombstones."""
    return [record.value for record in records if record.value is not None]
