"""What a WhatsApp message says, as content kinds: one table entry per message type. Pure.

Source: WhatsApp Business Platform "messages webhook reference", one page per type.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from connectors.shared.messages import plain_text
from connectors.shared.meta.values import as_degrees, as_dict, as_id, as_list, as_text
from connectors.whatsapp.vcard import vcard_of
from schemas.content import (
    ContactContent,
    Content,
    LocationContent,
    MediaContent,
    OrderContent,
    StickerContent,
    UnsupportedContent,
)

Json = dict[str, Any]
Reader = Callable[[str, Json], Sequence[Content]]
"""From the message's type and its member of that name; empty when that lacks what the kind needs. Members are read one
by one and never trusted: a field of another type is as good as none."""


def is_known(kind: str) -> bool:
    """Whether messages of this type say something that a person wants us to read. New types may be anything, so they
    are kept as unrecognised and get no answer; a known type that cannot be read still gets one."""
    return kind in READERS


def contents_of(message: Json) -> Sequence[Content]:
    """Every content of a message; never empty: what cannot be read is kept as unsupported."""
    kind = as_text(message.get("type")) or ""
    reader = READERS.get(kind)
    contents = reader(kind, _member(message, kind)) if reader else []
    if contents:
        return contents
    # An "unsupported" message may name what it would have been.
    native_kind = as_text(as_dict(message.get("unsupported")).get("type")) or kind or "message"
    return [UnsupportedContent(native_kind=native_kind, raw=message)]


def _member(message: Json, kind: str) -> Json:
    """The member of the message that is named like its type; only contacts come as a list."""
    value = message.get(kind)
    return {"items": value} if isinstance(value, list) else as_dict(value)


def _text(_kind: str, text: Json) -> list[Content]:
    body = text.get("body")
    return [plain_text(body)] if isinstance(body, str) else []


def _media(kind: str, media: Json) -> list[Content]:
    """The id lives for 7 days; the link, where there is one, for minutes, and opens only with the token ("Media")."""
    media_id, url = as_id(media.get("id")) or None, as_text(media.get("url"))
    if media_id is None and url is None:
        return []
    # A voice note is audio that was recorded in the chat; forwarded music is not.
    known = {"document": "file", "audio": "voice" if media.get("voice") is True else "audio"}
    content = MediaContent.model_validate(
        {
            "kind": known.get(kind, kind),
            "media_id": media_id,
            "url": url,
            "mime_type": as_text(media.get("mime_type")),
            "file_name": as_text(media.get("filename")),
            "sha256": _hex(media.get("sha256")),
            "caption": as_text(media.get("caption")),
        }
    )
    return [content]


def _hex(value: Any) -> str | None:
    """WhatsApp gives the digest in base64, our schema wants hex."""
    try:
        digest = base64.b64decode(as_text(value) or "", validate=True)
    except (ValueError, binascii.Error):
        return None
    return digest.hex() if len(digest) == 32 else None


def _sticker(_kind: str, sticker: Json) -> list[Content]:
    """Stickers have no packages here: the id is that of their picture."""
    sticker_id, url = as_id(sticker.get("id")), as_text(sticker.get("url"))
    return [StickerContent(sticker_id=sticker_id, media_id=sticker_id, url=url)] if sticker_id else []


def _location(_kind: str, place: Json) -> list[Content]:
    latitude, longitude = as_degrees(place.get("latitude")), as_degrees(place.get("longitude"))
    if latitude is None or longitude is None:
        return []
    name, address = as_text(place.get("name")), as_text(place.get("address"))
    return [LocationContent(latitude=latitude, longitude=longitude, name=name, address=address)]


def _contacts(_kind: str, contacts: Json) -> list[Content]:
    """One content per card: several people shared at once are several contacts of one message."""
    return [_contact(as_dict(card)) for card in as_list(contacts.get("items")) if as_dict(card)]


def _contact(card: Json) -> ContactContent:
    phones = [as_dict(phone) for phone in as_list(card.get("phones"))]
    emails = (as_text(as_dict(email).get("email")) for email in as_list(card.get("emails")))
    return ContactContent(
        name=as_text(as_dict(card.get("name")).get("formatted_name")) or "",
        phones=tuple(filter(None, (as_id(phone.get("phone")) for phone in phones))),
        emails=tuple(filter(None, emails)),
        # Only a number that is on WhatsApp has one of these.
        user_id=next(filter(None, (as_id(phone.get("wa_id")) for phone in phones)), None),
        vcard=vcard_of(card),
    )


def _order(_kind: str, order: Json) -> list[Content]:
    """A filled cart; prices are those of the catalogue at that time, each item in its own currency."""
    items = tuple(as_dict(item) for item in as_list(order.get("product_items")))
    if not items:
        return []
    return [
        OrderContent(catalog_id=as_id(order.get("catalog_id")) or None, text=as_text(order.get("text")), items=items)
    ]


def _unsupported(_kind: str, _member: Json) -> list[Content]:
    """WhatsApp itself has nothing to show for it (131051): kept whole, with the errors that say why."""
    return []


READERS: dict[str, Reader] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "document": _media,
    "audio": _media,
    "sticker": _sticker,
    "location": _location,
    "contacts": _contacts,
    "order": _order,
    "unsupported": _unsupported,
}
"""By message type."""
