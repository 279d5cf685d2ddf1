"""The only place where parts are wired: settings and channels in, a running stage or intake out."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from connectors.interface import Fetcher, Sender
from connectors.registry import platforms, sender_class, templates_class
from streams.channels import Channels, load_channels
from streams.settings import Settings, SettingsError
from streams.topics import Topics

if TYPE_CHECKING:
    from streams.delivery.approval import Approvals
    from streams.engine.worker import Runtime

log = logging.getLogger(__name__)

STAGES = ("normalise", "converse", "respond", "send", "fetch")
"""Every stage that reads a topic; intake reads HTTP."""
STAGES_WITH_TABLE = ("converse", "respond", "send")


def configured_channels(settings: Settings) -> Channels:
    """The channels of the configuration file; raises SettingsError, also when a file that was named is not there."""
    if "config" in settings.model_fields_set and not settings.config.exists():
        raise SettingsError(f"IRIS_CONFIG names {settings.config}, which does not exist; correct or unset it")
    return load_channels(settings.config)


def build_topics(settings: Settings) -> Topics:
    """The topic registry of this installation."""
    return Topics(settings.topic_prefix, platforms(), log_retention_days=settings.log_retention_days)


def _normalise(settings: Settings, topics: Topics, channels: Channels) -> Any:
    from streams.stages.normalise import Normalise

    return Normalise(topics, channels)


def _converse(settings: Settings, topics: Topics, channels: Channels) -> Any:
    from streams.stages.converse import Converse

    return Converse(topics, settings, channels)


def _respond(settings: Settings, topics: Topics, channels: Channels) -> Any:
    from streams.ai.client import AIClient
    from streams.stages.respond import Respond

    if settings.ai_url is None:
        raise SettingsError("IRIS_AI_URL is not set: name the AI service, or run `iris serve`, which brings its own")
    return Respond(topics, settings, AIClient(settings.ai_url, settings))


UPLOAD_READ_S = 10.0
"""Media that is to be sent is had in this time, or tried again; the send waits for it."""


def _send(settings: Settings, topics: Topics, channels: Channels) -> Any:
    from connectors.shared.download import Downloader
    from streams.delivery.approval import Approvals
    from streams.media_store import MediaReader, media_store
    from streams.stages.send import Send

    @cache
    def sender(platform: str) -> Sender:
        return sender_class(platform)()

    makers = {channel.platform: templates_class(channel.platform) for channel in channels.all}
    approvals = Approvals({name: make() for name, make in makers.items() if make is not None})
    bytes_max = settings.media_bytes_max
    links = Downloader(bytes_max=bytes_max, timeout_s=UPLOAD_READ_S)
    download = MediaReader(media_store(settings), links, bytes_max=bytes_max)
    return Send(topics, settings, channels, sender, download=download, approvals=approvals)


def _fetch(settings: Settings, topics: Topics, channels: Channels) -> Any:
    from connectors.registry import fetcher_class
    from connectors.shared.download import Downloader
    from streams.media_store import media_store
    from streams.stages.fetch import Fetch

    def fetcher(platform: str) -> Fetcher | None:
        made = fetcher_class(platform)
        return None if made is None else made()

    download = Downloader(bytes_max=settings.media_bytes_max, timeout_s=settings.fetch_timeout_s)
    store = media_store(settings)
    return Fetch(topics, settings, channels, fetchers=fetcher, download=download, store=store)


BUILDERS: dict[str, Callable[[Settings, Topics, Channels], Any]] = {
    "normalise": _normalise,
    "converse": _converse,
    "respond": _respond,
    "send": _send,
    "fetch": _fetch,
}
"""A stage imports only what it needs: normalise must not be able to send."""


async def run_stage(name: str, settings: Settings) -> None:
    """Run one stage until SIGTERM or SIGINT. Raises SettingsError for an unknown stage or a wrong setting."""
    from prometheus_client import REGISTRY

    from streams.admin import admin_application, listen
    from streams.engine.core import Limits
    from streams.engine.metrics import EngineMetrics
    from streams.engine.worker import Runtime, StageConfig, stop_on_signals
    from streams.ensure import require_topics

    if name not in BUILDERS:
        raise SettingsError(f"no stage {name!r}; there are: {', '.join(STAGES)}")
    await require_topics(settings.kafka_url, settings)
    topics = build_topics(settings)
    channels = configured_channels(settings)
    stage = BUILDERS[name](settings, topics, channels)
    config = StageConfig(
        bootstrap=settings.kafka_url,
        group=f"{settings.topic_prefix}{name}",
        partitions=settings.partitions,
        replication=settings.replication,
        dead_letters=topics.dead_letters,
        data_dir=settings.data_dir,
        limits=Limits(settings.batch_records_max, settings.inflight_records_max, settings.retries),
        session_timeout_s=settings.kafka_session_timeout_s,
        commit_interval_s=settings.commit_interval_s,
        instance_id=f"{settings.instance_id}-{name}" if settings.instance_id else None,
    )
    runtime = Runtime(stage, config)
    REGISTRY.register(EngineMetrics(runtime.engine))
    admin = None
    if settings.worker_admin_port is not None:
        health = admin_application(runtime.readiness)
        port = settings.worker_admin_port
        admin = await listen(health, settings.admin_host, port, variable="IRIS_WORKER_ADMIN_PORT")
    beside: asyncio.Task[None] | None = None
    if name == "fetch":
        beside = asyncio.create_task(_sweep(settings, topics, runtime=runtime))
    elif name == "send":
        beside = asyncio.create_task(_keep(settings, topics, channels, runtime=runtime, approvals=stage.approvals))
    await runtime.run(until=stop_on_signals(), on_ready=announce_ready)
    if beside is not None:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)
    if admin is not None:
        await admin.cleanup()


async def _keep(
    settings: Settings, topics: Topics, channels: Channels, *, runtime: "Runtime", approvals: "Approvals"
) -> None:
    """Look after the channels: each platform's by the process that holds partition 0 of its outbound topic, because
    that is one process in an installation. Its failure is logged, and sending goes on."""
    from aiokafka.structs import TopicPartition

    from streams.care.keeping import Keeping

    def holds(platform: str) -> bool:
        return TopicPartition(topics.outbound(platform), 0) in runtime.engine.trackers

    try:
        await Keeping(settings, topics, channels, approvals=approvals, holds=holds).run()
    except Exception:
        log.exception("the channels' health is no longer looked after; restart this process")


async def _sweep(settings: Settings, topics: Topics, *, runtime: "Runtime") -> None:
    """Delete old media, in the process that holds partition 0. Its failure is logged, and fetching goes on."""
    from aiokafka.structs import TopicPartition

    from streams.media_store import media_store
    from streams.media_sweep import MediaSweep, media_days

    days = media_days(settings)
    if not days:
        return

    def holds() -> bool:
        return TopicPartition(topics.fetch, 0) in runtime.engine.trackers

    try:
        await MediaSweep(media_store(settings), days=days, holds=holds).run()
    except Exception:
        log.exception("old media is no longer deleted; restart this process")


async def run_intake(settings: Settings) -> None:
    """Serve the public port until SIGTERM or SIGINT; raises SettingsError when the port is taken."""
    from streams.engine.worker import stop_on_signals
    from streams.ensure import require_topics
    from streams.stages.intake_server import serve_intake

    await require_topics(settings.kafka_url, settings)
    topics = build_topics(settings)
    await serve_intake(
        topics, settings, configured_channels(settings), until=stop_on_signals(), on_ready=announce_ready
    )


async def announce_ready() -> None:
    """Tell whoever started this process that it works: one line on the descriptor in ``IRIS_READY_FD``."""
    number = os.environ.get("IRIS_READY_FD")
    if number is not None:
        with contextlib.suppress(OSError):  # nobody listens any more, which is no reason to stop
            os.write(int(number), b"ready\n")
    log.info("ready")
