"""Who wrote what: the producer identity of every batch on a topic, which no consumer interface shows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

FETCH_BYTES_MAX = 8 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch by its partition, first offset, and the writer's identity and epoch."""

    partition: int
    offset: int
    producer_id: int
    epoch: int


async def read_batches(bootstrap: str, topic: str) -> list[Batch]:
    """Every batch of a topic, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer._client.set_topics([topic])
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = await consumer.end_offsets(places)
        return [batch for place in places async for batch in _batches(consumer, place, ends[place])]
    finally:
        await consumer.stop()


async def _batches(consumer: AIOKafkaConsumer, place: TopicPartition, end: int) -> AsyncIterator[Batch]:
    client = consumer._client
    offset = 0
    while offset < end:
        request = FetchRequest(
            100, 1, FETCH_BYTES_MAX, 0, [(place.topic, [(place.partition, offset, FETCH_BYTES_MAX)])]
        )
        node = client.cluster.leader_for_partition(place)
        await client.ready(node)
        answer = await client.send(node, request)
        ((_, ((_, error, _, *rest),)),) = answer.topics
        assert error == 0, f"fetching {place} at {offset}: error {error}"
        records = MemoryRecords(rest[-1])
        while (batch := records.next_batch()) is not None:
            if batch.base_offset >= offset:
                yield Batch(place.partition, batch.base_offset, batch.producer_id, batch.producer_epoch)
            offset = max(offset, batch.next_offset)


def stale(batches: list[Batch]) -> list[Batch]:
    """Batches that stand behind one of a later epoch: written by an owner that had been deposed, and believed."""
    newest: dict[int, Batch] = {}
    found: list[Batch] = []
    for batch in batches:
        last = newest.get(batch.partition)
        if last is not None and (batch.producer_id != last.producer_id or batch.epoch < last.epoch):
            found.append(batch)
        else:
            newest[batch.partition] = batch
    return found
