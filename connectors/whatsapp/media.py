"""Media and stickers as WhatsApp takes them: by link, id or upload, within its types and sizes. Pure.

Source: WhatsApp Business Platform "Media", "Audio messages", "Sticker messages".
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from connectors.shared.meta.drafts import Draft, is_web_link, with_changes
from connectors.shared.uploads import Upload, plain_type
from connectors.whatsapp import api
from connectors.whatsapp.choices import Words, below, draft, worded
from schemas.content import MediaContent, StickerContent
from schemas.media import is_stored, shown_link

HEADER_KINDS = {"image": "image", "video": "video", "file": "document"}
"""Media that can carry words, and stand above the words of an interactive message: our kind, WhatsApp's type."""

VOICE_ENDINGS = (".ogg", ".opus")
"""Only Ogg with Opus is shown as a voice note ("Audio messages")."""


def render_media(content: MediaContent, words: Words) -> list[Draft]:
    """Pictures, films and files carry their words and buttons themselves; sounds carry neither."""
    words = replace(words, text=content.caption or "")
    kind, changes = _native_kind(content)
    source, why = _source(content, kind)
    if source is None:
        # A name says at least what was meant.
        said = (
            "\n".join(filter(None, (content.caption, content.file_name, shown_link(content.url))))
            or f"[{content.kind}]"
        )
        return with_changes(worded(replace(words, text=said)), [f"{content.kind} written as text: {why}"])
    if kind != "audio":
        named = {"filename": content.file_name} if kind == "document" and content.file_name else {}
        return with_changes(worded(replace(words, picture={"type": kind, kind: source | named})), changes)
    if content.kind == "voice":
        if _is_voice_note(content):
            source |= {"voice": True}
        else:
            changes.append("voice sent as plain audio: not an Ogg file")
    return with_changes([draft("audio", source), *below(words, changes)], changes)


def _native_kind(content: MediaContent) -> tuple[str, list[str]]:
    """What is too large for its kind, or of a type that it does not take, is a document, which takes anything."""
    kind = HEADER_KINDS.get(content.kind, "audio")
    if kind == "document":
        return kind, []
    if (content.size_bytes or 0) > api.MEDIA_BYTES_MAX[kind]:
        return "document", [f"{content.kind} sent as a document: larger than {api.MEDIA_BYTES_MAX[kind] // 10**6} MB"]
    mime_type = plain_type(content.mime_type)
    if mime_type and mime_type not in api.MIME_TYPES[kind]:
        return "document", [f"{content.kind} sent as a document: WhatsApp takes no {kind} of its type"]
    return kind, []


def _source(content: MediaContent, kind: str) -> tuple[dict[str, Any] | None, str]:
    """WhatsApp fetches a link, or knows the id of what was uploaded or received before; what we store ourselves the
    sender uploads. Else the reason."""
    if (content.size_bytes or 0) > api.MEDIA_BYTES_MAX["document"]:
        return None, f"larger than {api.MEDIA_BYTES_MAX['document'] // 10**6} MB"
    if is_web_link(content.url):
        return {"link": content.url}, ""
    if content.media_id:
        return {"id": content.media_id}, ""
    if is_stored(content.url):
        return {"id": Upload(content.url or "", kind, mime_type=content.mime_type, file_name=content.file_name)}, ""
    return None, "no web link"


def card_picture(url: str | None) -> dict[str, Any] | None:
    """The picture above a card's words, by link or by upload; None without one that WhatsApp can get."""
    if is_web_link(url):
        return {"type": "image", "image": {"link": url}}
    return {"type": "image", "image": {"id": Upload(url or "", "image")}} if is_stored(url) else None


def _is_voice_note(content: MediaContent) -> bool:
    """By its type, else by the ending of its link: anything else marked as a voice note would be refused."""
    if content.mime_type:
        return plain_type(content.mime_type) == "audio/ogg"
    # What has neither type nor link is an id, of something that was a voice note before.
    return not content.url or _ending_of(content.url or "").endswith(VOICE_ENDINGS)


def _ending_of(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""


def render_sticker(content: StickerContent, words: Words) -> list[Draft]:
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
    return with_changes([first, *below(words, changes)], changes)
