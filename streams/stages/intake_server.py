"""Serves intake: the producer, the public port, and the admin port with its own health and metrics, and the channels'.

The producer batches: records of many requests that wait for the same partition leave together.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import REGISTRY

from streams.admin import add_view, admin_application, listen
from streams.care.control import Control
from streams.care.status import ChannelStatus
from streams.channels import Channels
from streams.engine.core import end_process
from streams.engine.pace import Spacing
from streams.engine.partitioner import partition_of
from streams.engine.seeded import scattered, seeded
from streams.engine.writer import WireRecord, Writer
from streams.settings import Settings
from streams.stages.identities import Identities
from streams.stages.intake import Intake
from streams.topics import Topics

log = logging.getLogger(__name__)

LINGERING_S = 0.1
"""How long the rest of a body that was refused is read and thrown away, so that its sender can read the answer; reading
it costs as much as taking it would."""


class _Brief(logging.Filter):
    """A request that is no HTTP is the caller's fault: one line at INFO, or anybody could fill the log with traces."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "no HTTP request: %s", (type(error).__name__,)
            record.exc_info = None
        return log.isEnabledFor(record.levelno)


http_log = logging.getLogger(f"{__name__}.http")
http_log.addFilter(_Brief())


class KeyedProducer:
    """Implements ``intake.Producing`` over a ``Writer``."""

    def __init__(self, writer: Writer, partitions: int) -> None:
        self._writer = writer
        self._partitions = partitions

    async def produce(self, topic: str, records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None:
        """All records acknowledged, in order per key. Cancelling waits for nothing; what was queued may still land."""
        batches: dict[int, list[WireRecord]] = {}
        for key, value, headers in records:
            number = scattered(self._partitions) if seeded("unkeyed_produce") else partition_of(key, self._partitions)
            batches.setdefault(number, []).append((key, value, headers))
        futures = [self._writer.write(topic, partition, batch) for partition, batch in batches.items()]
        for future in futures:
            await future


@contextlib.asynccontextmanager
async def public_port(intake: Intake, settings: Settings) -> AsyncIterator[None]:
    """Serve the webhooks until the block ends; raises SettingsError when the port cannot be opened.

    Compressed bodies are not unpacked: a small one may hold gigabytes, and intake refuses them by their header.
    """
    options = {"auto_decompress": False, "lingering_time": LINGERING_S, "logger": http_log}
    runner = await listen(intake.application(), settings.host, settings.port, variable="IRIS_PORT", options=options)
    assert runner.server is not None, "it listens"
    sweeping = asyncio.create_task(intake.patience.sweep(runner.server))
    try:
        yield
    finally:
        sweeping.cancel()
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _following(control: Control) -> AsyncIterator[None]:
    """It is advice: nothing waits for it, and a broker that is away is tried again."""
    task = asyncio.create_task(control.follow(), name="control")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def serve_intake(
    topics: Topics,
    settings: Settings,
    channels: Channels,
    *,
    until: asyncio.Event,
    on_ready: Callable[[], Awaitable[None]],
) -> None:
    """Until the event is set: then take no more, finish what is in hand, flush."""
    client_id = f"{settings.topic_prefix}intake"
    writer = Writer(settings.kafka_url, client_id=client_id, on_failure=end_process, pace=Spacing())
    await writer.start()
    identities = Identities(
        settings.kafka_url, topics.identities, partitions=settings.partitions, on_failure=end_process
    )
    # The producer is connected before a port opens, and waits for a broker that went away: no state is "not ready".
    health = admin_application(lambda: "")
    control = Control(settings.kafka_url, topics.control)
    status = ChannelStatus(channels.all, control.values)
    REGISTRY.register(status)
    add_view(health, "/v1/channels", lambda: {"channels": status.rows()}, settings.admin_token)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(writer.stop)
        stack.push_async_callback(identities.stop)
        await identities.start()
        await stack.enter_async_context(_following(control))
        producer = KeyedProducer(writer, settings.partitions)
        intake = Intake(topics, settings, channels, producer, current=identities.current)
        admin = await listen(health, settings.admin_host, settings.admin_port, variable="IRIS_ADMIN_PORT")
        stack.push_async_callback(admin.cleanup)
        await stack.enter_async_context(public_port(intake, settings))
        await on_ready()
        await until.wait()
