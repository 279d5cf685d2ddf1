"""Texts and captions as requests of the Bot API, still without recipient and keyboard. Pure; total.

Text goes out without ``parse_mode``: a stray ``<`` or ``_`` would make Telegram refuse the message; formatting travels
as entities.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.shared.text import split_text, utf16_units
from connectors.telegram.api import CAPTION_UNITS_MAX, TEXT_UNITS_MAX

EMPTY = "…"
"""Stands where there is nothing to show but something has to be: Telegram refuses empty texts."""

Entity = dict[str, Any]


@dataclass(slots=True)
class Piece:
    """One request: the method, its own fields, and what is not as asked."""

    method: str
    fields: dict[str, Any]
    changes: list[str] = field(default_factory=list)


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


def captioned(piece: Piece, caption: str, entities: Sequence[Entity] = ()) -> list[Piece]:
    """The caption under the media, or as messages of its own when it is too long for one."""
    if not caption.strip():
        return [piece]
    if utf16_units(caption) <= CAPTION_UNITS_MAX:
        piece.fields |= {"caption": caption, **_entities(list(entities), "caption_entities")}
        return [piece]
    change = f"the caption is longer than {CAPTION_UNITS_MAX} and follows as text"
    return [piece, *text_pieces(caption, entities, change=change)]
