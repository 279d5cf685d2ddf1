"""One part's content as requests of the Bot API, still without recipient and keyboard. Pure; total.

What Telegram cannot show as asked gets its nearest form, and the piece says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.shared.nearest import card_buttons, template_words
from connectors.shared.text import utf8_bytes, utf16_units
from connectors.shared.uploads import Upload
from connectors.telegram.api import VCARD_BYTES_MAX
from connectors.telegram.keyboard import is_link
from connectors.telegram.media import media_pieces
from connectors.telegram.words import Piece, captioned, text_pieces
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.media import is_stored
from schemas.outbound import Button, Card, CardContent, PartContent


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
            return [Block(media_pieces(content))]
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
        lost = ", without its vCard" if content.vcard else ""
        return text_pieces(words, change=f"a contact without a phone number is sent as text{lost}")
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
    if len(blocks) > 1:
        blocks[0].pieces[0].changes.append("cards stand one below the other")
    return blocks


def _card(card: Card, alt_text: str) -> list[Piece]:
    """A picture with a caption, or a text; Telegram has no cards."""
    words = "\n".join(filter(None, (card.title, card.text)))
    entities = [{"type": "bold", "offset": 0, "length": utf16_units(card.title)}] if card.title else []
    if card.image_url and is_link(card.image_url):
        return captioned(Piece("sendPhoto", {"photo": card.image_url}), words, entities)
    if is_stored(card.image_url):
        return captioned(Piece("sendPhoto", {"photo": Upload(card.image_url or "", "photo")}), words, entities)
    change = "the card's picture is written as text: no link that Telegram can fetch" if card.image_url else None
    return text_pieces("\n".join(filter(None, (words, card.image_url))) or alt_text, entities, change=change)
