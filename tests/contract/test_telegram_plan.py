"""Telegram outbound, planned: every part in its nearest form within the limits, nothing lost or changed in silence."""

import pytest

from connectors.interface import Channel
from connectors.telegram.api import split_peer
from schemas.content import (
    MediaContent,
)
from schemas.outbound import Button
from tests.contract.telegram_cases import TOKEN, message, part
from tests.contract.telegram_planning import PHOTO, calls_of, changes_of, plan, rows_of, text
from tests.fakes.telegram_rules import units

FAMILY = "👨‍👩‍👧‍👦"


# Addresses.


def test_a_text_is_sent_as_it_is() -> None:
    (call,) = calls_of(text("<b>5 * 3_000</b> [x](y) สวัสดี"))
    assert (call.name, call.method) == ("sendMessage", "POST")
    assert call.body == {"chat_id": 600000001, "text": "<b>5 * 3_000</b> [x](y) สวัสดี"}
    assert call.changes == ()


def test_the_token_is_a_placeholder() -> None:
    (call,) = calls_of(text())
    assert call.url == "https://api.telegram.org/bot{secret:bot_token}/sendMessage"
    assert TOKEN not in repr(call)


def test_api_base_replaces_the_official_address() -> None:
    own = Channel("main", "telegram", {}, api_base="http://127.0.0.1:8081/")
    (call,) = plan(message(part(text())), own)
    assert call.url == "http://127.0.0.1:8081/bot{secret:bot_token}/sendMessage"


@pytest.mark.parametrize(
    ("peer", "target"),
    [
        ("600000001", (600000001, None)),
        ("-1000000000001", (-1000000000001, None)),
        ("600000001~BC~1", (600000001, "BC~1")),
        ("@news", ("@news", None)),
        ("-", ("-", None)),
        ("", ("", None)),
        ("٣", ("٣", None)),
        ("9" * 5000, ("9" * 5000, None)),
    ],
)
def test_a_peer_is_a_chat_and_perhaps_a_business_connection(peer: str, target: tuple[int | str, str | None]) -> None:
    assert split_peer(peer) == target


def test_a_business_chat_is_answered_through_its_connection() -> None:
    (call,) = plan(message(part(text()), peer="600000001~BC1"))
    assert call.body["business_connection_id"] == "BC1"


# The whole message.


def test_callback_answers_come_first_and_are_seen_by_nobody() -> None:
    first, second, visible = plan(message(part(text()), callback_ids=("q1", "q2")))
    assert [first.body, second.body] == [{"callback_query_id": "q1"}, {"callback_query_id": "q2"}]
    for call in (first, second):
        assert (call.name, call.is_visible, call.part_ids) == ("answerCallbackQuery", False, ())
    assert visible.is_visible


def test_parts_go_out_in_order_and_only_the_first_call_quotes() -> None:
    parts = (part(text("a"), id="p1"), part(MediaContent(kind="image", url=PHOTO), id="p2"), part(text("c"), id="p3"))
    calls = plan(message(*parts, reply_to="11", callback_ids=("q",)))[1:]
    assert [call.part_ids for call in calls] == [("p1",), ("p2",), ("p3",)]
    quotes = [call.body.get("reply_parameters") for call in calls]
    assert quotes == [{"message_id": 11, "allow_sending_without_reply": True}, None, None]


@pytest.mark.parametrize("reply_to", ["mid.abc", "", "-1", "٣"])
def test_a_message_id_of_another_form_is_not_quoted(reply_to: str) -> None:
    (call,) = plan(message(part(text()), reply_to=reply_to))
    assert "reply_parameters" not in call.body


# Texts.


@pytest.mark.parametrize(
    ("words", "messages"),
    [("x" * 4096, 1), ("x" * 4097, 2), ("😀" * 2048, 1), ("😀" * 2048 + "x", 2), ("ก้" * 2048, 1), ("ก้" * 2049, 2)],
    ids=lambda value: f"{value[:2]}{len(value)}" if isinstance(value, str) else str(value),
)
def test_a_text_holds_4096_utf16_units(words: str, messages: int) -> None:
    calls = calls_of(text(words))
    assert len(calls) == messages
    assert "".join(call.body["text"] for call in calls) == words
    assert bool(changes_of(calls)) == (messages > 1)


def test_no_grapheme_is_cut() -> None:
    words = "x" * 4090 + FAMILY * 2
    assert [call.body["text"] for call in calls_of(text(words))] == ["x" * 4090, FAMILY * 2]


def test_the_buttons_stand_under_the_last_message_of_a_long_text() -> None:
    calls = calls_of(text("word " * 2000), rows=((Button(label="Yes", data="YES"),),))
    assert ["reply_markup" in call.body for call in calls] == [False] * (len(calls) - 1) + [True]


@pytest.mark.parametrize("words", ["", "  \n "])
def test_an_empty_text_is_said_to_be_empty(words: str) -> None:
    calls = calls_of(text(words))
    assert [call.body["text"] for call in calls] == ["…"]
    assert "no text" in changes_of(calls)


def test_formatting_is_cut_where_the_text_is() -> None:
    words = "😀" * 2047 + " bold" + " tail" * 10
    entity = {"type": "bold", "offset": 4090, "length": 9}
    first, second = calls_of(text(words, entities=(entity,)))
    assert units(first.body["text"]) == 4094
    assert first.body["entities"] == [{"type": "bold", "offset": 4090, "length": 4}]
    assert second.body["entities"] == [{"type": "bold", "offset": 0, "length": 4}]


def test_formatting_stays_in_its_own_of_two_equal_pieces() -> None:
    entity = {"type": "bold", "offset": 4096, "length": 3}
    first, second = calls_of(text("x" * 8192, entities=(entity,)))
    assert "entities" not in first.body
    assert second.body["entities"] == [{"type": "bold", "offset": 0, "length": 3}]


def test_formatting_of_another_platform_is_left_out_and_said_so() -> None:
    calls = calls_of(text("hi", entities=({"index": 0, "length": 2, "type": "user"},)))
    assert "entities" not in calls[0].body
    assert "formatting" in changes_of(calls)


# Buttons.


def test_buttons_and_quick_replies_are_one_inline_keyboard() -> None:
    (call,) = calls_of(
        text("Choose"),
        rows=((Button(label="Buy", data="buy:1"), Button(label="Site", url="https://example.com")),),
        quick_replies=tuple(Button(label=label, data=label) for label in ("A", "B", "C")),
    )
    assert rows_of(call) == [
        [{"text": "Buy", "callback_data": "buy:1"}, {"text": "Site", "url": "https://example.com"}],
        [{"text": "A", "callback_data": "A"}, {"text": "B", "callback_data": "B"}],
        [{"text": "C", "callback_data": "C"}],
    ]
    assert call.changes == ("quick replies are buttons that stay after a tap",)


@pytest.mark.parametrize("data", ["d" * 64, "ก" * 21 + "d", "😀" * 16])
def test_data_of_64_bytes_is_carried(data: str) -> None:
    (call,) = calls_of(text(), rows=((Button(label="Go", data=data),),))
    assert rows_of(call) == [[{"text": "Go", "callback_data": data}]]
    assert call.changes == ()


@pytest.mark.parametrize("data", ["", "d" * 65, "ก" * 22, "😀" * 16 + "d"])
def test_data_beyond_64_bytes_is_never_shortened(data: str) -> None:
    (call,) = calls_of(text("Choose"), rows=((Button(label="Go", data=data), Button(label="No", data="no")),))
    assert rows_of(call) == [[{"text": "No", "callback_data": "no"}]]
    assert call.body["text"] == "Choose\n• Go"
    assert "a button is written as text" in changes_of((call,))


@pytest.mark.parametrize("url", ["tel:+66800000000", "javascript:x()", "example.com", "https://", "https://[x", ""])
def test_a_link_that_telegram_refuses_becomes_text(url: str) -> None:
    (call,) = calls_of(text("Call us"), rows=((Button(label="Phone", url=url),),))
    assert "reply_markup" not in call.body
    assert call.body["text"].startswith("Call us\n• Phone")
    assert url in call.body["text"]
    assert call.changes


def test_a_button_without_a_label_shows_what_it_does() -> None:
    (call,) = calls_of(text(), rows=((Button(label=" ", data="buy"),),))
    assert rows_of(call) == [[{"text": "buy", "callback_data": "buy"}]]


@pytest.mark.parametrize(("count", "rows"), [(8, [8]), (9, [8, 1])])
def test_a_row_holds_8_buttons(count: int, rows: list[int]) -> None:
    buttons = tuple(Button(label=str(number), data=str(number)) for number in range(count))
    (call,) = calls_of(text(), rows=(buttons,))
    assert [len(row) for row in rows_of(call)] == rows
    assert bool(call.changes) == (len(rows) > 1)


@pytest.mark.parametrize(("count", "messages"), [(100, 1), (101, 2), (250, 3)])
def test_a_keyboard_holds_100_buttons(count: int, messages: int) -> None:
    rows = tuple((Button(label=str(number), data=str(number)),) for number in range(count))
    calls = calls_of(text(), rows=rows)
    assert len(calls) == messages
    assert [button["text"] for call in calls for row in rows_of(call) for button in row] == list(map(str, range(count)))
    assert bool(changes_of(calls)) == (messages > 1)


def test_buttons_that_became_text_follow_a_picture_as_text() -> None:
    photo = MediaContent(kind="image", url=PHOTO, caption="Map")
    picture, words = calls_of(photo, rows=((Button(label="Long", data="d" * 65), Button(label="Ok", data="ok")),))
    assert picture.body["caption"] == "Map"
    assert words.body["text"] == "• Long"
    assert rows_of(words) == [[{"text": "Ok", "callback_data": "ok"}]]


def test_buttons_that_became_text_do_not_push_a_full_text_over_its_limit() -> None:
    first, second = calls_of(text("x" * 4096), rows=((Button(label="Long", data="d" * 65),),))
    assert (first.body["text"], second.body["text"]) == ("x" * 4096, "• Long")
