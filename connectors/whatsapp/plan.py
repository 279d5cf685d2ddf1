"""Neutral messages to calls of WhatsApp's Cloud API: one message per call, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. Every part is covered by at
least one call. Each call sends along whose part and whose conversation it is; its reports bring that back.
"""

from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.shared.meta.drafts import Draft, with_changes
from connectors.shared.nearest import Abilities, nearest_parts, told
from connectors.whatsapp.api import API_BASE, GRAPH_VERSION
from connectors.whatsapp.peers import is_bsuid, is_group, opaque_of
from connectors.whatsapp.render import drafts_of, is_native
from schemas.ids import derived_id
from schemas.outbound import OutboundMessage, Part, ReactionContent

HEADERS = {"Authorization": "Bearer {secret:access_token}"}

NO_QUOTE = ("template", "reaction")
"""Types that show no quoted message ("Contextual replies")."""


def plan_message(message: OutboundMessage, _window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls.

    The window changes nothing: outside of it WhatsApp refuses everything but templates, and says so by 131047.
    """
    drafts = [
        (shown.part, one)
        for shown in nearest_parts(message, Abilities(is_native))
        for one in _marked(shown.part, with_changes(drafts_of(shown.part, message.language), shown.changes), message)
    ]
    calls = [
        _call(part, one, message=message, channel=channel, is_first=number == 0)
        for number, (part, one) in enumerate(drafts)
    ]
    if not calls or not (message.mark_read or message.typing):
        return tuple(calls)
    if not message.mark_read:
        return told(calls, ["typing not shown: WhatsApp ties it to the message that is read, and none is named"])
    return (_seen(message, channel), *calls)


def _seen(message: OutboundMessage, channel: Channel) -> Call:
    """Marks a message and all before it as read; with ``typing`` it shows that for 25 s or until the next message
    ("Typing indicators")."""
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": message.mark_read}
    typing = {"typing_indicator": {"type": "text"}} if message.typing else {}
    return Call(
        name="read",
        method="POST",
        url=number_url(channel, "messages"),
        headers=HEADERS,
        body=body | typing,
        part_ids=(),
        is_visible=False,
    )


def _marked(part: Part, drafts: list[Draft], message: OutboundMessage) -> list[Draft]:
    """Mark every message so that its reports tell what it was. The last of a part bears the part's plain id: messages
    go out one after the other, so that its arrival stands for all of them."""
    marks = [f"{part.id}#{number}" for number in range(1, len(drafts))] + [part.id]
    return [
        Draft(one.body | {"biz_opaque_callback_data": opaque_of(mark, message.peer)}, one.changes)
        for one, mark in zip(drafts, marks, strict=True)
    ]


def _call(part: Part, one: Draft, *, message: OutboundMessage, channel: Channel, is_first: bool) -> Call:
    peer = message.peer
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "group" if is_group(peer) else "individual",
        "recipient" if is_bsuid(peer) else "to": peer,
    }
    changes = one.changes
    if is_first and message.reply_to and one.body["type"] in NO_QUOTE:
        changes = ("shown without a quote: a template or reaction has none", *changes)
    elif is_first and message.reply_to:
        body["context"] = {"message_id": message.reply_to}
    is_reaction = isinstance(part.content, ReactionContent) and one.body["type"] == "reaction"
    return Call(
        name="messages",
        method="POST",
        url=number_url(channel, "messages"),
        headers=HEADERS,
        body=body | one.body,
        part_ids=(part.id,),
        changes=changes,
        # The same reaction twice is one reaction.
        idempotency_key=derived_id(part.id, "reaction") if is_reaction else None,
    )


def number_url(channel: Channel, edge: str) -> str:
    """Absolute address of what the number can do."""
    version = channel.first("graph_version") or GRAPH_VERSION
    base = (channel.api_base or API_BASE).rstrip("/")
    return f"{base}/{version}/{channel.first('phone_number_id')}/{edge}"
