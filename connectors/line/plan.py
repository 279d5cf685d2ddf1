"""A message → LINE calls: the reply token first, because a reply is free, then pushes; five objects a call. Pure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.interface import Call, Channel, Window
from connectors.line import api
from connectors.line.render import Message, render
from connectors.shared.nearest import Abilities, nearest_parts, told
from schemas.ids import derived_id
from schemas.outbound import OutboundMessage

QUOTING = ("text", "sticker")
"""Objects that can quote ("Messaging API reference": quoteToken)."""


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
    unseen, left_out = _indicators(message, channel)
    groups = [objects[at : at + api.OBJECTS_PER_CALL] for at in range(0, len(objects), api.OBJECTS_PER_CALL)]
    base = (channel.api_base or api.API_BASE).rstrip("/")
    calls = [
        _reply(base, window.reply_token, group)
        if window.reply_token and number == 0
        else _push(base, message.peer, group)
        for number, group in enumerate(groups)
    ]
    return (*unseen, *told(calls, left_out)) if calls else ()


def _objects(message: OutboundMessage) -> Iterator[_Object]:
    """Every object of every part in order; each part has at least one, so that each part is in some call."""
    quote = {"quoteToken": message.quote_token} if message.quote_token else {}
    first_changes: tuple[str, ...] = ()
    parts = nearest_parts(message, Abilities(designs=True))
    for number, shown in enumerate(parts, 1):
        rendered = render(shown.part, is_last=number == len(parts))
        if number == 1 and quote and rendered.messages[0]["type"] in QUOTING:
            rendered.messages[0] |= quote
        elif number == 1 and (quote or message.reply_to):
            first_changes = ("shown without a quote: LINE quotes by token, and with texts and stickers only",)
        changes = (*first_changes, *shown.changes, *rendered.changes)
        for ordinal, native in enumerate(rendered.messages):
            yield _Object(shown.part.id, ordinal, native, () if ordinal else changes)
        first_changes = ()


def _indicators(message: OutboundMessage, channel: Channel) -> tuple[list[Call], list[str]]:
    """Calls that nobody sees as a message, and what LINE cannot show: it animates in chats with one person only, and
    marks messages as read by the token that came with them ("Mark messages as read")."""
    calls, left_out = [], []
    if message.mark_read and not message.read_token:
        left_out.append("not marked as read: LINE wants the token that came with the message")
    if message.read_token:
        calls.append(_unseen(api.MARK_AS_READ_PATH, {"markAsReadToken": message.read_token}, channel))
    if message.typing and not message.peer.startswith("U"):
        left_out.append("typing not shown: LINE has that for one person only")
    elif message.typing:
        body = {"chatId": message.peer, "loadingSeconds": api.LOADING_S}
        calls.append(_unseen(api.LOADING_PATH, body, channel))
    return calls, left_out


def _unseen(path: str, body: dict[str, Any], channel: Channel) -> Call:
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return Call(
        name=path.rpartition("/chat/")[2],
        method="POST",
        url=base + path,
        headers=_headers(),
        body=body,
        part_ids=(),
        is_visible=False,
    )


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
