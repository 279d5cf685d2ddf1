"""How much each stage still has to read: end of its topics minus what its group has committed."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from streams.topics import Topics


def read_by(topics: Topics, stage: str) -> tuple[str, ...]:
    """The source topics of a stage, as the design's flow has them; raises KeyError for an unknown stage."""
    return {
        "normalise": tuple(topics.inbound(name) for name in topics.platforms),
        "converse": (topics.events,),
        "respond": (topics.ai_requests,),
        "send": tuple(topics.outbound(name) for name in topics.platforms),
    }[stage]


class Backlog:
    """Records not yet acknowledged, by stage."""

    def __init__(self, topics: Topics, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._topics = topics
        self._admin = admin
        self._consumer = consumer

    async def of(self, stage: str) -> int:
        """How many records the stage has before it."""
        names = read_by(self._topics, stage)
        await self._consumer._client.set_topics(names)
        places = [
            TopicPartition(name, number) for name in names for number in self._consumer.partitions_for_topic(name) or ()
        ]
        committed = await self._admin.list_consumer_group_offsets(f"{self._topics.prefix}{stage}")
        ends = await self._consumer.end_offsets(places)
        return sum(end - max(0, committed[place].offset if place in committed else 0) for place, end in ends.items())

    async def total(self, stages: Iterable[str]) -> int:
        """Over several stages."""
        return sum([await self.of(stage) for stage in stages])


@asynccontextmanager
async def watching_backlog(bootstrap: str, topics: Topics) -> AsyncIterator[Backlog]:
    """A backlog watch with connections of its own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await admin.start()
    await consumer.start()
    try:
        yield Backlog(topics, admin, consumer)
    finally:
        await consumer.stop()
        await admin.close()
