"""Parts that change a message which is there already: edits, reactions, deletions. Pure; total.

Sections "Updating messages", "setMessageReaction", "deleteMessage", "deleteBusinessMessages" of "Telegram Bot API".
"""

from typing import Any

from connectors.shared.text import utf16_units
from connectors.telegram.api import CAPTION_UNITS_MAX, EDIT_METHODS, REACTIONS, VARIATION_SELECTOR
from connectors.telegram.pieces import pieces_of
from connectors.telegram.words import Piece
from schemas.content import MediaContent, TextContent
from schemas.outbound import DeletionContent, Part, ReactionContent


def is_message_id(text: str) -> bool:
    """Whether it can be one of Telegram's, which are numbers."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def can_react(reaction: ReactionContent) -> bool:
    """Whether Telegram has this reaction, or it is to be taken away, and the message can be named."""
    emoji = (reaction.emoji or "").replace(VARIATION_SELECTOR, "")
    return is_message_id(reaction.message_id) and (not emoji or emoji in REACTIONS)


def change_of(part: Part, *, is_business: bool) -> list[Piece]:
    """The change and what follows it; empty when the part is a new message."""
    match part.content:
        case ReactionContent(message_id=message_id, emoji=emoji):
            reaction = [{"type": "emoji", "emoji": emoji.replace(VARIATION_SELECTOR, "")}] if emoji else []
            return [Piece("setMessageReaction", {"message_id": int(message_id), "reaction": reaction})]
        case DeletionContent(message_id=message_id) if is_business:
            return [Piece("deleteBusinessMessages", {"message_ids": [int(message_id)]})]
        case DeletionContent(message_id=message_id):
            return [Piece("deleteMessage", {"message_id": int(message_id)})]
        case _:
            return _edit(part) if part.edit_of is not None else []


def _edit(part: Part) -> list[Piece]:
    """The first piece takes the earlier message's place; a text or medium can, anything else is a new message."""
    # A reply keyboard cannot be edited in, so that quick replies are inline buttons.
    only = _only_caption_or_buttons(part)
    pieces = [only] if only is not None else pieces_of(part, is_private=False)
    first = pieces[0]
    edited = _edited(first) if is_message_id(part.edit_of or "") else None
    if edited is None:
        pieces = pieces_of(part, is_private=False) if only is not None else pieces
        pieces[0].changes.append("sent as a new message: Telegram edits texts, pictures, films, sounds and files only")
        return pieces
    edited.fields["message_id"] = int(part.edit_of or "")
    if len(pieces) > 1:
        edited.changes.append("what does not fit into the edited message follows it as new messages")
    return [edited, *pieces[1:]]


def _only_caption_or_buttons(part: Part) -> Piece | None:
    """An edit that leaves the rest of the message as it is: another caption, or other buttons."""
    rows = pieces_of(part.model_copy(update={"content": TextContent(text="")}), is_private=False)
    markup = {name: rows[0].fields[name] for name in ("reply_markup",) if name in rows[0].fields}
    # With a single piece of no words there is nothing of the buttons that became text.
    is_plain = len(rows) == 1 and set(rows[0].fields) <= {"text", "reply_markup"}
    match part.content:
        case MediaContent(url=None, media_id=None, caption=str(caption)) if (
            caption.strip() and utf16_units(caption) <= CAPTION_UNITS_MAX and is_plain
        ):
            return Piece("editMessageCaption", {"caption": caption, **markup})
        case TextContent(text=text) if not text.strip() and is_plain and markup:
            return Piece("editMessageReplyMarkup", markup)
        case _:
            return None


def _edited(piece: Piece) -> Piece | None:
    fields: dict[str, Any] = dict(piece.fields)
    if piece.method.startswith("edit"):
        return piece
    if piece.method == "sendMessage":
        return Piece("editMessageText", fields, piece.changes)
    if piece.method in EDIT_METHODS:
        kind = EDIT_METHODS[piece.method]
        markup = {"reply_markup": fields.pop("reply_markup")} if "reply_markup" in fields else {}
        media = {"type": kind, "media": fields.pop(kind), **fields}
        return Piece("editMessageMedia", {"media": media, **markup}, piece.changes)
    return None
