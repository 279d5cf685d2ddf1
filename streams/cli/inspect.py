"""``iris inspect``: what we would make of a webhook body. Pure: no broker, no clock of a platform, no credentials.

Reads a body; yields one event envelope per line as intake and normalise would write it, and one ``dead_letter`` object
for each raw event that could belong to no conversation. The proof of the caller is skipped: there is no request.
"""

import time
from collections.abc import Iterator
from typing import Any

import orjson

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, InboundRecord, Platform, Unprocessable
from connectors.registry import UnknownPlatform, platform_named
from schemas.ids import CHANNEL_ID
from schemas.inbound import decode_raw
from schemas.registry import encode
from streams.cli.output import BadInput, CommandError


def inspect(platform_name: str, body: bytes, *, channel_id: str) -> tuple[list[bytes], list[str]]:
    """(JSON lines in the body's order, notes for a person).

    Raises BadInput when the body is not of the platform's form, CommandError on an unknown platform or channel id.
    """
    platform = known_platform(platform_name)
    channel = Channel(id=valid_channel(channel_id), platform=platform.name, values={})
    try:
        accepted = platform.split(body, channel, (channel,))
    except WebhookRejected as error:
        raise BadInput(f"not a webhook body of {platform.name}: {error.reason}") from error
    received_at = int(time.time() * 1000)
    lines = [line for record in accepted.records for line in _lines(record, platform, received_at)]
    return lines, _notes(accepted, platform.name)


def known_platform(name: str) -> Platform:
    """The pure half of a platform; raises CommandError (a wrong argument, exit 2), which lists those there are."""
    try:
        return platform_named(name)
    except UnknownPlatform as error:
        raise CommandError(str(error), exit_code=2) from error


def valid_channel(channel_id: str) -> str:
    """The id itself; raises CommandError when it could not stand in a conversation id."""
    if not CHANNEL_ID.fullmatch(channel_id):
        raise CommandError(f"channel id {channel_id!r} must match [a-z0-9-]{{1,40}}", exit_code=2)
    return channel_id


def _lines(record: InboundRecord, platform: Platform, received_at: int) -> Iterator[bytes]:
    try:
        raw = decode_raw(record.value, platform=platform.name, channel=record.channel, received_at=received_at)
    except ValueError as error:
        yield _dead(str(error), record, platform)
        return
    if raw.body is not None:
        raise BadInput(
            f"not a webhook body of {platform.name}: it is JSON, but has no events where {platform.name} has them; "
            "intake would keep it whole, among the dead letters"
        )
    made = platform.normalise(raw)
    if isinstance(made, Unprocessable):
        yield _dead(made.reason, record, platform, event=raw.event)
    else:
        yield from (encode(event) for event in made)


def _dead(reason: str, record: InboundRecord, platform: Platform, *, event: Any = None) -> bytes:
    where = {"platform": platform.name, "channel": record.channel, "peer": record.peer}
    return orjson.dumps({"dead_letter": reason, **where, "event": event})


def _notes(accepted: Accepted, platform_name: str) -> list[str]:
    if accepted.refused:
        return [f"{accepted.refused} entries belong to no configured channel of {platform_name} and would be refused"]
    if not accepted.records:
        return ["the body holds no event; intake would answer 200 and store nothing"]
    return []
