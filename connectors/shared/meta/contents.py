"""What a Messenger-style message says: its text and attachments as content kinds, one table entry per attachment type.

Source of the types: Messenger Platform "Webhook event reference: messages", "Sticker" and the changelog of 2026;
Instagram Platform "Webhook notification examples".
"""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.shared.messages import plain_text
from connectors.shared.meta.values import as_degrees, as_dict, as_id, as_list, as_text
from schemas.content import (
    Content,
    LocationContent,
    MediaContent,
    ShareContent,
    StickerContent,
    StoryContent,
    TemplateContent,
    TextContent,
    UnsupportedContent,
)

Payload = dict[str, Any]
SHARE_IDS = ("id", "reel_video_id", "ig_post_media_id")
"""Where the id of what is shared stands, by its type."""

BESIDE_TEXT = frozenset({"attachments", "commands", "reply_to"})
"""Members without which a message says nothing but its text."""

Reader = Callable[[str, Payload], Content | None]
"""From the attachment's type and payload; None when the payload lacks what this kind needs."""


def contents_of(message: Payload) -> Sequence[Content]:
    """Every content of a message in its own order, text first; never empty, and nothing is left out.

    Link previews and bot commands say nothing beyond the text that they come with, so they become its entities.
    """
    text = as_text(message.get("text"))
    if text is not None and BESIDE_TEXT.isdisjoint(message):
        return [plain_text(text)]
    attachments = [as_dict(item) or {"type": "", "payload": item} for item in as_list(message.get("attachments"))]
    entities = [{"type": "command", **as_dict(item)} for item in as_list(message.get("commands"))]
    contents: list[Content] = []
    story = as_dict(as_dict(message.get("reply_to")).get("story"))
    if story:
        contents.append(_answered_story(story, text))
    elif text is not None:
        entities += [item for item in attachments if item.get("type") == "fallback"]
        attachments = [item for item in attachments if item.get("type") != "fallback"]
        contents.append(TextContent(text=text, entities=tuple(entities)))
    contents += [_content(item) for item in _without_twins(attachments)]
    return contents or [UnsupportedContent(native_kind="message", raw=message)]


def _without_twins(attachments: list[Payload]) -> list[Payload]:
    """Leave out the image that accompanied each sticker until 30 August 2026 ("Sticker"): same ``sticker_id``."""
    stickers = {_sticker_id(item) for item in attachments if item.get("type") == "sticker"} - {""}
    return [item for item in attachments if item.get("type") != "image" or _sticker_id(item) not in stickers]


def _sticker_id(attachment: Payload) -> str:
    return as_id(as_dict(attachment.get("payload")).get("sticker_id"))


def _content(attachment: Payload) -> Content:
    kind = as_text(attachment.get("type")) or ""
    reader = READERS.get(kind)
    # Link previews carry url and title beside the payload, which may be null.
    beside = {name: attachment[name] for name in ("url", "title") if name in attachment}
    content = reader(kind, beside | as_dict(attachment.get("payload"))) if reader else None
    return content or UnsupportedContent(native_kind=kind or "attachment", raw=attachment)


def _image(kind: str, payload: Payload) -> Content | None:
    # Before June 2026 a sticker was an image with a sticker id, and old records are read again.
    return _sticker(kind, payload) if payload.get("sticker_id") else _media(kind, payload)


def _media(kind: str, payload: Payload) -> Content | None:
    url, media_id = as_text(payload.get("url")), as_id(payload.get("attachment_id")) or None
    if url is None and media_id is None:
        return None
    return MediaContent.model_validate({"kind": kind, "url": url, "media_id": media_id})


def _sticker(_kind: str, payload: Payload) -> Content | None:
    sticker_id = as_id(payload.get("sticker_id"))
    return StickerContent(sticker_id=sticker_id, url=as_text(payload.get("url"))) if sticker_id else None


def _answered_story(story: Payload, text: str | None) -> Content:
    return StoryContent(
        relation="reply", story_id=as_id(story.get("id")) or None, url=as_text(story.get("url")), text=text
    )


def _story_mention(_kind: str, payload: Payload) -> Content | None:
    url, story_id = as_text(payload.get("url")), as_id(payload.get("id")) or None
    return StoryContent(relation="mention", story_id=story_id, url=url) if url or story_id else None


def _share(kind: str, payload: Payload) -> Content | None:
    url, title = as_text(payload.get("url")), as_text(payload.get("title"))
    share_id = next(filter(None, (as_id(payload.get(name)) for name in SHARE_IDS)), None)
    if not (url or title or share_id):
        return None
    return ShareContent(url=url, title=title, share_type="link" if kind == "fallback" else kind, share_id=share_id)


def _template(kind: str, payload: Payload) -> Content | None:
    """A copy of a structured message; its visible words are the fallback text."""
    first = as_dict(next(iter(as_list(payload.get("elements"))), None))
    words = as_text(payload.get("text")) or as_text(payload.get("title")) or as_text(first.get("title"))
    name = as_text(payload.get("template_type")) or kind
    return TemplateContent(name=name, fallback_text=words, native=payload)


def _location(_kind: str, payload: Payload) -> Content | None:
    point = as_dict(payload.get("coordinates"))
    latitude, longitude = as_degrees(point.get("lat")), as_degrees(point.get("long"))
    if latitude is None or longitude is None:
        return None
    return LocationContent(latitude=latitude, longitude=longitude, name=as_text(payload.get("title")))


READERS: dict[str, Reader] = {
    "image": _image,
    "video": _media,
    "audio": _media,
    "file": _media,
    "sticker": _sticker,
    "reel": _share,
    "ig_reel": _share,
    "post": _share,
    "ig_post": _share,
    "share": _share,
    "media": _share,
    "story": _share,
    "ig_story": _share,
    "story_mention": _story_mention,
    "fallback": _share,
    "template": _template,
    "appointment_booking": _template,
    "location": _location,
}
