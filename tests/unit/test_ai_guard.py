"""What an AI service answers is bounded and cleaned, and the text survives everything that is wrong around it."""

from typing import Any

import pytest

from streams.ai.errors import AIBroken
from streams.ai.guard import INSIGHTS_BYTES_MAX, RICH_BYTES_MAX, read_answer, read_json


def answer(**fields: Any) -> Any:
    return read_answer({"response_text": "hi", **fields}, chars_max=100)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"response_text": "half', "bad_json"),
        (b"<html>", "bad_json"),
        (b'{"response_text": "caf\xe9"}', "bad_utf8"),
        (b"[" * 65 + b"]" * 65, "bad_json"),
        (b"[" * 500_000, "bad_json"),
        (b'{"confidence": NaN}', "bad_json"),
        (b'["text"]', "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"null", "wrong_type"),
    ],
)
def test_a_body_that_is_no_answer_is_broken(body: bytes, reason: str) -> None:
    with pytest.raises(AIBroken) as caught:
        read_json(body)
    assert caught.value.reason == reason
    assert caught.value.retryable


def test_half_an_emoji_does_not_cost_the_answer() -> None:
    assert read_json(rb'{"response_text": "hi \ud83d"}') == {"response_text": "hi \ufffd"}


@pytest.mark.parametrize("text", [["a"], 7, {"a": 1}, True])
def test_a_text_that_is_no_text_is_the_wrong_type(text: Any) -> None:
    with pytest.raises(AIBroken) as caught:
        answer(response_text=text)
    assert caught.value.reason == "wrong_type"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"response_text": ""},
        {"response_text": None},
        {"response_text": " \x00\x07 "},
        {"response_type": "rich", "flex_content": {"type": "bubble"}},
        {"response_type": "interactive", "keyboard": [[{"text": ""}]]},
    ],
)
def test_an_answer_that_says_nothing_is_empty(fields: dict[str, Any]) -> None:
    with pytest.raises(AIBroken) as caught:
        read_answer(fields, chars_max=100)
    assert caught.value.reason == "empty"


@pytest.mark.parametrize(
    "fields",
    [
        {"response_type": "hologram"},
        {"response_type": 7},
        {"flex_content": ["no", "object"]},
        {"keyboard": "no keyboard"},
        {"confidence": "high"},
        {"confidence": True},
        {"user_insights": ["no", "object"]},
        {"flex_content": {"a": "x" * RICH_BYTES_MAX}},
        {"keyboard": ["x" * RICH_BYTES_MAX]},
        {"user_insights": {"a": "x" * INSIGHTS_BYTES_MAX}},
        {"new_member": {"of": "a later version"}},
    ],
)
def test_what_is_wrong_or_too_large_around_the_text_is_dropped(fields: dict[str, Any]) -> None:
    assert answer(**fields) == answer()


def test_what_is_right_around_the_text_is_kept() -> None:
    flex = {"type": "bubble", "size": "x" * 1_000}
    found = answer(
        response_type="rich", flex_content=flex, keyboard=["A"], confidence=1, user_insights={"tier": "gold"}
    )
    assert found.response_type == "rich"
    assert found.flex_content == flex
    assert found.keyboard == ["A"]
    assert found.confidence == 1.0
    assert found.user_insights == {"tier": "gold"}


def test_control_characters_go_and_line_breaks_stay() -> None:
    assert answer(response_text=" a\x00\x1b\x7fb\r\nc\td ").response_text == "ab\nc\td"


@pytest.mark.parametrize(("text", "expected"), [("x" * 100, "x" * 100), ("x" * 101, "x" * 99 + "…")])
def test_a_long_text_is_cut_at_the_limit(text: str, expected: str) -> None:
    assert answer(response_text=text).response_text == expected


def test_a_long_text_is_not_cut_inside_a_grapheme() -> None:
    family = "👩‍👩‍👧‍👦"
    assert answer(response_text="x" * 95 + family).response_text == "x" * 95 + "…"
