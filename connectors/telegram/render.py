"""One part's content as requests of the Bot API, still without recipient and keyboard. Pure; total.

Text goes out without ``parse_mode``: a stray ``<`` or ``_`` would make Telegram refuse the message; formatting travels
as entities. What Telegram cannot show as asked gets its nearest form, and the piece says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from connectors.shared.nearest import card_buttons, template_words
from connectors.shared.text import split_text, utf8_bytes, utf16_units
from connectors.telegram.api import (
    CAPTION_UNITS_MAX,
    DOCUMENT_URL_TYPES,
    FILE_URL_BYTES_MAX,
    MEDIA_METHODS,
    PHOTO_URL_BYTES_MAX,
    TEXT_UNITS_MAX,
    VCARD_BYTES_MAX,
    VOICE_TYPES,
    VOICE_URL_BYTES_MAX,
)
from connectors.telegram.keyboard import is_link
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.media import shown_link
from schemas.outbound import Button, Card, CardContent, PartContent

EMPTY = "…"
"""Stands where there is nothing to show but something has to be: Telegram refuses empty texts."""

Entity = dict[str, Any]


@dataclass(slots=True)
class Piece:
    """One request: the method, its own fields, and what is not as asked."""

    method: str
    fields: dict[str, Any]
    changes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """Pieces that belong together; the buttons stand under the last one."""

    pieces: list[Piece]
    rows: Sequence[Sequence[Button]] = ()


def blocks_of(content: PartContent) -> list[Block]:
    """The content in order; never empty, no block is empty."""
    match content:
        case CardContent():
            return _cards(content)
        case TextContent():
            return [Block(text_pieces(content.text, content.entities))]
        case MediaContent():
            return [Block(_media(content))]
        case StickerContent():
            return [Block(_sticker(content))]
        case LocationContent():
            return [Block(_location(content))]
        case ContactContent():
            return [Block(_contact(content))]
        case TemplateContent():
            return [Block(_template(content))]
        case _:
            # Kinds that ``nearest_parts`` has simplified before.
            return [Block(text_pieces("", change=f"content of kind {content.kind} has no form here"))]


def text_pieces(text: str, entities: Sequence[Entity] = (), *, change: str | None = None) -> list[Piece]:
    """One message, or several when the text is too long; entities are cut where the text is."""
    changes = [change] if change else []
    good = [entity for entity in entities if _is_entity(entity)]
    if len(good) < len(entities):
        changes.append("formatting of another platform's form is left out")
    chunks = split_text(text, TEXT_UNITS_MAX, utf16_units)
    if not chunks:
        chunks, good = (EMPTY,), []
        changes.append("there was no text to send")
    if len(chunks) > 1:
        changes.append(f"the text is split into {len(chunks)} messages")
    pieces = [Piece("sendMessage", {"text": chunk, **_entities(inside)}) for chunk, inside in _cut(text, chunks, good)]
    pieces[0].changes += changes
    return pieces


def _is_entity(entity: Entity) -> bool:
    """Whether this is Telegram's own form; one bad entity makes it refuse the whole message."""
    offset, length = entity.get("offset"), entity.get("length")
    is_placed = isinstance(offset, int) and isinstance(length, int) and offset >= 0 and length > 0
    return is_placed and isinstance(entity.get("type"), str)


def _cut(text: str, chunks: Sequence[str], entities: list[Entity]) -> Iterator[tuple[str, list[Entity]]]:
    """Each chunk with what of the entities lies inside it, counted from its own start."""
    at = 0
    for chunk in chunks:
        at = max(text.find(chunk, at), at)
        start = utf16_units(text[:at])
        end = start + utf16_units(chunk)
        inside = []
        for entity in entities:
            first, last = max(entity["offset"], start), min(entity["offset"] + entity["length"], end)
            if first < last:
                inside.append({**entity, "offset": first - start, "length": last - first})
        yield chunk, inside
        at += len(chunk)


def _entities(entities: list[Entity], name: str = "entities") -> dict[str, Any]:
    return {name: entities} if entities else {}


def _media(content: MediaContent) -> list[Piece]:
    """By link or ``file_id``; what Telegram would not fetch goes as a link that the person can open."""
    refusal = _refusal(content)
    if refusal:
        label = content.caption or content.file_name
        return text_pieces("\n".join(filter(None, (label, shown_link(content.url)))), change=refusal)
    method, name = MEDIA_METHODS[content.kind]
    piece = Piece(method, {name: content.url or content.media_id})
    if content.duration_ms and content.kind in ("video", "audio", "voice"):
        piece.fields["duration"] = content.duration_ms // 1000
    if content.kind == "voice" and content.url and (content.size_bytes or 0) > VOICE_URL_BYTES_MAX:
        piece.changes.append("a voice note above 1 MB arrives as a file")
    if content.kind == "file" and content.url and content.file_name and _file_name(content.url) != content.file_name:
        piece.changes.append("the file keeps the name that its link has")
    return _captioned(piece, content.caption or "")


def _captioned(piece: Piece, caption: str, entities: Sequence[Entity] = ()) -> list[Piece]:
    """The caption under the media, or as messages of its own when it is too long for one."""
    if not caption.strip():
        return [piece]
    if utf16_units(caption) <= CAPTION_UNITS_MAX:
        piece.fields |= {"caption": caption, **_entities(list(entities), "caption_entities")}
        return [piece]
    change = f"the caption is longer than {CAPTION_UNITS_MAX} and follows as text"
    return [piece, *text_pieces(caption, entities, change=change)]


def _refusal(content: MediaContent) -> str | None:
    """Why Telegram would not take this media, or None when it would."""
    if not content.url:
        return None if content.media_id else f"the {content.kind} has neither link nor id"
    if not is_link(content.url):
        return f"the {content.kind} has a link that Telegram cannot fetch; it is sent as text"
    size_max = PHOTO_URL_BYTES_MAX if content.kind == "image" else FILE_URL_BYTES_MAX
    if (content.size_bytes or 0) > size_max:
        return f"the {content.kind} is larger than {size_max >> 20} MB; its link is sent as text"
    if content.kind == "file" and not _is_document(content):
        return "by link Telegram takes only pdf, zip and gif files; the link is sent as text"
    if content.kind == "voice" and content.mime_type and _mime(content) not in VOICE_TYPES:
        return f"Telegram takes no voice notes of type {content.mime_type}; the link is sent as text"
    return None


def _is_document(content: MediaContent) -> bool:
    """Whether sendDocument takes this link; in doubt it does not, for a refused call is a lost message."""
    if content.mime_type:
        return _mime(content) in DOCUMENT_URL_TYPES
    endings = [ending for group in DOCUMENT_URL_TYPES.values() for ending in group]
    return PurePosixPath(_file_name(content.url or "")).suffix.lower() in endings


def _mime(content: MediaContent) -> str:
    return (content.mime_type or "").partition(";")[0].strip().lower()


def _file_name(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).name


def _sticker(content: StickerContent) -> list[Piece]:
    if content.url and is_link(content.url):
        return [Piece("sendSticker", {"sticker": content.url})]
    # Another platform's sticker has a number; a file_id of Telegram never is one.
    if content.sticker_id and not content.sticker_id.isdigit():
        return [Piece("sendSticker", {"sticker": content.sticker_id})]
    words = content.emoji or " ".join(content.keywords)
    return text_pieces(words, change="the sticker is not Telegram's; what it says is sent as text")


def _location(content: LocationContent) -> list[Piece]:
    is_on_earth = abs(content.latitude) <= 90 and abs(content.longitude) <= 180
    names = tuple(filter(None, (content.name, content.address)))
    if not is_on_earth:
        words = ", ".join((*names, f"{content.latitude}, {content.longitude}"))
        return text_pieces(words, change="the location is no point on earth and is sent as text")
    point = {"latitude": content.latitude, "longitude": content.longitude}
    if names:
        # sendVenue wants both; the one there is stands for the other.
        return [Piece("sendVenue", {**point, "title": names[0], "address": names[-1]})]
    return [Piece("sendLocation", point)]


def _contact(content: ContactContent) -> list[Piece]:
    more = [*content.phones[1:], *content.emails]
    if not content.phones:
        words = "\n".join(filter(None, (content.name, *more)))
        return text_pieces(words, change="a contact without a phone number is sent as text")
    phone = content.phones[0]
    piece = Piece("sendContact", {"phone_number": phone, "first_name": content.name.strip() or phone})
    if content.vcard and utf8_bytes(content.vcard) <= VCARD_BYTES_MAX:
        piece.fields["vcard"] = content.vcard
    elif content.vcard:
        piece.changes.append(f"the contact's vCard is larger than {VCARD_BYTES_MAX} bytes and is left out")
    if not more:
        return [piece]
    return [piece, *text_pieces("\n".join(more), change="further numbers and addresses follow as text")]


def _template(content: TemplateContent) -> list[Piece]:
    words = template_words(content)
    return text_pieces(words, change="Telegram has no templates; its words are sent as text")


def _cards(content: CardContent) -> list[Block]:
    """One message per card, each with its own buttons, one to a row: card labels tend to be long."""
    blocks = [
        Block(_card(card, content.alt_text), [[button] for button in card_buttons(card)]) for card in content.cards
    ]
    changes = blocks[0].pieces[0].changes
    if len(blocks) > 1:
        changes.append("cards stand one below the other")
    if any(card.color for card in content.cards):
        changes.append("cards have no colour")
    return blocks


def _card(card: Card, alt_text: str) -> list[Piece]:
    """A picture with a caption, or a text; Telegram has no cards."""
    words = "\n".join(filter(None, (card.title, card.text)))
    entities = [{"type": "bold", "offset": 0, "length": utf16_units(card.title)}] if card.title else []
    if card.image_url and is_link(card.image_url):
        return _captioned(Piece("sendPhoto", {"photo": card.image_url}), words, entities)
    change = "the card's picture is written as text: no link that Telegram can fetch" if card.image_url else None
    return text_pieces("\n".join(filter(None, (words, card.image_url))) or alt_text, entities, change=change)
