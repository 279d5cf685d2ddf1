"""Follows ``iris.identities`` for intake: which conversation goes on with another. Reads that topic, writes nothing.

The topic is read whole before ``start`` returns, and live from then on, by a consumer of its own without a group. What
is kept is about 300 bytes an identity: 300 MB for a million of people who were seen under two.
"""

import asyncio
import logging
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from schemas.identities import Identity
from schemas.registry import SchemaError, decode_command
from streams.broker.errors import BrokerUnavailable

log = logging.getLogger(__name__)

READ_WITHIN_S = 60.0
"""A start that has not read the whole topic by then fails; the supervisor tries again."""

HOPS_MAX = 8
"""Moves that are followed one after the other; a conversation that has moved more often is taken where that ends."""

FETCH_WAIT_MS = 1_000


class FollowingEnded(Exception):
    """Nothing more would be learned of the topic."""


class Identities:
    """Old conversation to new. ``on_failure`` is called once when the topic cannot be followed any longer."""

    def __init__(
        self, bootstrap: str, topic: str, *, partitions: int, on_failure: Callable[[BaseException], None]
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._partitions = partitions
        self._on_failure = on_failure
        self._moved: dict[str, str] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    def current(self, conversation_id: str) -> str:
        """The conversation that goes on with this one: itself where it never moved."""
        for _ in range(HOPS_MAX):
            goes_on = self._moved.get(conversation_id)
            if goes_on is None:
                break
            conversation_id = goes_on
        return conversation_id

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record in; one that is none is logged and left out, because intake must go on."""
        try:
            old = (key or b"").decode()
            new = old if value is None else decode_command(value, Identity).conversation_id
        except (SchemaError, UnicodeDecodeError) as error:
            log.error("%s: record %r is left out: %s", self._topic, key, error)
            return
        if new == old:
            self._moved.pop(old, None)
        else:
            self._moved[old] = new

    async def start(self) -> None:
        """Read all that is there; raises BrokerUnavailable when that cannot be done in time."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        self._consumer = consumer
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                await consumer.start()
                await self._read_whole(consumer)
        except (TimeoutError, KafkaError, OSError) as error:
            raise BrokerUnavailable(
                f"topic {self._topic} could not be read whole within {READ_WITHIN_S:.0f} s ({error!r}), and without it "
                "messages would go to conversations that have moved; look at the broker, then start again"
            ) from error
        log.info("%s: %d conversations have moved", self._topic, len(self._moved))
        self._task = asyncio.create_task(self._follow(consumer), name="identities")

    async def stop(self) -> None:
        """Follow no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()

    async def _read_whole(self, consumer: AIOKafkaConsumer) -> None:
        places = [TopicPartition(self._topic, number) for number in range(self._partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            await self._take(consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                await self._take(consumer)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on keying by what was true once
            self._on_failure(error)

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        fetched: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(timeout_ms=FETCH_WAIT_MS)
        for records in fetched.values():
            for record in records:
                self.apply(record.key, record.value)
        if not fetched and consumer._fetcher._fetch_task.done():
            # aiokafka gives up fetching for good on an error that it does not expect, and says so only in its log.
            raise FollowingEnded(f"the consumer of {self._topic} has stopped fetching; the reason stands above")
