"""One part → LINE message objects in order, and in words what could not be rendered as asked. Pure and total."""

from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from connectors.line import api
from connectors.line.actions import Actions, actions_of, quick_reply
from connectors.line.cards import alt_text_of, button_bubbles, card_messages, flex_messages
from connectors.shared.nearest import template_words
from connectors.shared.text import graphemes, split_text, truncate, utf16_units
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.media import shown_link
from schemas.outbound import CardContent, Part

Message = dict[str, Any]

BLANK = "…"
"""Stands for an empty text, which LINE refuses: the part and its buttons must still arrive."""

UNKNOWN_DURATION_MS = 60_000
"""LINE wants the length of a sound; it is only shown beside it."""


@dataclass(slots=True)
class Rendered:
    """``messages`` is never empty."""

    messages: list[Message] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def render(part: Part, *, is_last: bool) -> Rendered:
    """All objects of a part. Only the last part of a message may have quick replies: LINE shows them nowhere else."""
    rendered = Rendered()
    # LINE has no rows: buttons stand below each other in the order of the rows.
    inline = [button for row in part.rows for button in row]
    asking = tuple(button for button in inline if button.asks == "location") if is_last else ()
    buttons = [button for button in inline if button not in asking]
    quick_replies = (*part.quick_replies, *asking)
    if asking:
        rendered.changes.append("the request for a place is a quick reply: LINE's buttons have none")
    # What would not be shown, or only in part, is shown as buttons instead: those stay, and none is lost.
    if quick_replies and not (is_last and len(quick_replies) <= api.QUICK_REPLIES_MAX):
        why = f"LINE takes {api.QUICK_REPLIES_MAX}" if is_last else "LINE shows them under the last message only"
        rendered.changes.append(f"{len(quick_replies)} quick replies shown as buttons: {why}")
        buttons += quick_replies
        quick_replies = ()
    actions = actions_of(buttons, rendered.changes)
    quick = actions_of(quick_replies, rendered.changes, is_quick=True)
    actions.lines += quick.lines
    if isinstance(part.content, TextContent):
        rendered.messages += _text_with_buttons(part.content.text, actions, rendered.changes)
    else:
        rendered.messages += objects_of(part.content, rendered.changes)
        rendered.messages += texts(_said(*actions.lines)) if actions.lines else []
        rendered.messages += _buttons(actions)
    if quick.usable:
        rendered.messages[-1]["quickReply"] = quick_reply(quick.usable)
    return rendered


def texts(text: str) -> list[Message]:
    """Text objects within LINE's length; one that says ``…`` for a blank text."""
    pieces = split_text(text, api.TEXT_UTF16_MAX, utf16_units) or (BLANK,)
    return [{"type": "text", "text": piece} for piece in pieces]


def _text_with_buttons(text: str, actions: Actions, changes: list[str]) -> list[Message]:
    """Few buttons under a short text: a template; otherwise the text, and the buttons below it."""
    whole = _said(text, *actions.lines)
    if not whole and not actions.usable:
        changes.append(f"empty text sent as {BLANK}")
    if actions.usable and 0 < graphemes(whole) <= api.TEMPLATE_TEXT_MAX:
        if len(actions.usable) > api.TEMPLATE_ACTIONS_MAX:
            return flex_messages(button_bubbles(actions.usable, whole), whole)
        template = {"type": "buttons", "text": whole, "actions": actions.usable}
        return [{"type": "template", "altText": alt_text_of(whole), "template": template}]
    said = texts(whole) if whole or not actions.usable else []
    if len(said) > 1:
        changes.append(f"text of {utf16_units(whole)} UTF-16 units sent as {len(said)} messages")
    return said + _buttons(actions)


def _buttons(actions: Actions) -> list[Message]:
    """Buttons by themselves, under a text or picture that cannot carry them; their labels are the notification."""
    if not actions.usable:
        return []
    labels = " / ".join(action["label"] for action in actions.usable)
    return flex_messages(button_bubbles(actions.usable), labels)


@singledispatch
def objects_of(content: Any, changes: list[str]) -> list[Message]:
    """Objects of any content but text; one function per kind below."""
    changes.append(f"content of kind {content.kind} sent as text")
    return texts(str(content.kind))


@objects_of.register
def _(content: MediaContent, changes: list[str]) -> list[Message]:
    is_too_large = (content.size_bytes or 0) > api.MEDIA_BYTES_MAX.get(content.kind, 0)
    native = _native_media(content, changes) if _is_fetchable(content.url) and not is_too_large else None
    if native is None:
        return _link(content, changes)
    if _said(content.caption) == "":
        return [native]
    changes.append("caption sent as a text of its own")
    return [native, *texts(_said(content.caption))]


def _native_media(content: MediaContent, changes: list[str]) -> Message | None:
    """The media object for a link that LINE can fetch, None for what it does not send in this form."""
    if content.kind == "image":
        # The preview may be at most 1 MB and is required; the picture itself is the best guess without one.
        preview = content.preview_url if _is_fetchable(content.preview_url) else content.url
        if preview == content.url and (content.size_bytes or 0) > api.PREVIEW_BYTES_MAX:
            changes.append("the picture stands for its own preview, which LINE wants within 1 MB")
        return {"type": "image", "originalContentUrl": content.url, "previewImageUrl": preview}
    if content.kind == "video" and _is_fetchable(content.preview_url):
        return {"type": "video", "originalContentUrl": content.url, "previewImageUrl": content.preview_url}
    if content.kind in ("audio", "voice"):
        if not content.duration_ms:
            changes.append("length of the sound is not known: shown as one minute")
        duration_ms = content.duration_ms or UNKNOWN_DURATION_MS
        return {"type": "audio", "originalContentUrl": content.url, "duration": duration_ms}
    return None


def _link(content: MediaContent, changes: list[str]) -> list[Message]:
    """LINE sends no files, no video without a preview picture, and fetches only https links: it takes no uploads."""
    link = shown_link(content.url)
    why = (
        "sent as a link" if link else "written as text: LINE takes links only" if content.url else "has no link to send"
    )
    changes.append(f"{content.kind} {why}")
    return texts(_said(content.caption, content.file_name, link) or f"[{content.kind}]")


def _said(*lines: str | None) -> str:
    """The lines that are not blank."""
    return "\n".join(line for line in lines if line and line.strip())


def _is_fetchable(url: str | None) -> bool:
    """Whether LINE's servers would fetch it: HTTPS only, of bounded length."""
    return url is not None and url.startswith("https://") and len(url) <= api.MEDIA_URL_MAX


@objects_of.register
def _(content: StickerContent, changes: list[str]) -> list[Message]:
    if all(id.isascii() and id.isdigit() for id in (content.package_id or "", content.sticker_id)):
        return [{"type": "sticker", "packageId": content.package_id, "stickerId": content.sticker_id}]
    changes.append("sticker sent as text: LINE needs its package")
    return texts(content.emoji or shown_link(content.url) or "[sticker]")


@objects_of.register
def _(content: LocationContent, changes: list[str]) -> list[Message]:
    # Title and address are required; six decimals of a degree are about 10 cm.
    place = f"{content.latitude:.6f}, {content.longitude:.6f}"
    address = _said(content.address) or place
    given = {"title": _said(content.name) or address, "address": address}
    shown = {name: truncate(text, api.LOCATION_TEXT_MAX, utf16_units) for name, text in given.items()}
    changes += [f"location {name} cut to {api.LOCATION_TEXT_MAX}" for name in given if shown[name] != given[name]]
    return [{"type": "location", **shown, "latitude": content.latitude, "longitude": content.longitude}]


@objects_of.register
def _(content: ContactContent, changes: list[str]) -> list[Message]:
    changes.append("contact sent as text: LINE has no contacts")
    return texts(_said(content.name, *content.phones, *content.emails))


@objects_of.register
def _(content: TemplateContent, changes: list[str]) -> list[Message]:
    changes.append("template sent as text: LINE has no approved templates")
    return texts(template_words(content))


@objects_of.register
def _(content: CardContent, changes: list[str]) -> list[Message]:
    said, cards = card_messages(content, changes)
    return [message for text in said for message in texts(text)] + cards
