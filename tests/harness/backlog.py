"""How much each stage still has to read (end of its topics minus what its group has committed), and who reads it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
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
        "fetch": (topics.fetch,),
    }[stage]


class Backlog:
    """Records not yet acknowledged, by stage."""

    def __init__(self, topics: Topics, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
        self._topics = topics
        self._admin = admin
        self._consumer = consumer

    async def of(self, stage: str) -> dict[TopicPartition, int]:
        """How many records the stage has before it, where there are any."""
        names = read_by(self._topics, stage)
        await self._consumer._client.set_topics(names)
        places = [
            TopicPartition(name, number) for name in names for number in self._consumer.partitions_for_topic(name) or ()
        ]
        committed = await self._admin.list_consumer_group_offsets(f"{self._topics.prefix}{stage}")
        ends = await self._consumer.end_offsets(places)
        left = {
            place: end - max(0, committed[place].offset if place in committed else 0) for place, end in ends.items()
        }
        return {place: count for place, count in left.items() if count}

    async def over(self, stages: Iterable[str]) -> dict[str, dict[TopicPartition, int]]:
        """By stage, without the stages that have nothing before them."""
        found = {stage: await self.of(stage) for stage in stages}
        return {stage: left for stage, left in found.items() if left}


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


@asynccontextmanager
async def watching_members(bootstrap: str, group: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """How many members share a group's partitions now; 0 while they are shared out."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def members() -> int:
        (answer,) = await admin.describe_consumer_groups([group])
        ((_, _, state, _, _, found, *_),) = answer.groups
        return len(found) if state == "Stable" else 0

    try:
        yield members
    finally:
        await admin.close()
