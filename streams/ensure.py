"""Creates the topics of the registry, or checks that they are as the registry says. Never alters one.

Reads and writes the broker's metadata through aiokafka's admin client. A stateful topic whose partitions do not match
would put a conversation's state and its events into different partitions, so that is an error, not a repair.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from streams.app import STAGES_WITH_TABLE, build_topics
from streams.broker.errors import BrokerUnavailable
from streams.settings import Settings, SettingsError
from streams.topics import Topic

ALREADY_EXISTS = 36
"""Kafka error code TOPIC_ALREADY_EXISTS: another process created it first."""

RECORD_HEADROOM = 2
"""A body that is kept whole grows by a third in base64, and its enclosing scalars come on top."""

LEADERS_WITHIN_S = 20.0
NAMED_MAX = 3
"""Topics that do not fit and are named in the message; `iris topics list` shows all."""


class TopicsMismatch(SettingsError):
    """A topic exists with another number of partitions than the settings ask for."""


class TopicMissing(SettingsError):
    """A topic is not there, and who asks does not create any."""

    def __init__(self, topic: str, bootstrap: str) -> None:
        super().__init__(f"topic {topic} is missing at {bootstrap}; create it with `iris topics ensure`")


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """A topic as wanted and as found; ``partitions`` and ``replication`` are 0 where it is missing."""

    topic: Topic
    partitions_wanted: int
    partitions: int = 0
    replication: int = 0
    has_leaders: bool = False

    @property
    def is_missing(self) -> bool:
        return self.partitions == 0

    @property
    def is_mismatched(self) -> bool:
        return not self.is_missing and self.partitions != self.partitions_wanted


async def topic_statuses(bootstrap: str, settings: Settings) -> list[TopicStatus]:
    """Every topic of the registry, in its order, beside what the broker has; raises BrokerUnavailable."""
    async with _admin(bootstrap) as admin:
        return await _look(admin, settings)


async def ensure_topics(bootstrap: str, settings: Settings) -> list[str]:
    """Create what is missing and return its names, once all partitions have leaders.

    Raises TopicsMismatch when an existing topic has another number of partitions, before anything is created, and
    BrokerUnavailable. Safe to run from many processes at once.
    """
    async with _admin(bootstrap) as admin:
        statuses = await _look(admin, settings)
        refuse_mismatch(statuses, settings)
        missing = [status for status in statuses if status.is_missing]
        if missing:
            await _create(admin, missing, settings)
        # Once more: another process may have created them just now, from other settings.
        refuse_mismatch(await _with_leaders(admin, settings), settings)
        return [status.topic.name for status in missing]


async def require_topics(bootstrap: str, settings: Settings) -> None:
    """What a process that runs apart asks before it starts: all topics are there with the partitions it counts on.

    Raises TopicsMismatch, TopicMissing and BrokerUnavailable.
    """
    async with _admin(bootstrap) as admin:
        statuses = await _look(admin, settings)
    refuse_mismatch(statuses, settings)
    missing = next((status.topic.name for status in statuses if status.is_missing), None)
    if missing is not None:
        raise TopicMissing(missing, bootstrap)


def topic_config(topic: Topic, settings: Settings) -> dict[str, str]:
    """The broker's settings of one topic."""
    config = dict(topic.config)
    if topic.retention_ms is None:
        config["cleanup.policy"] = "compact"
    else:
        config |= {"cleanup.policy": "delete", "retention.ms": str(topic.retention_ms)}
    # With three copies a write counts when two have it: one broker may be lost, and nothing acknowledged with it.
    config["min.insync.replicas"] = "2" if settings.replication >= 3 else "1"
    config["max.message.bytes"] = str(settings.body_bytes_max * RECORD_HEADROOM)
    return config


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(
            f"no Kafka broker answers at {bootstrap} ({error}); start it, or correct IRIS_KAFKA_BOOTSTRAP_SERVERS"
        ) from error
    finally:
        await admin.close()


async def _look(admin: AIOKafkaAdminClient, settings: Settings) -> list[TopicStatus]:
    wanted = build_topics(settings).all(stages_with_table=STAGES_WITH_TABLE)
    described = await admin.describe_topics()
    found: dict[str, list[dict[str, Any]]] = {item["topic"]: item["partitions"] for item in described}
    return [_status(topic, found.get(topic.name, []), settings) for topic in wanted]


def _status(topic: Topic, partitions: Sequence[dict[str, Any]], settings: Settings) -> TopicStatus:
    return TopicStatus(
        topic=topic,
        partitions_wanted=topic.partitions or settings.partitions,
        partitions=len(partitions),
        replication=min((len(item["replicas"]) for item in partitions), default=0),
        has_leaders=bool(partitions) and all(item["leader"] >= 0 for item in partitions),
    )


async def _create(admin: AIOKafkaAdminClient, missing: Iterable[TopicStatus], settings: Settings) -> None:
    answer = await admin.create_topics(
        [
            NewTopic(
                status.topic.name,
                status.partitions_wanted,
                settings.replication,
                topic_configs=topic_config(status.topic, settings),
            )
            for status in missing
        ]
    )
    for name, code, *text in answer.topic_errors:
        if code not in (0, ALREADY_EXISTS):
            raise BrokerUnavailable(
                f"the broker refuses to create {name} (error {code}: {text[0] if text else ''}); with fewer brokers "
                f"than IRIS_REPLICATION={settings.replication} lower that, else look into the broker's log"
            )


async def _with_leaders(admin: AIOKafkaAdminClient, settings: Settings) -> list[TopicStatus]:
    deadline = asyncio.get_running_loop().time() + LEADERS_WITHIN_S
    while True:
        statuses = await _look(admin, settings)
        waiting = [status.topic.name for status in statuses if not status.has_leaders]
        if not waiting:
            return statuses
        if asyncio.get_running_loop().time() > deadline:
            raise BrokerUnavailable(
                f"{waiting[0]} has a partition without a leader after {LEADERS_WITHIN_S:.0f} s; are all brokers up?"
            )
        await asyncio.sleep(0.1)


def refuse_mismatch(statuses: Iterable[TopicStatus], settings: Settings) -> None:
    """Raises TopicsMismatch when a topic that is there has another number of partitions than it needs."""
    found = [status for status in statuses if not status.is_missing]
    wrong = [status for status in found if status.is_mismatched]
    if wrong:
        raise TopicsMismatch(
            f"{_told(wrong)}. A topic cannot grow in place: conversations would part from their state. On the embedded "
            f"broker, for development: stop `iris serve`, remove the folder {settings.data_dir.absolute()} with all "
            f"that it remembers, and start again. On a broker of your own: {_way_out(found, wrong)}"
        )


def _told(wrong: Sequence[TopicStatus]) -> str:
    named = [f"topic {one.topic.name} has {_count(one.partitions)} and needs {one.partitions_wanted}" for one in wrong]
    return ", ".join(
        [*named[:NAMED_MAX], *([f"{len(named) - NAMED_MAX} more do not fit"] if named[NAMED_MAX:] else [])]
    )


def _way_out(found: Sequence[TopicStatus], wrong: Sequence[TopicStatus]) -> str:
    """What to do where nothing may be lost: a number that fits all, or a new start beside what is there."""
    beside = "choose another IRIS_TOPIC_PREFIX, which starts anew and leaves these topics as they are"
    counts = {status.partitions for status in found if status.topic.partitions is None}
    if len(counts) == 1 and all(status.topic.partitions is None for status in wrong):
        return f"set IRIS_PARTITIONS={counts.pop()}, or {beside}"
    return (
        f"these topics were made by another version or by hand, and no IRIS_PARTITIONS fits them all: {beside}; or, if "
        "what those that are named here hold may go, stop all processes, delete them and run `iris topics ensure`"
    )


def _count(partitions: int) -> str:
    return "1 partition" if partitions == 1 else f"{partitions} partitions"
