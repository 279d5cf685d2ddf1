"""Neutral messages to calls of Messenger's Send API: one message per call, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. Every part is covered by at
least one call; quick replies stand on the very last one, because the next message would take them away.
"""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.messenger.api import API_BASE, GRAPH_VERSION, HUMAN_AGENT_MS, LIMITS, WINDOW_MS, SendBody
from connectors.shared.meta.cards import card_drafts
from connectors.shared.meta.drafts import Draft, attachment, is_web_link, quick_replies_of, text_drafts, with_changes
from connectors.shared.meta.messages import OWN_MARK
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, CardContent, OutboundMessage, Part

DEFAULT_LANGUAGE = "en"
"""Of approved templates, where neither template nor message names one."""

Buttons = Sequence[Button]


def plan_message(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls."""
    if not message.parts:
        return ()
    *earlier, last = message.parts
    # All taps of a turn are offered together at its end; what quick replies cannot carry joins the last buttons.
    asked = [button for part in message.parts for button in part.quick_replies]
    quick_replies, others, changes = quick_replies_of(asked, LIMITS)
    if any(part.quick_replies for part in earlier):
        changes.append("quick replies moved to the last message")
    drafts = [(part, draft) for part in earlier for draft in _numbered(part, _drafts(part, (), message))]
    final = _numbered(last, _drafts(last, others, message))
    final[0] = with_changes(final[:1], changes)[0]
    final[-1] = _with_quick_replies(final[-1], quick_replies)
    drafts += [(last, draft) for draft in final]
    return tuple(
        _call(part, draft, message=message, window=window, channel=channel, is_first=number == 0)
        for number, (part, draft) in enumerate(drafts)
    )


def _drafts(part: Part, more: Buttons, message: OutboundMessage) -> list[Draft]:
    buttons = (*(button for row in part.rows for button in row), *more)
    return RENDERERS[type(part.content)](part.content, buttons, message)


def _text(content: TextContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    return text_drafts(content.text, buttons, LIMITS)


def _media(content: MediaContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    kind = "audio" if content.kind == "voice" else content.kind
    words = content.caption or ""
    if is_web_link(content.url):
        media = attachment(kind, {"url": content.url})
    elif content.media_id:
        media = attachment(kind, {"attachment_id": content.media_id})
    else:
        # Meta fetches media by link only; a name says at least what was meant.
        words = "\n".join(filter(None, (words, content.file_name, content.url))) or f"[{content.kind}]"
        return with_changes(text_drafts(words, buttons, LIMITS), [f"{content.kind} written as text: no web link"])
    if not (words or buttons):
        return [media]
    changes = ["caption sent as its own message"] if words else []
    return with_changes([media, *text_drafts(words, buttons, LIMITS)], changes)


def _sticker(content: StickerContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    # Messenger's own stickers are plain numbers; a package id belongs to another platform.
    if content.sticker_id.isdecimal() and content.package_id is None:
        drafts = [Draft({"message": {"sticker_id": int(content.sticker_id)}})]
        return drafts + (text_drafts("", buttons, LIMITS) if buttons else [])
    if is_web_link(content.url):
        drafts = [attachment("image", {"url": content.url}), *(text_drafts("", buttons, LIMITS) if buttons else [])]
        return with_changes(drafts, ["sticker sent as an image"])
    return with_changes(text_drafts(content.emoji or "[sticker]", buttons, LIMITS), ["sticker written as text"])


def _location(content: LocationContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    link = f"https://www.google.com/maps?q={content.latitude},{content.longitude}"
    words = "\n".join(filter(None, (content.name, content.address, link)))
    return with_changes(text_drafts(words, buttons, LIMITS), ["location written as text with a map link"])


def _contact(content: ContactContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    words = "\n".join(filter(None, (content.name, *content.phones, *content.emails)))
    return with_changes(text_drafts(words, buttons, LIMITS), ["contact written as text"])


def _template(content: TemplateContent, buttons: Buttons, message: OutboundMessage) -> list[Draft]:
    """A Utility Message; it cannot carry buttons of its own choosing ("Utility messages")."""
    template: dict[str, Any] = {
        "name": content.name,
        "language": {"code": content.language or message.language or DEFAULT_LANGUAGE},
    }
    if content.parameters:
        values = [{"type": "text", "text": value} for value in content.parameters]
        template["components"] = [{"type": "body", "parameters": values}]
    template |= content.native
    return [Draft({"template": template}), *(text_drafts("", buttons, LIMITS) if buttons else [])]


def _card(content: CardContent, buttons: Buttons, _message: OutboundMessage) -> list[Draft]:
    return card_drafts(content, buttons, LIMITS)


RENDERERS: dict[type, Callable[[Any, Buttons, OutboundMessage], list[Draft]]] = {
    TextContent: _text,
    MediaContent: _media,
    StickerContent: _sticker,
    LocationContent: _location,
    ContactContent: _contact,
    TemplateContent: _template,
    CardContent: _card,
}
"""How each content kind of a part is drawn."""


def _numbered(part: Part, drafts: list[Draft]) -> list[Draft]:
    """Mark every message so that its echo tells what it was. The last of a part bears the part's plain id: messages go
    out one after the other, so that its arrival stands for all of them."""
    marked = []
    for number, draft in enumerate(drafts, 1):
        piece = "" if number == len(drafts) else f"#{number}"
        mark = f"{OWN_MARK}{part.id}{piece}"[: LIMITS.metadata_max]
        body = dict(draft.body)
        if "message" in body:
            body["message"] = body["message"] | {"metadata": mark}
        marked.append(Draft(body, draft.changes))
    return marked


def _with_quick_replies(draft: Draft, quick_replies: list[dict[str, Any]]) -> Draft:
    if not quick_replies:
        return draft
    if "message" not in draft.body:
        return Draft(draft.body, (*draft.changes, "quick replies left out: an approved template carries none"))
    return Draft({"message": draft.body["message"] | {"quick_replies": quick_replies}}, draft.changes)


def _call(
    part: Part, draft: Draft, *, message: OutboundMessage, window: Window, channel: Channel, is_first: bool
) -> Call:
    kind, tag = _messaging_type(draft, message, window)
    body = SendBody(recipient={"id": message.peer}, messaging_type=kind)
    if tag is not None:
        body["tag"] = tag
    body.update(draft.body)  # type: ignore[typeddict-item]
    if is_first and message.reply_to:
        body["reply_to"] = {"mid": message.reply_to}
    version = channel.first("graph_version") or GRAPH_VERSION
    base = (channel.api_base or API_BASE).rstrip("/")
    return Call(
        name="messages",
        method="POST",
        url=f"{base}/{version}/{channel.first('page_id') or 'me'}/messages",
        headers={"Authorization": "Bearer {secret:page_token}"},
        body=body,
        part_ids=(part.id,),
        changes=draft.changes,
    )


def _messaging_type(draft: Draft, message: OutboundMessage, window: Window) -> tuple[str, str | None]:
    """A person may still answer for seven days; the bot's own messages get no tag, which only people may use."""
    if "template" in draft.body:
        return "UTILITY", None
    last = window.last_inbound_ms
    is_late = last is not None and WINDOW_MS < window.now_ms - last <= HUMAN_AGENT_MS
    if message.origin == "human" and is_late:
        return "MESSAGE_TAG", "HUMAN_AGENT"
    return "RESPONSE", None
