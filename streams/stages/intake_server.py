"""Serves intake: the producer, the public port, and the admin port with health and metrics.

The producer batches: records of many requests that wait for the same partition leave together.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.channels import Channels
from streams.engine.core import end_process
from streams.engine.partitioner import partition_of
from streams.engine.writer import WireRecord, Writer
from streams.settings import Settings, SettingsError
from streams.stages.intake import Intake
from streams.topics import Topics

log = logging.getLogger(__name__)

KEEPALIVE_S = 75.0
SHUTDOWN_S = 5.0


class KeyedProducer:
    """Implements ``intake.Producing`` over a ``Writer``."""

    def __init__(self, writer: Writer, partitions: int) -> None:
        self._writer = writer
        self._partitions = partitions

    async def produce(self, topic: str, records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None:
        """All records acknowledged, in order per key. Cancelling waits for nothing; what was queued may still land."""
        batches: dict[int, list[WireRecord]] = {}
        for key, value, headers in records:
            batches.setdefault(partition_of(key, self._partitions), []).append((key, value, headers))
        futures = [self._writer.write(topic, partition, batch) for partition, batch in batches.items()]
        for future in futures:
            await asyncio.shield(future)


async def serve_intake(
    topics: Topics,
    settings: Settings,
    channels: Channels,
    *,
    until: asyncio.Event,
    on_ready: Callable[[], Awaitable[None]],
) -> None:
    """Until the event is set: then take no more, finish what is in hand, flush."""
    writer = Writer(settings.kafka_url, client_id=f"{settings.topic_prefix}intake", on_failure=end_process)
    await writer.start()
    intake = Intake(topics, settings, channels, KeyedProducer(writer, settings.partitions))
    public = await _listen(intake.application(), settings.host, settings.port, variable="IRIS_PORT")
    admin = await _listen(_admin(), settings.admin_host, settings.admin_port, variable="IRIS_ADMIN_PORT")
    await on_ready()
    await until.wait()
    await public.cleanup()
    await admin.cleanup()
    await writer.stop()


def _admin() -> web.Application:
    app = web.Application()
    app.router.add_get("/livez", _alive)
    app.router.add_get("/readyz", _alive)
    app.router.add_get("/startupz", _alive)
    app.router.add_get("/metrics", _metrics)
    return app


async def _alive(request: web.Request) -> web.Response:
    """The loop runs, and the port only opens once the producer is connected."""
    return web.Response(text="ok")


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _listen(app: web.Application, host: str, port: int, *, variable: str) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"{host}:{port} cannot be opened ({error.strerror}); set {variable} to a free port"
        ) from error
    return runner
