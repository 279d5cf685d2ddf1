"""A Message's content in our kinds. Pure; total: what is malformed or unknown is kept as ``unsupported``."""

from collections.abc import Callable
from typing import Any

from connectors.shared.messages import plain_text
from connectors.telegram.update import service_key
from connectors.telegram.wire import JsonObject, ident, number, obj, objects, text, whole
from schemas.content import (
    ChoiceContent,
    ContactContent,
    Content,
    LocationContent,
    MediaContent,
    ShareContent,
    StickerContent,
    StoryContent,
    SystemContent,
    TextContent,
    UnsupportedContent,
)

ABOUT = frozenset(
    {
        "message_id",
        "date",
        "chat",
        "from",
        "sender_chat",
        "sender_boost_count",
        "sender_business_bot",
        "sender_tag",
        "business_connection_id",
        "message_thread_id",
        "is_topic_message",
        "is_automatic_forward",
        "is_paid_post",
        "forward_origin",
        "reply_to_message",
        "external_reply",
        "quote",
        "reply_to_story",
        "reply_to_checklist_task_id",
        "via_bot",
        "edit_date",
        "has_protected_content",
        "is_from_offline",
        "media_group_id",
        "author_signature",
        "paid_star_count",
        "entities",
        "link_preview_options",
        "suggested_post_info",
        "effect_id",
        "caption",
        "caption_entities",
        "show_caption_above_media",
        "has_media_spoiler",
        "reply_markup",
        "direct_messages_topic",
    }
)
"""Members of a Message that say something about it but are not its content."""


def content_of(message: JsonObject) -> Content:
    """The content: the first of the kinds below that is there and well formed, else a service message, else
    ``unsupported`` with the member as it came."""
    for name, read in READERS:
        if name in message and (found := read(message)) is not None:
            return found
    if key := service_key(message):
        return SystemContent(event=key, text=text(message, key), values={key: message[key]})
    name = next((name for name in message if name not in ABOUT), "message")
    return UnsupportedContent(native_kind=name, raw=message.get(name, message))


BESIDE_TEXT = frozenset({"entities", "reply_to_story"})
"""Members without which a text is nothing but its words."""


def _text(message: JsonObject) -> Content | None:
    body = message.get("text")
    if not isinstance(body, str):
        return None
    if BESIDE_TEXT.isdisjoint(message):
        return plain_text(body)
    story = obj(message.get("reply_to_story"))
    if story:
        return StoryContent(relation="reply", story_id=_story_id(story), text=body)
    return TextContent(text=body, entities=tuple(objects(message.get("entities"))))


def _media(message: JsonObject, kind: Any, item: JsonObject) -> Content | None:
    """A file by its ``file_id``, which works for this bot alone and for as long as it likes.

    The caption stands beside the file; an album is several Messages that share a ``media_group_id``.
    """
    file_id = text(item, "file_id")
    if file_id is None:
        return None
    duration_s = whole(item, "duration")
    return MediaContent(
        kind=kind,
        media_id=file_id,
        mime_type=text(item, "mime_type"),
        file_name=text(item, "file_name"),
        size_bytes=whole(item, "file_size"),
        caption=text(message, "caption"),
        duration_ms=None if duration_s is None else duration_s * 1000,
        album_id=text(message, "media_group_id"),
    )


def _photo(message: JsonObject) -> Content | None:
    # Several sizes of one picture: only the largest is worth keeping.
    sizes = objects(message["photo"])
    largest = max(sizes, key=lambda size: (whole(size, "width") or 0) * (whole(size, "height") or 0), default={})
    return _media(message, "image", largest)


def _animation(message: JsonObject) -> Content | None:
    # What people call a GIF is nearly always a film without sound.
    item = obj(message["animation"])
    is_picture = (text(item, "mime_type") or "").startswith("image/")
    return _media(message, "image" if is_picture else "video", item)


def _file(name: str, kind: str) -> Callable[[JsonObject], Content | None]:
    return lambda message: _media(message, kind, obj(message[name]))


def _sticker(message: JsonObject) -> Content | None:
    item = obj(message["sticker"])
    file_id = text(item, "file_id")
    if file_id is None:
        return None
    set_name, emoji = text(item, "set_name"), text(item, "emoji")
    return StickerContent(sticker_id=file_id, media_id=file_id, package_id=set_name, emoji=emoji)


def _place(location: Any, *, name: str | None = None, address: str | None = None) -> Content | None:
    latitude, longitude = number(obj(location), "latitude"), number(obj(location), "longitude")
    if latitude is None or longitude is None:
        return None
    return LocationContent(latitude=latitude, longitude=longitude, name=name, address=address)


def _venue(message: JsonObject) -> Content | None:
    venue = obj(message["venue"])
    return _place(venue.get("location"), name=text(venue, "title"), address=text(venue, "address"))


def _contact(message: JsonObject) -> Content | None:
    item = obj(message["contact"])
    # ``user_id`` equals the sender's when somebody shares their own number; who asks for that can compare.
    phone = text(item, "phone_number")
    name = " ".join(filter(None, (text(item, "first_name"), text(item, "last_name"))))
    if phone is None and not name:
        return None
    phones = (phone,) if phone else ()
    return ContactContent(name=name, phones=phones, user_id=ident(item, "user_id") or None, vcard=text(item, "vcard"))


def _web_app(message: JsonObject) -> Content | None:
    # What a form of ours sent: the data is ours, the text is that of the button that opened it.
    item = obj(message["web_app_data"])
    data = text(item, "data")
    return None if data is None else ChoiceContent(data=data, title=text(item, "button_text"), source="form")


def _story(message: JsonObject) -> Content | None:
    story = obj(message["story"])
    return ShareContent(share_type="story", share_id=_story_id(story)) if story else None


def _story_id(story: JsonObject) -> str:
    """Stories are numbered per chat, like messages."""
    return f"{ident(obj(story.get('chat')))}:{ident(story)}"


READERS: tuple[tuple[str, Callable[[JsonObject], Content | None]], ...] = (
    ("text", _text),
    ("photo", _photo),
    # An animation comes together with a document, a venue together with a location: the richer one first.
    ("animation", _animation),
    ("video", _file("video", "video")),
    ("video_note", _file("video_note", "video")),
    ("audio", _file("audio", "audio")),
    ("voice", _file("voice", "voice")),
    ("document", _file("document", "file")),
    ("sticker", _sticker),
    ("venue", _venue),
    ("location", lambda message: _place(message["location"])),
    ("contact", _contact),
    ("web_app_data", _web_app),
    ("story", _story),
)
"""Member of a Message → its reader, which gives None when the member is malformed."""
