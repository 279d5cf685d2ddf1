"""Cards to LINE's flex messages: within the sizes of bubbles and carousels, and nothing of them lost."""

from typing import Any

import pytest

from schemas.outbound import Card, CardContent
from tests.contract.line_planning import (
    PICTURE,
    actions_in,
    buttons,
    changes,
    objects,
    part,
)
from tests.fakes.line_objects import json_bytes, visible_texts


def test_a_card_is_a_flex_bubble_with_everything_on_it() -> None:
    card = Card(title="Iris", text="สวัสดีครับ", image_url=PICTURE, buttons=buttons(2), color="#2196F3")
    (item,) = objects(part(CardContent(cards=(card,), alt_text="Hello")))
    assert (item["type"], item["altText"], item["contents"]["type"]) == ("flex", "Hello", "bubble")
    assert item["contents"]["hero"]["url"] == PICTURE
    assert [text["text"] for text in item["contents"]["body"]["contents"]] == ["Iris", "สวัสดีครับ"]
    assert item["contents"]["body"]["contents"][0]["color"] == "#2196F3"
    assert [action["data"] for action in actions_in(item)] == ["d0", "d1"]


def test_twelve_cards_are_one_carousel_and_thirteen_are_two_messages() -> None:
    cards = tuple(Card(title=f"card {number}") for number in range(13))
    (carousel,) = objects(part(CardContent(cards=cards[:12], alt_text="x")))
    assert len(carousel["contents"]["contents"]) == 12
    said = objects(part(CardContent(cards=cards, alt_text="x")))
    assert visible_texts(said[0])[0].startswith("card 0 card 1")
    assert len(said) == 2


def test_heavy_cards_stay_within_bubble_and_carousel_sizes() -> None:
    heavy = Card(text="ก" * 2000, buttons=buttons(4, data=None, url="https://e.com/" + "a" * 9_900))
    said = objects(part(CardContent(cards=(heavy,) * 5, alt_text="x")))
    assert len(actions_in(said)) == 20


def test_a_text_too_long_for_a_card_is_said_before_it() -> None:
    card = part(CardContent(cards=(Card(title="t", text="a" * 6001),), alt_text="x"))
    assert changes(part(CardContent(cards=(Card(title="t", text="a" * 6000),), alt_text="x"))) == []
    said = objects(card)
    assert "".join(item["text"] for item in said[:-1]) == "a" * 6001
    assert said[-1]["type"] == "flex"
    assert len(changes(card)) == 1


def test_an_empty_card_shows_its_alternative_text() -> None:
    assert [visible_texts(item) for item in objects(part(CardContent(cards=(Card(),), alt_text="Hi")))] == [["Hi"]]
    (item,) = objects(part(CardContent(cards=(Card(title="t"),), alt_text="")))
    assert item["altText"] == "…"


def test_an_alternative_text_of_1500_and_not_1501() -> None:
    for asked, shown in (("a" * 1500, "a" * 1500), ("a" * 1501, "a" * 1499 + "…")):
        assert objects(part(CardContent(cards=(Card(title="t"),), alt_text=asked)))[0]["altText"] == shown


def bubble(text_bytes: int) -> dict[str, Any]:
    contents = [{"type": "text", "text": "a" * text_bytes}]
    return {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": contents}}


EMPTY_BUBBLE_BYTES = 98


@pytest.mark.parametrize(
    ("flex", "is_used"),
    [
        (bubble(1), True),
        ({"type": "flex", "altText": "own", "contents": bubble(1)}, True),
        (bubble(30_000 - EMPTY_BUBBLE_BYTES), True),
        (bubble(30_001 - EMPTY_BUBBLE_BYTES), False),
        ({"type": "carousel", "contents": [bubble(1)] * 12}, True),
        ({"type": "carousel", "contents": [bubble(1)] * 13}, False),
        ({"type": "carousel", "contents": [bubble(26_000)] * 2}, False),
        ({"type": "carousel", "contents": []}, False),
        ({"type": "carousel", "contents": "x"}, False),
        ({"type": "flex"}, False),
        ({"type": "box"}, False),
        ({}, False),
        ({"type": "bubble", "n": 2**70}, False),
    ],
)
def test_a_given_flex_card_is_used_when_line_takes_it(flex: dict[str, Any], is_used: bool) -> None:
    asked = part(CardContent(cards=(Card(title="fallback"),), alt_text="alt", flex=flex))
    (item,) = objects(asked)
    used = flex.get("contents") if flex.get("type") == "flex" else flex
    assert (item["contents"] == used) is is_used
    assert item["altText"] == ("own" if "altText" in flex else "alt")
    assert len(changes(asked)) == (0 if is_used else 1)


def test_the_size_of_an_empty_bubble_is_as_the_cases_assume() -> None:
    assert len(json_bytes(bubble(0))) == EMPTY_BUBBLE_BYTES
