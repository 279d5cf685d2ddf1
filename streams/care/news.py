"""Follows what the log says about channels themselves, live. Reads only the partitions in which their own keys lie.

A consumer without a group, from the end of the log on: whoever needs what was before asks for it elsewhere. Most
records of such a partition are somebody's conversation; the header tells them apart, and they are not decoded.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from schemas import headers
from schemas.envelope import AnyEvent
from schemas.registry import SchemaError, decode_event
from streams.care.control import AGAIN_S, FollowingEnded, fetch
from streams.care.keeper import TICK_S
from streams.engine.partitioner import partition_of

log = logging.getLogger(__name__)

ABOUT_CHANNELS = b"channel_updated/"


class News:
    """``keys`` are the channels' own keys; ``is_wanted`` says whether anybody here wants to know; ``tell`` is given
    every event about one of the channels."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        *,
        keys: Iterable[str],
        partitions: int,
        is_wanted: Callable[[], bool],
        tell: Callable[[AnyEvent], Awaitable[None]],
    ) -> None:
        self._bootstrap = bootstrap
        self._keys = {key.encode() for key in keys}
        self._places = [
            TopicPartition(topic, number) for number in {partition_of(key, partitions) for key in self._keys}
        ]
        self._is_wanted = is_wanted
        self._tell = tell

    async def run(self) -> None:
        """For ever; nothing is read while nobody wants to know."""
        while True:
            if self._is_wanted():
                try:
                    await self._follow()
                except (KafkaError, OSError, FollowingEnded) as error:
                    log.warning("news of channels cannot be read (%s); trying again", error)
                    await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(TICK_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign(self._places)
            await consumer.seek_to_end(*self._places)
            while self._is_wanted():
                for record in await fetch(consumer):
                    await self._take(record)
        finally:
            await consumer.stop()

    async def _take(self, record: ConsumerRecord) -> None:
        schema = next((value for name, value in record.headers if name == headers.SCHEMA), b"")
        if record.key not in self._keys or not schema.startswith(ABOUT_CHANNELS):
            return
        try:
            event = decode_event(record.value or b"")
        except SchemaError as error:
            log.warning("an event about a channel is left out: %s", error)
            return
        await self._tell(event)
