"""Media that follow each other with one ``album_id`` as one call. Pure.

Section "sendMediaGroup" of "Telegram Bot API": two to ten items of one group, without keyboards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from connectors.telegram.api import ALBUM_GROUPS, ALBUM_ITEMS_MAX, EDIT_METHODS
from connectors.telegram.words import Piece
from schemas.content import MediaContent
from schemas.outbound import Part


@dataclass(frozen=True, slots=True)
class Planned:
    """A request, and the parts that it covers."""

    parts: tuple[Part, ...]
    piece: Piece


def with_albums(planned: Sequence[Planned]) -> Iterator[Planned]:
    """The same in order; what belongs to one album is together."""
    often = [part.id for each in planned for part in each.parts]
    for key, run in groupby(planned, key=lambda each: _album_of(each, is_alone=often.count(each.parts[0].id) == 1)):
        members = list(run)
        if key is None:
            yield from members
            continue
        for start in range(0, len(members), ALBUM_ITEMS_MAX):
            yield _together(members[start : start + ALBUM_ITEMS_MAX])


def _album_of(planned: Planned, *, is_alone: bool) -> tuple[str, str] | None:
    """The album that a request may stand in; None for whatever is a message by itself. Only parts that are one request
    take part, for the others' later pieces would come apart from them."""
    content, piece = planned.parts[0].content, planned.piece
    fits = is_alone and piece.method in EDIT_METHODS and "reply_markup" not in piece.fields
    if not (fits and isinstance(content, MediaContent) and content.album_id):
        return None
    return content.album_id, ALBUM_GROUPS[EDIT_METHODS[piece.method]]


def _together(members: list[Planned]) -> Planned:
    if len(members) == 1:
        return members[0]
    media = []
    for member in members:
        fields = dict(member.piece.fields)
        kind = EDIT_METHODS[member.piece.method]
        media.append({"type": kind, "media": fields.pop(kind), **fields})
    changes = [change for member in members for change in member.piece.changes]
    parts = tuple(part for member in members for part in member.parts)
    return Planned(parts, Piece("sendMediaGroup", {"media": media}, changes))
