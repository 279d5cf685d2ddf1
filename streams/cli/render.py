"""``iris render``: which API calls we would make for an outbound message. Pure: no broker, no network, no credentials.

Reads one outbound message as JSON. What only matters on a topic (ids, causation, times) may be left out, and a part may
be written as its bare content, so that a person can type one: ``{"peer":"U1","parts":[{"kind":"text","text":"hi"}]}``.
Yields one ``{"method","url","headers","body"}`` per call, every credential shown as ``***``.
"""

import re
import time
from typing import Any

import orjson
from pydantic import ValidationError

from connectors.interface import Call, Channel, Platform, Window
from schemas.ids import CHANNEL_ID, conversation_id, split_conversation_id
from schemas.outbound import OutboundMessage
from streams.cli.inspect import known_platform, valid_channel
from streams.cli.output import BadInput

SECRET = re.compile(r"\{secret:[^}]*\}")
PART_FIELDS = {"id", "content", "rows", "quick_replies", "edit_of"}


def render(platform_name: str, document: bytes, *, channel_id: str) -> tuple[list[dict[str, Any]], list[str]]:
    """(calls in order, what could not be rendered as asked).

    ``channel_id`` counts where the message names no channel. Raises BadInput on anything but an outbound message and
    CommandError on an unknown platform or channel id.
    """
    platform = known_platform(platform_name)
    valid_channel(channel_id)
    message = read_message(document, platform, channel_id=channel_id)
    # Every window that the message claims is taken to be open: the question is how, not whether.
    window = Window(now_ms=message.created_at, reply_token=message.reply_token, last_inbound_ms=message.last_inbound_at)
    calls = platform.plan(message, window, _channel(platform, message.channel))
    covered = {part_id for call in calls for part_id in call.part_ids}
    left_out = [
        f"{part.id}: left out, {platform.name} has nothing like a {part.content.kind}"
        for part in message.parts
        if part.id not in covered
    ]
    return [_shown(call) for call in calls], [change for call in calls for change in call.changes] + left_out


def read_message(document: bytes, platform: Platform, *, channel_id: str) -> OutboundMessage:
    """The message with everything filled in that was left out; raises BadInput, which names the field."""
    try:
        given = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not an outbound message: not JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadInput("not an outbound message: expected a JSON object with peer and parts")
    if given.get("platform", platform.name) != platform.name:
        raise BadInput(f"the message is for {given['platform']!r}, not for {platform.name}")
    try:
        return OutboundMessage.model_validate(_filled(given, platform, channel_id=channel_id))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(item) for item in first["loc"]) or "message"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise BadInput(f"not an outbound message: {where}: {first['msg']}{more}") from error


def _filled(given: dict[str, Any], platform: Platform, *, channel_id: str) -> dict[str, Any]:
    channel, peer = given.get("channel", channel_id), given.get("peer")
    if peer is None and isinstance(given.get("conversation_id"), str):
        try:
            _, channel, peer = split_conversation_id(given["conversation_id"])
        except ValueError as error:
            raise BadInput(f"not an outbound message: conversation_id: {error}") from error
    if not isinstance(peer, str) or not peer:
        raise BadInput('not an outbound message: peer is missing; add "peer": the id of the user, group or chat')
    if channel is not channel_id and not (isinstance(channel, str) and CHANNEL_ID.fullmatch(channel)):
        raise BadInput(f"not an outbound message: channel {channel!r} must be text that matches [a-z0-9-]{{1,40}}")
    filled = {
        "id": "message",
        "conversation_id": conversation_id(platform.prefix, channel, peer),
        "platform": platform.name,
        "causation_id": "message",
        "correlation_id": "message",
        "created_at": int(time.time() * 1000),
        **given,
        "channel": channel,
        "peer": peer,
    }
    if isinstance(given.get("parts"), list):
        filled["parts"] = [_part(part, number) for number, part in enumerate(given["parts"], 1)]
    return filled


def _part(given: Any, number: int) -> Any:
    if not isinstance(given, dict):
        return given
    part = {"id": f"part-{number}", **given}
    if "content" not in given and "kind" in given:
        content = {name: value for name, value in given.items() if name not in PART_FIELDS}
        part = {name: value for name, value in part.items() if name in PART_FIELDS} | {"content": content}
    return part


def _channel(platform: Platform, channel_id: str) -> Channel:
    # Plain fields that every channel has (a phone number's id) may stand in a URL: they are shown by name.
    plain = {field.name: (f"<{field.name}>",) for field in platform.fields if field.is_required and not field.is_secret}
    return Channel(id=channel_id, platform=platform.name, values=plain)


def _shown(call: Call) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": _redacted(call.url),
        "headers": _redacted(dict(call.headers)),
        "body": _redacted(call.body),
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET.sub("***", value)
    if isinstance(value, bytes):
        return _redacted(value.decode(errors="replace"))
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value
