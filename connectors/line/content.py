"""LINE message objects → content and what belongs beside it. Pure; one small function per message type."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.shared.messages import plain_text
from connectors.shared.splitting import NUMBER, member, text_in, text_member
from schemas.content import Content, LocationContent, MediaContent, StickerContent, TextContent

Message = Mapping[str, Any]

EXACT_BELOW = 2**53
"""Integers that every reader of JSON keeps exactly (RFC 8259, Numbers)."""


def content_of(message: Any) -> Content | dict[str, Any] | None:
    """The content of a known message type, None for anything else; of a text that is no text, what does not make one
    (``sound`` says so to whoever needs the content itself).

    Raises ValueError or KeyError when any other member is not as documented.
    """
    build = _BUILDERS.get(text_in(message, "type") or "")
    return build(message) if build else None


def sound(content: Content | dict[str, Any]) -> Content:
    """The content; raises ValueError when it is none."""
    if isinstance(content, dict):
        raise ValueError("the text of a message is no text")
    return content


def metadata_of(message: Message) -> dict[str, Any]:
    """What only LINE knows of a message: quote and read tokens, place in an album, a sticker's type."""
    found: dict[str, Any] = {}
    _put(found, "quote_token", text_in(message, "quoteToken"))
    _put(found, "mark_as_read_token", text_in(message, "markAsReadToken"))
    if "imageSet" in message:
        _put(found, "album_index", _whole(member(message, "imageSet", "index")))
        _put(found, "album_total", _whole(member(message, "imageSet", "total")))
    if message.get("type") == "sticker":
        _put(found, "sticker_type", text_in(message, "stickerResourceType"))
    return found


def place_of(event: Mapping[str, Any], message: Message) -> dict[str, Any]:
    """Where others listen and speak too: that it is so, and whether the account is meant, which there is only who
    mentions it ("Webhook event objects": source, mention, isSelf). Nothing is said of a chat of two."""
    if text_in(event.get("source"), "type") not in ("group", "room"):
        return {}
    mentioned = _objects(member(message, "mention", "mentionees"))
    is_meant = any(person.get("isSelf") is True for person in mentioned)
    return {"in_group": True} if is_meant else {"in_group": True, "is_addressed": False}


def _text(message: Message) -> Content | dict[str, Any]:
    """Text with LINE emojis and mentions in LINE's own form: ``index`` and ``length`` count UTF-16 units."""
    text = message["text"]
    if "emojis" not in message and "mention" not in message:
        return plain_text(text) if type(text) is str else {"kind": "text", "text": text}
    emojis = [{"entity": "emoji", **emoji} for emoji in _objects(message.get("emojis"))]
    mentions = [{"entity": "mention", **mention} for mention in _objects(member(message, "mention", "mentionees"))]
    return TextContent(text=text, entities=tuple(emojis + mentions))


def _media(message: Message) -> Content:
    """By link when the picture lies outside LINE, else by the message's id (content is fetched with it)."""
    is_external = member(message, "contentProvider", "type") == "external"
    return MediaContent(
        kind=message["type"],
        url=text_member(message, "contentProvider", "originalContentUrl") if is_external else None,
        media_id=None if is_external else text_in(message, "id"),
        preview_url=text_member(message, "contentProvider", "previewImageUrl") if is_external else None,
        duration_ms=_whole(message.get("duration")),
        album_id=text_member(message, "imageSet", "id"),
    )


def _file(message: Message) -> Content:
    """A document; its type is only in its name."""
    return MediaContent(
        kind="file",
        media_id=text_in(message, "id"),
        file_name=text_in(message, "fileName"),
        size_bytes=_whole(message.get("fileSize")),
    )


def _location(message: Message) -> Content:
    """A place on the map; title and address may be missing."""
    return LocationContent(
        latitude=message["latitude"],
        longitude=message["longitude"],
        name=text_in(message, "title"),
        address=text_in(message, "address"),
    )


def _sticker(message: Message) -> Content:
    """A sticker; LINE sends words that describe it, which is all that can be had of it: no link to its picture is
    documented, and Get content has none under its message's id. Before them stand those that the person put on it."""
    keywords = message.get("keywords")
    words = [message.get("text"), *(keywords if isinstance(keywords, list) else [])]
    return StickerContent(
        sticker_id=text_in(message, "stickerId") or "",
        package_id=text_in(message, "packageId"),
        keywords=tuple(word for word in words if isinstance(word, str)),
    )


_BUILDERS: dict[str, Callable[[Message], Content | dict[str, Any]]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "file": _file,
    "location": _location,
    "sticker": _sticker,
}


def _put(found: dict[str, Any], name: str, value: str | int | None) -> None:
    if value is not None:
        found[name] = value


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    """A size or duration; None beyond what JSON numbers hold exactly, which no reader of the log could load."""
    is_number = isinstance(value, NUMBER) and not isinstance(value, bool)
    return int(value) if is_number and abs(value) < EXACT_BELOW else None
