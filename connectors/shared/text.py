"""Text to a platform's limits: measured in the platform's unit, cut between graphemes. Pure.

A grapheme is what a person sees as one character: an emoji with its skin tone, a Thai consonant with its vowel and tone
marks. Cutting inside one shows garbage on both sides.
"""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import regex

Measure = Callable[[str], int]

ELLIPSIS = "…"

_GRAPHEME = regex.compile(r"\X")
_PARAGRAPH = regex.compile(r"\n\s*\n")
_SENTENCE = regex.compile(r"[.!?。！？…]+[\"')\]”’»]*\s+|[。！？]+|\n")
_SPACE = regex.compile(r"\s+")

BREAK_FROM = 0.5
"""A paragraph or sentence break is taken only when it leaves a piece at least this full: short stumps read badly."""


def utf16_units(text: str) -> int:
    """Length in UTF-16 code units: LINE and Telegram count so."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def utf8_bytes(text: str) -> int:
    """Length in UTF-8 bytes: Instagram and Telegram's callback data count so. A lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def characters(text: str) -> int:
    """Length in code points: Messenger and WhatsApp count so."""
    return len(text)


def graphemes(text: str) -> int:
    """Length in grapheme clusters: LINE counts labels and template texts so."""
    return len(text) if text.isascii() and "\r" not in text else sum(1 for _ in _GRAPHEME.finditer(text))


def truncate(text: str, limit: int, measure: Measure) -> str:
    """At most ``limit`` units, cut on a grapheme border and ended by ``…`` where that fits; unchanged when it fits."""
    if measure(text) <= limit:
        return text
    room = limit - measure(ELLIPSIS)
    if room <= 0:
        return text[: _fitting(text, limit, measure)]
    return text[: _fitting(text, room, measure)].rstrip() + ELLIPSIS


def split_text(text: str, limit: int, measure: Measure) -> tuple[str, ...]:
    """Pieces of at most ``limit`` units, in order, none empty or blank; nothing but white space at the cuts is lost.

    Prefers to cut after a paragraph, then after a sentence, then at a space, then between graphemes. A single grapheme
    larger than the limit is cut by code point. A text that fits is returned as it is. Raises ValueError when the limit
    does not hold even one code point.
    """
    if measure(text) <= limit:
        return (text,) if text.strip() else ()
    pieces = []
    rest = text
    # Looks only as far as one piece reaches, so that a huge text costs no more than its length.
    while (end := _fitting(rest, limit, measure)) < len(rest):
        if end == 0:
            raise ValueError(f"a limit of {limit} does not hold the character {rest[0]!r}")
        end = _nice_break(rest, end)
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return tuple(piece for piece in (*pieces, rest.rstrip()) if piece)


def _fitting(text: str, limit: int, measure: Measure) -> int:
    """Index after the last grapheme that still fits; inside the first one when not even that fits."""
    end = size = 0
    for grapheme in _graphemes(text):
        size += measure(grapheme)
        if size > limit:
            break
        end += len(grapheme)
    return end or _fitting_code_points(text, limit, measure)


def _fitting_code_points(text: str, limit: int, measure: Measure) -> int:
    end = size = 0
    for character in text:
        size += measure(character)
        if size > limit:
            break
        end += 1
    return end


def _graphemes(text: str) -> Iterator[str]:
    return (match.group() for match in _GRAPHEME.finditer(text))


def _nice_break(text: str, end: int) -> int:
    """The best place to cut a text whose first ``end`` characters fit and whose next one does not."""
    # White space behind the cut is dropped, so it may take part in a break although it does not fit.
    window = end + 1 if text[end].isspace() else end
    for pattern in (_PARAGRAPH, _SENTENCE):
        at = max((match.end() for match in pattern.finditer(text, 0, window)), default=0)
        if at >= end * BREAK_FROM:
            return at
    return max((match.end() for match in _SPACE.finditer(text, 0, window)), default=0) or end


def file_name_of(url: str) -> str:
    """The name of the file that a link leads to, as the link has it; empty where it ends in none."""
    return PurePosixPath(url.partition("#")[0].partition("?")[0]).name
