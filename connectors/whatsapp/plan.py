"""Neutral messages to calls of WhatsApp's Cloud API: one message per call, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. Every part is covered by at
least one call. Each call sends along whose part and whose conversation it is; its reports bring that back.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connectors.interface import Call, Channel, Window
from connectors.shared.meta.drafts import CONTINUED, Draft, is_web_link, with_changes
from connectors.shared.nearest import nearest_parts
from connectors.whatsapp.api import API_BASE, DEFAULT_LANGUAGE, GRAPH_VERSION
from connectors.whatsapp.choices import Words, draft, worded
from connectors.whatsapp.peers import is_bsuid, is_group, opaque_of
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent, OutboundMessage, Part

HEADER_KINDS = {"image": "image", "video": "video", "file": "document"}
"""Media that can carry words, and stand above the words of an interactive message: our kind, WhatsApp's type."""

VOICE_ENDINGS = (".ogg", ".opus")
"""Only Ogg with Opus is shown as a voice note ("Audio messages")."""


def plan_message(message: OutboundMessage, _window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls.

    The window changes nothing: outside of it WhatsApp refuses everything but templates, and says so by 131047.
    """
    drafts = [
        (shown.part, one)
        for shown in nearest_parts(message, RENDERERS)
        for one in _marked(shown.part, with_changes(_drafts(shown.part, message), shown.changes), message.peer)
    ]
    return tuple(
        _call(part, one, message=message, channel=channel, is_first=number == 0)
        for number, (part, one) in enumerate(drafts)
    )


def _drafts(part: Part, message: OutboundMessage) -> list[Draft]:
    """Quick replies are buttons here, which stay: there is nothing on WhatsApp that vanishes after one tap."""
    buttons = [*(button for row in part.rows for button in row), *part.quick_replies]
    words = Words("", buttons, language=message.language)
    drafts = RENDERERS[type(part.content)](part.content, words)
    return with_changes(drafts, ["quick replies shown as buttons"] if part.quick_replies else [])


def _text(content: TextContent, words: Words) -> list[Draft]:
    return worded(replace(words, text=content.text))


def _media(content: MediaContent, words: Words) -> list[Draft]:
    """Pictures, films and files carry their words and buttons themselves; sounds carry neither."""
    words = replace(words, text=content.caption or "")
    # WhatsApp has no way to hand over the bytes within the call.
    source = _source(content)
    if source is None:
        # A name says at least what was meant.
        said = "\n".join(filter(None, (content.caption, content.file_name, content.url))) or f"[{content.kind}]"
        return with_changes(worded(replace(words, text=said)), [f"{content.kind} written as text: no web link"])
    kind = HEADER_KINDS.get(content.kind)
    if kind is not None:
        named = {"filename": content.file_name} if kind == "document" and content.file_name else {}
        return worded(replace(words, picture={"type": kind, kind: source | named}))
    changes = []
    if content.kind == "voice":
        if _is_voice_note(content):
            source |= {"voice": True}
        else:
            changes.append("voice sent as plain audio: not an Ogg file")
    return with_changes([draft("audio", source), *_below(words, changes)], changes)


def _below(words: Words, changes: list[str]) -> list[Draft]:
    """The words and buttons that a message cannot carry, as the next one; adds to ``changes``."""
    if not (words.text.strip() or words.buttons):
        return []
    changes.append("caption or buttons sent as their own message")
    return worded(words)


def _source(content: MediaContent) -> dict[str, Any] | None:
    """WhatsApp fetches a link, or knows the id of what was uploaded or received before."""
    if is_web_link(content.url):
        return {"link": content.url}
    return {"id": content.media_id} if content.media_id else None


def _is_voice_note(content: MediaContent) -> bool:
    """By its type, else by the ending of its link: anything else marked as a voice note would be refused."""
    if content.mime_type:
        return content.mime_type.partition(";")[0].strip() == "audio/ogg"
    # What has neither type nor ending is an id, of something that was a voice note before.
    return not is_web_link(content.url) or _ending_of(content.url or "").endswith(VOICE_ENDINGS)


def _ending_of(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""


def _sticker(content: StickerContent, words: Words) -> list[Draft]:
    """Only WebP is shown as a sticker ("Sticker messages"); other platforms' are pictures here, or their emoji."""
    changes: list[str] = []
    if content.sticker_id.isdecimal() and content.package_id is None:
        # WhatsApp's own stickers are media ids, plain numbers; a package id belongs to another platform.
        first = draft("sticker", {"id": content.sticker_id})
    elif is_web_link(content.url) and _ending_of(content.url or "").endswith(".webp"):
        first = draft("sticker", {"link": content.url})
    elif is_web_link(content.url):
        return with_changes(
            worded(replace(words, picture={"type": "image", "image": {"link": content.url}})),
            ["sticker sent as an image: not WebP"],
        )
    else:
        return with_changes(
            worded(replace(words, text=content.emoji or "[sticker]")), ["sticker written as text: no web link"]
        )
    return with_changes([first, *_below(words, changes)], changes)


def _location(content: LocationContent, words: Words) -> list[Draft]:
    """A pin on the map; an address is shown only together with a name, which is the platform's own choice."""
    named = {name: text for name, text in (("name", content.name), ("address", content.address)) if text}
    changes: list[str] = []
    place = draft("location", {"latitude": content.latitude, "longitude": content.longitude, **named})
    return with_changes([place, *_below(words, changes)], changes)


def _contact(content: ContactContent, words: Words) -> list[Draft]:
    """A contact card that can be saved."""
    changes: list[str] = []
    name = content.name.strip() or next(iter((*content.phones, *content.emails)), CONTINUED)
    # A name must have one more of its members beside the formatted one ("Contacts messages").
    card: dict[str, Any] = {"name": {"formatted_name": name, "first_name": name}}
    if content.phones:
        card["phones"] = [{"phone": phone} for phone in content.phones]
    if content.emails:
        card["emails"] = [{"email": email} for email in content.emails]
    return with_changes([draft("contacts", [card]), *_below(words, changes)], changes)


def _template(content: TemplateContent, words: Words) -> list[Draft]:
    """An approved template; ``native`` may hold components, or anything else, in WhatsApp's own form."""
    template: dict[str, Any] = {"name": content.name, "language": {"code": content.language or DEFAULT_LANGUAGE}}
    if content.parameters:
        values = [{"type": "text", "text": value} for value in content.parameters]
        template["components"] = [{"type": "body", "parameters": values}]
    template |= content.native
    # Words of their own beside it would be refused outside of the window, where templates are meant for.
    changes = ["buttons left out: a template has those it was approved with"] if words.buttons else []
    return with_changes([draft("template", template)], changes)


def _card(content: CardContent, words: Words) -> list[Draft]:
    """Each card is a message: picture, title and text, buttons. The part's own buttons stand under the last one."""
    changes = ["flex layout shown as a plain card"] if content.flex is not None else []
    if any(card.color for card in content.cards):
        changes.append("card colour left out")
    if any(card.image_url and not is_web_link(card.image_url) for card in content.cards):
        changes.append("card picture left out: no web link")
    if len(content.cards) > 1:
        changes.append(f"{len(content.cards)} cards one below the other")
    drafts: list[Draft] = []
    for number, card in enumerate(content.cards, 1):
        own: Sequence[Button] = words.buttons if number == len(content.cards) else ()
        picture = {"type": "image", "image": {"link": card.image_url}} if is_web_link(card.image_url) else None
        text = _words_of(card) or ("" if picture else content.alt_text)
        drafts += worded(replace(words, text=text, buttons=(*card.buttons, *own), picture=picture))
    return with_changes(drafts, changes)


def _words_of(card: Card) -> str:
    """The title in bold, as cards have it, unless its own characters would spoil that."""
    title, text = (card.title or "").strip(), (card.text or "").strip()
    is_plain = title and "*" not in title and "\n" not in title
    return "\n".join(filter(None, (f"*{title}*" if is_plain else title, text)))


RENDERERS: dict[type, Callable[[Any, Words], list[Draft]]] = {
    TextContent: _text,
    MediaContent: _media,
    StickerContent: _sticker,
    LocationContent: _location,
    ContactContent: _contact,
    TemplateContent: _template,
    CardContent: _card,
}
"""How each content kind of a part is drawn."""


def _marked(part: Part, drafts: list[Draft], peer: str) -> list[Draft]:
    """Mark every message so that its reports tell what it was. The last of a part bears the part's plain id: messages
    go out one after the other, so that its arrival stands for all of them."""
    marks = [f"{part.id}#{number}" for number in range(1, len(drafts))] + [part.id]
    return [
        Draft(one.body | {"biz_opaque_callback_data": opaque_of(mark, peer)}, one.changes)
        for one, mark in zip(drafts, marks, strict=True)
    ]


def _call(part: Part, one: Draft, *, message: OutboundMessage, channel: Channel, is_first: bool) -> Call:
    peer = message.peer
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "group" if is_group(peer) else "individual",
        "recipient" if is_bsuid(peer) else "to": peer,
    }
    # A template shows no quote ("Contextual replies").
    if is_first and message.reply_to and one.body["type"] != "template":
        body["context"] = {"message_id": message.reply_to}
    version = channel.first("graph_version") or GRAPH_VERSION
    base = (channel.api_base or API_BASE).rstrip("/")
    return Call(
        name="messages",
        method="POST",
        url=f"{base}/{version}/{channel.first('phone_number_id')}/messages",
        headers={"Authorization": "Bearer {secret:access_token}"},
        body=body | one.body,
        part_ids=(part.id,),
        changes=one.changes,
    )
