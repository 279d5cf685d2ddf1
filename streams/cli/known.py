"""What ``iris.control`` says now, for commands that can do without it. Reads that topic where a broker is found."""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from streams.app import build_topics
from streams.broker import BrokerUnavailable, find_broker
from streams.care.control import Control, FollowingEnded
from streams.cli.output import say
from streams.ensure import TopicMissing, topic_statuses
from streams.settings import Settings

READ_WITHIN_S = 5.0
"""Ours: a person waits. What could not be read by then is told as unknown."""


def last_known(settings: Settings) -> Mapping[str, bytes]:
    """Every key with its latest value; nothing, and a word why, when no broker is found or answers, or it lacks the
    topic."""
    # What the client would log on its own is said here, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_read(settings))
    except (BrokerUnavailable, TopicMissing) as error:
        say(f"the last known state is not told: {error}")
    return {}


async def _read(settings: Settings) -> Mapping[str, bytes]:
    bootstrap = await find_broker(settings)
    topic = build_topics(settings).control
    # A reader of a topic that is not there would wait for it, or make the broker create it in its own way.
    if any(status.is_missing and status.topic.name == topic for status in await topic_statuses(bootstrap, settings)):
        raise TopicMissing(topic, bootstrap)
    control = Control(bootstrap, topic)
    try:
        await control.read_once(timeout_s=READ_WITHIN_S)
    except (TimeoutError, KafkaError, OSError, FollowingEnded) as error:
        why = str(error) or f"no answer within {READ_WITHIN_S:.0f} s"
        raise BrokerUnavailable(
            f"no broker answers at {bootstrap} ({why}); start it, or correct IRIS_KAFKA_BOOTSTRAP_SERVERS"
        ) from error
    return control.values
