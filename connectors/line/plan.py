"""A message → LINE calls: the reply token first, because a reply is free, then pushes; five objects a call. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.interface import Call, Channel, Window
from connectors.line import api
from connectors.line.render import Message, render
from connectors.shared.nearest import nearest_parts
from schemas.ids import derived_id
from schemas.outbound import OutboundMessage


@dataclass(frozen=True, slots=True)
class _Object:
    """One message object: the part that it belongs to, its place in it, and what was changed (told with the first)."""

    part_id: str
    ordinal: int
    message: Message
    changes: tuple[str, ...]


def plan(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls of at most five objects; a part with more objects stands in several calls.

    With a reply token the first call is a reply. Pushes carry a retry key that follows from what they say, so that the
    same call has the same key after a restart.
    """
    objects = list(_objects(message))
    groups = [objects[at : at + api.OBJECTS_PER_CALL] for at in range(0, len(objects), api.OBJECTS_PER_CALL)]
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return tuple(
        _reply(base, window.reply_token, group)
        if window.reply_token and number == 0
        else _push(base, message.peer, group)
        for number, group in enumerate(groups)
    )


def _objects(message: OutboundMessage) -> Iterator[_Object]:
    """Every object of every part in order; each part has at least one, so that each part is in some call."""
    first_changes = ("shown without a quote: LINE quotes by token, not by id",) if message.reply_to else ()
    parts = nearest_parts(message)
    for number, shown in enumerate(parts, 1):
        rendered = render(shown.part, is_last=number == len(parts))
        changes = (*first_changes, *shown.changes, *rendered.changes)
        for ordinal, native in enumerate(rendered.messages):
            yield _Object(shown.part.id, ordinal, native, () if ordinal else changes)
        first_changes = ()


# A reply is free, must come without a retry key (LINE answers 400), and spends its token even when its answer is lost.
def _reply(base: str, token: str, group: Sequence[_Object]) -> Call:
    return Call(
        name="reply",
        method="POST",
        url=base + api.REPLY_PATH,
        headers=_headers(),
        body={"replyToken": token, "messages": [item.message for item in group]},
        part_ids=_part_ids(group),
        changes=_changes(group),
        uses_reply_token=True,
    )


# A push counts against the monthly quota. Its key must be there on the first attempt ("Retry failed API requests").
def _push(base: str, peer: str, group: Sequence[_Object]) -> Call:
    body = {"to": peer, "messages": [item.message for item in group]}
    key = _retry_key(group, body)
    return Call(
        name="push",
        method="POST",
        url=base + api.PUSH_PATH,
        headers={**_headers(), api.RETRY_KEY_HEADER: key},
        body=body,
        part_ids=_part_ids(group),
        idempotency_key=key,
        changes=_changes(group),
    )


def _retry_key(group: Sequence[_Object], body: Any) -> str:
    """A UUID of these objects of these parts, and of the body: LINE answers a key that it knows with "already
    accepted" whatever the body says, so another body must never come with the same key."""
    digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return derived_id("/".join(_part_ids(group)), f"line_retry_key:{digest}", group[0].ordinal)


def _headers() -> dict[str, str]:
    return {"Authorization": "Bearer {secret:access_token}", "Content-Type": "application/json"}


def _part_ids(group: Sequence[_Object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.part_id for item in group))


def _changes(group: Sequence[_Object]) -> tuple[str, ...]:
    return tuple(change for item in group for change in item.changes)
