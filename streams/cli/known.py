"""What ``iris.control`` says now, for commands that can do without it. Reads that topic where a broker is named."""

import asyncio
import logging
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from streams.app import build_topics
from streams.care.control import Control, FollowingEnded
from streams.cli.output import say
from streams.settings import Settings

READ_WITHIN_S = 5.0
"""Ours: a person waits. What could not be read by then is told as unknown."""


def last_known(settings: Settings) -> Mapping[str, bytes]:
    """Every key with its latest value; nothing, and a word why, when no broker answers."""
    if settings.kafka_bootstrap_servers is None:
        say("no broker is named (IRIS_KAFKA_BOOTSTRAP_SERVERS), so the last known state is not told")
        return {}
    # What the client would log on its own is said here, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    control = Control(settings.kafka_bootstrap_servers, build_topics(settings).control)
    try:
        asyncio.run(control.read_once(timeout_s=READ_WITHIN_S))
    except (TimeoutError, KafkaError, OSError, FollowingEnded) as error:
        why = str(error) or f"no answer within {READ_WITHIN_S:.0f} s"
        say(f"no broker answers at {settings.kafka_bootstrap_servers} ({why}), so the last known state is not told")
    return control.values
