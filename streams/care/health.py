"""When a channel's health is news, and the record and the event that tell it. Pure.

A channel that is well from the start is no news for the log; every change afterwards is.
"""

from collections.abc import Mapping
from typing import get_args

from connectors.care import Health
from connectors.interface import Channel
from schemas import headers
from schemas.control import ChannelHealth, HealthState, health_key
from schemas.envelope import AnyEvent
from schemas.events import ChannelUpdated
from schemas.ids import conversation_id, derived_id
from schemas.registry import LATEST_VERSION, SchemaError, decode_command, encode
from streams.engine.api import Output

SUBJECT = "health"
EVENT_TYPE = "channel_updated"
DETAIL_CHARS_MAX = 500
"""A platform's own text is cut there."""

STATES: tuple[str, ...] = get_args(HealthState)


def next_record(before: ChannelHealth | None, health: Health, *, now_ms: int) -> ChannelHealth | None:
    """The record to keep when the state has changed, None when it has not: a new reason alone is no change."""
    if before is not None and before.state == health.state:
        return None
    return ChannelHealth(state=health.state, detail=health.detail[:DETAIL_CHARS_MAX], since=now_ms)


def stored_health(known: Mapping[str, bytes], channel: Channel) -> ChannelHealth | None:
    """What the content of ``iris.control`` says about a channel; None: nothing, or nothing that this version reads."""
    value = known.get(health_key(channel.platform, channel.id))
    try:
        return None if value is None else decode_command(value, ChannelHealth)
    except SchemaError:
        return None


def is_news(before: ChannelHealth | None, after: ChannelHealth) -> bool:
    """Whether the log is told."""
    return before is not None or after.state != "connected"


def health_event(
    channel: Channel, prefix: str, before: ChannelHealth | None, after: ChannelHealth, *, topic: str
) -> Output:
    """``channel_updated`` under the channel's own key. The id follows from the state before and after, so that what is
    told again after a crash is the same event."""
    since = before.since if before is not None else 0
    cause = f"{channel.platform}|{channel.id}|{since}"
    key = conversation_id(prefix, channel.id, "")
    metadata = {"previous": before.state if before is not None else None, "detail": after.detail}
    event = AnyEvent(
        id=derived_id(cause, f"{EVENT_TYPE}:{after.state}"),
        type=EVENT_TYPE,
        conversation_id=key,
        platform=channel.platform,
        channel=channel.id,
        occurred_at=after.since,
        recorded_at=after.since,
        data=ChannelUpdated(subject=SUBJECT, change=after.state, metadata=metadata),
    )
    schema = (headers.SCHEMA, f"{EVENT_TYPE}/{LATEST_VERSION}".encode())
    return Output(topic, key.encode(), encode(event), (schema, (headers.CHANNEL, channel.id.encode())))
