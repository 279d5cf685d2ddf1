"""``iris.control`` as a process sees it: read whole, then followed; and the producer that writes to it and to the log.

A broker that is away is waited for: what stands here is advice, and nothing else of the process may end for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from streams.engine.api import Headers, Output
from streams.engine.partitioner import partition_of

log = logging.getLogger(__name__)

FETCH_WAIT_MS = 1_000
AGAIN_S = 5.0
"""Between two tries when the broker does not answer."""

WROTE_WITHIN_S = 20.0
CLOSED_WITHIN_S = 2.0


class Control:
    """The latest value of every key. ``on_change`` hears of each record, with None for a key that is gone."""

    def __init__(
        self, bootstrap: str, topic: str, *, on_change: Callable[[str, bytes | None], None] | None = None
    ) -> None:
        self._bootstrap = bootstrap
        self._place = TopicPartition(topic, 0)
        self._on_change = on_change
        self.values: dict[str, bytes] = {}
        self.is_read = asyncio.Event()
        """Set once everything that was there has been read."""

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record in."""
        name = (key or b"").decode("utf-8", "replace")
        if value is None:
            self.values.pop(name, None)
        else:
            self.values[name] = value
        if self._on_change is not None:
            self._on_change(name, value)

    async def follow(self) -> None:
        """Read on for ever; starts from the beginning again after a failure."""
        while True:
            try:
                await self._read(for_ever=True)
            except (KafkaError, OSError, FollowingEnded) as error:
                log.warning("%s cannot be read (%s); trying again", self._place.topic, error)
                await asyncio.sleep(AGAIN_S)

    async def read_once(self, *, timeout_s: float) -> None:
        """Read what is there and end; raises TimeoutError, KafkaError or OSError."""
        async with asyncio.timeout(timeout_s):
            await self._read(for_ever=False)

    async def _read(self, *, for_ever: bool) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign([self._place])
            await consumer.seek_to_beginning(self._place)
            end = (await consumer.end_offsets([self._place]))[self._place]
            while await consumer.position(self._place) < end:
                await self._take(consumer)
            self.is_read.set()
            while for_ever:
                await self._take(consumer)
        finally:
            await consumer.stop()

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        for record in await fetch(consumer):
            self.apply(record.key, record.value)


class FollowingEnded(Exception):
    """The consumer gave up fetching for good."""


async def fetch(consumer: AIOKafkaConsumer) -> Sequence[ConsumerRecord]:
    """What comes within a second, in order of each partition; raises FollowingEnded."""
    fetched: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(timeout_ms=FETCH_WAIT_MS)
    if not fetched and consumer._fetcher._fetch_task.done():
        # aiokafka gives up fetching for good on an error that it does not expect, and says so only in its log.
        raise FollowingEnded("the consumer has stopped fetching")
    return [record for records in fetched.values() for record in records]


class Publisher:
    """Writes facts about channels: events to the log, states to ``iris.control``. Connects on first use."""

    def __init__(self, bootstrap: str, control_topic: str, *, partitions: int) -> None:
        self._bootstrap = bootstrap
        self._control_topic = control_topic
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()

    async def write(self, output: Output) -> None:
        """Write a record to the partition of its key, and wait until it is acknowledged; raises KafkaError, OSError or
        TimeoutError."""
        place = TopicPartition(output.topic, partition_of(output.key, self._partitions))
        await self._send(place, output.key, output.value, output.headers)

    async def put(self, key: str, value: bytes | None, headers: Headers = ()) -> None:
        """Set a key of ``iris.control``, or remove it; the same errors."""
        await self._send(TopicPartition(self._control_topic, 0), key.encode(), value, headers)

    async def close(self) -> None:
        """Disconnect; what was not acknowledged by then has failed anyway."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(producer.stop(), CLOSED_WITHIN_S)

    async def _send(self, place: TopicPartition, key: bytes, value: bytes | None, headers: Headers) -> None:
        producer = await self._connected()
        sending = producer.send_and_wait(place.topic, value, key=key, partition=place.partition, headers=list(headers))
        try:
            await asyncio.wait_for(sending, WROTE_WITHIN_S)
        except (KafkaError, TimeoutError):
            # A producer that failed once may fail for good.
            await self.close()
            raise

    async def _connected(self) -> AIOKafkaProducer:
        # Of many that find no producer at once, one makes it.
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
