"""Text within limits: nothing lost, nothing cut inside a grapheme, each piece within its limit in the right unit."""

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.shared.text import (
    Measure,
    characters,
    graphemes,
    split_text,
    truncate,
    utf8_bytes,
    utf16_units,
)

FAMILY = "👨‍👩‍👧‍👦"
THAI = "น้ำ"
MEASURES = [characters, graphemes, utf8_bytes, utf16_units]
CLUSTERS = ["a", " ", "\n", ".", "é", "e\u0301", THAI, "字", "👍🏽", FAMILY]
TEXTS = st.lists(st.sampled_from(CLUSTERS), max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "units", "size", "points", "clusters"),
    [
        ("", 0, 0, 0, 0),
        ("abc", 3, 3, 3, 3),
        ("é", 1, 2, 1, 1),
        ("字", 1, 3, 1, 1),
        ("👍", 2, 4, 1, 1),
        ("👍🏽", 4, 8, 2, 1),
        (FAMILY, 11, 25, 7, 1),
        (THAI, 3, 9, 3, 1),
        ("\r\n", 2, 2, 2, 1),
    ],
)
def test_each_measure_counts_as_its_platforms_do(text: str, units: int, size: int, points: int, clusters: int) -> None:
    assert [utf16_units(text), utf8_bytes(text), characters(text), graphemes(text)] == [units, size, points, clusters]


@given(text=TEXTS, limit=st.integers(25, 40), measure=st.sampled_from(MEASURES))
@example(text="word " * 8, limit=25, measure=characters)
def test_splitting_loses_only_white_space_and_cuts_no_grapheme(text: str, limit: int, measure: Measure) -> None:
    pieces = split_text(text, limit, measure)
    assert all(measure(piece) <= limit and piece.strip() for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    whole = regex.findall(r"\X", text)
    for piece in pieces:
        # Graphemes of a piece are graphemes of the text, so no border lies inside one.
        assert all(cluster in whole for cluster in regex.findall(r"\X", piece))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_text_at_the_limit_stays_whole_and_one_more_is_split(measure: Measure) -> None:
    assert split_text("a" * 50, 50, measure) == ("a" * 50,)
    assert split_text("a" * 51, 50, measure) == ("a" * 50, "a")


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("One. Two three.\n\nFour five six", 20, ("One. Two three.", "Four five six")),
        ("First sentence. Second one is here", 20, ("First sentence.", "Second one is here")),
        ("Aaaa bbb. Cccc ddd. Eee", 19, ("Aaaa bbb. Cccc ddd.", "Eee")),
        ("aaaa bbbb cccc dddd", 10, ("aaaa bbbb", "cccc dddd")),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", 10, ("aaaaaaaaaa", "aaaaaaaaaa", "aaaa")),
        ("สวัสดีครับ ผมชื่อไอริส", 12, ("สวัสดีครับ", "ผมชื่อไอริส")),
        ("ab\ncd ef", 5, ("ab", "cd ef")),
        ("  \n  ", 3, ()),
        ("", 3, ()),
    ],
)
def test_cuts_fall_where_a_reader_would_pause(text: str, limit: int, pieces: tuple[str, ...]) -> None:
    assert split_text(text, limit, characters) == pieces


def test_a_grapheme_above_the_limit_is_cut_between_code_points() -> None:
    zalgo = "a" + "\u0301" * 30
    pieces = split_text(zalgo, 10, characters)
    assert "".join(pieces) == zalgo
    assert [len(piece) for piece in pieces] == [10, 10, 10, 1]


def test_a_limit_below_one_code_point_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        split_text("字", 2, utf8_bytes)


@given(text=TEXTS, limit=st.integers(1, 40), measure=st.sampled_from(MEASURES))
def test_truncation_keeps_a_beginning_within_the_limit(text: str, limit: int, measure: Measure) -> None:
    cut = truncate(text, limit, measure)
    assert measure(cut) <= limit
    assert cut == text or text.startswith(cut.removesuffix("…"))
    assert cut == text or measure(text) > limit


def test_truncation_says_so_with_an_ellipsis() -> None:
    assert truncate("12345", 5, characters) == "12345"
    assert truncate("123456", 5, characters) == "1234…"
    assert truncate(FAMILY * 3, 24, utf16_units) == FAMILY * 2 + "…"
