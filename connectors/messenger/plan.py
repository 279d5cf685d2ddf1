"""Neutral messages to calls of Messenger's Send API: one message per call, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. What is not Messenger's own is
in ``shared.meta.planning`` and ``shared.meta.kinds``.
"""

from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.messenger.api import API_BASE, GRAPH_VERSION, LIMITS, SendBody
from connectors.shared.meta.drafts import Draft
from connectors.shared.meta.kinds import COMMON, render_sticker
from connectors.shared.meta.planning import Asked, Renderers, is_for_human_agent, marked_drafts
from schemas.content import StickerContent, TemplateContent
from schemas.outbound import OutboundMessage, Part

DEFAULT_LANGUAGE = "en"
"""Of approved templates, where neither template nor message names one."""


def plan_message(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls."""
    drafts = marked_drafts(message, RENDERERS, LIMITS)
    return tuple(
        _call(part, draft, message=message, window=window, channel=channel, is_first=number == 0)
        for number, (part, draft) in enumerate(drafts)
    )


def _sticker(content: StickerContent, asked: Asked) -> list[Draft]:
    # Messenger's own stickers are plain numbers; a package id belongs to another platform.
    if content.sticker_id.isdecimal() and content.package_id is None:
        return asked.followed_by_buttons(Draft({"message": {"sticker_id": int(content.sticker_id)}}))
    return render_sticker(content, asked)


def _template(content: TemplateContent, asked: Asked) -> list[Draft]:
    """A Utility Message; it cannot carry buttons of its own choosing ("Utility messages")."""
    template: dict[str, Any] = {
        "name": content.name,
        "language": {"code": content.language or asked.message.language or DEFAULT_LANGUAGE},
    }
    if content.parameters:
        values = [{"type": "text", "text": value} for value in content.parameters]
        template["components"] = [{"type": "body", "parameters": values}]
    template |= content.native
    return asked.followed_by_buttons(Draft({"template": template}))


RENDERERS: Renderers = {**COMMON, StickerContent: _sticker, TemplateContent: _template}


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
    return ("MESSAGE_TAG", "HUMAN_AGENT") if is_for_human_agent(message, window) else ("RESPONSE", None)
