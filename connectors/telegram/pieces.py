"""One part as new messages with their keyboards, still without recipient. Pure; total."""

from connectors.shared.text import utf16_units
from connectors.telegram.api import TEXT_UNITS_MAX
from connectors.telegram.keyboard import keyboards
from connectors.telegram.render import Block, blocks_of
from connectors.telegram.words import EMPTY, Piece, text_pieces
from schemas.outbound import Button, Part


def pieces_of(part: Part, *, is_private: bool) -> list[Piece]:
    """Never empty; the part's own buttons stand under the last piece."""
    blocks = blocks_of(part.content)
    pieces = [piece for block in blocks[:-1] for piece in _with_buttons(block)]
    last = Block(blocks[-1].pieces, [*blocks[-1].rows, *part.rows])
    return pieces + _with_buttons(last, part.quick_replies, is_private=is_private)


def _with_buttons(block: Block, quick_replies: tuple[Button, ...] = (), *, is_private: bool = False) -> list[Piece]:
    """The keyboard under the last piece; buttons that had to become text stand there too."""
    found = keyboards(block.rows, quick_replies, is_private=is_private)
    pieces = list(block.pieces)
    if found.lines:
        _add_lines(pieces, "\n".join(found.lines))
    pieces[-1].changes += found.changes
    for number, markup in enumerate(found.markups):
        if number:
            pieces.append(Piece("sendMessage", {"text": EMPTY}))
        pieces[-1].fields["reply_markup"] = markup
    return pieces


def _add_lines(pieces: list[Piece], lines: str) -> None:
    last = pieces[-1]
    together = f"{last.fields['text']}\n{lines}" if last.method == "sendMessage" else ""
    if together and utf16_units(together) <= TEXT_UNITS_MAX:
        last.fields["text"] = together
    else:
        pieces.extend(text_pieces(lines))
