"""Reads ``iris.conversation.events`` beside the stages, from now on, into a tally. Belongs to no consumer group."""

import asyncio
import logging
import time
from contextlib import suppress

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.cli.tally import Tally
from streams.settings import Settings

# It retries by itself and says so as an error each time, as when a broker that has just started is not leader yet.
logging.getLogger("aiokafka.consumer.fetcher").setLevel(logging.CRITICAL)

POLL_MS = 200
RECORDS_MAX = 2_000


class LogReader:
    """Follows the log of one prefix between ``start`` and ``stop``."""

    def __init__(self, topic: str, tally: Tally, settings: Settings) -> None:
        self._topic, self._tally = topic, tally
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_url,
            group_id=None,
            enable_auto_commit=False,
            max_partition_fetch_bytes=settings.body_bytes_max * 2,
        )
        self._partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
        self._task: asyncio.Task[None] | None = None
        self._last_record_at = time.monotonic()

    @property
    def quiet_s(self) -> float:
        """How long ago the last record was read."""
        return time.monotonic() - self._last_record_at

    async def start(self) -> None:
        """Return once it stands at the end of every partition: what is written from now on is counted."""
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_end()
        for partition in self._partitions:
            await self._consumer.position(partition)
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """End; does nothing when it never started."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._consumer.stop()

    async def watch(self) -> None:
        """Return never while it reads; raises what ended it."""
        assert self._task is not None
        await asyncio.shield(self._task)

    async def _follow(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
            if batches:
                self._last_record_at = time.monotonic()
            for record in (record for batch in batches.values() for record in batch):
                self._tally.see(orjson.loads(record.value))
