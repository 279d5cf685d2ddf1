"""What followers send: one small function per MsgType ("Receive standard messages", 接收普通消息). Pure.

Each yields the facts that a message tells, and raises ValueError when a member is not as documented.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

from connectors.shared.messages import message_received, plain_text
from connectors.wechat.wire import Members, text_of
from schemas import events as facts
from schemas.content import ChoiceContent, Content, LocationContent, MediaContent, ShareContent
from schemas.inbound import RawEvent

Reader = Callable[[Members, RawEvent], Iterator[facts.EventData]]

MIME_TYPES = {"amr": "audio/amr", "speex": "audio/speex"}
"""``Format`` of a voice message."""


def needed(members: Members, name: str) -> str:
    """The text of a member; raises ValueError when there is none."""
    found = text_of(members, name)
    if not found:
        raise ValueError(f"no {name}")
    return found


def account_of(members: Members, raw: RawEvent) -> str:
    """The account that was written to: its original id, else our name for it."""
    return text_of(members, "ToUserName") or raw.channel


def without_gaps(**values: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def _text(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """Words, or the line of a menu message that was tapped: it comes as the words of that line with the line's id."""
    words = members.get("Content")
    if not isinstance(words, str):
        raise ValueError("no Content")
    tapped = text_of(members, "bizmsgmenuid")
    if tapped:
        yield facts.ChoiceMade(
            message_id=needed(members, "MsgId"),
            sender_id=raw.peer,
            recipient_id=account_of(members, raw),
            content=ChoiceContent(data=tapped, title=words or None, source="button"),
            metadata=_metadata(members),
        )
        return
    yield _received(members, raw, plain_text(words))


def _image(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """The link is open to anybody; the id is good for three days."""
    content = MediaContent(kind="image", url=text_of(members, "PicUrl") or None, media_id=needed(members, "MediaId"))
    yield _received(members, raw, content)


def _voice(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A voice message; where WeChat has recognised the words they are its caption."""
    mime_type = MIME_TYPES.get((text_of(members, "Format") or "").lower())
    caption = text_of(members, "Recognition") or None
    content = MediaContent(kind="voice", media_id=needed(members, "MediaId"), mime_type=mime_type, caption=caption)
    yield _received(members, raw, content, media_id_16k=text_of(members, "MediaId16K"))


def _video(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A film, or a short one taken in the chat."""
    content = MediaContent(kind="video", media_id=needed(members, "MediaId"))
    is_short = (text_of(members, "MsgType") or "").lower() == "shortvideo"
    yield _received(members, raw, content, thumb_media_id=text_of(members, "ThumbMediaId"), is_short=is_short)


def _location(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A place on the map; X is the latitude."""
    content = LocationContent(
        latitude=_degrees(members, "Location_X"),
        longitude=_degrees(members, "Location_Y"),
        address=text_of(members, "Label") or None,
    )
    yield _received(members, raw, content, scale=text_of(members, "Scale"))


def _link(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A shared page; the description is the page's, not the person's, and contents have no place for it."""
    page = ShareContent(url=needed(members, "Url"), title=text_of(members, "Title") or None)
    yield _received(members, raw, page, description=text_of(members, "Description") or None)


def _received(members: Members, raw: RawEvent, content: Content, **metadata: Any) -> facts.EventData:
    return message_received(
        content,
        message_id=needed(members, "MsgId"),
        sender_id=raw.peer,
        recipient_id=account_of(members, raw),
        metadata=_metadata(members, **metadata),
    )


def _metadata(members: Members, **more: Any) -> dict[str, Any]:
    """Beside the message: which published article it was sent from, if from one."""
    return without_gaps(msg_data_id=text_of(members, "MsgDataId"), article_index=text_of(members, "Idx"), **more)


def _degrees(members: Members, name: str) -> float:
    value = float(needed(members, name))
    if not math.isfinite(value):
        raise ValueError(f"{name} is no number")
    return value


MESSAGES: dict[str, Reader] = {
    "text": _text,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "shortvideo": _video,
    "location": _location,
    "link": _link,
}
"""MsgType → its reader."""
