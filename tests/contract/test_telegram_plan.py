"""Telegram outbound, planned: every part in its nearest form within the limits, nothing lost or changed in silence."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface import Call, Channel
from connectors.telegram import PLATFORM
from connectors.telegram.api import split_peer
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent, OutboundMessage
from tests.contract.telegram_cases import CHANNEL, TOKEN, WINDOW, message, part
from tests.fakes.telegram_rules import check_message, units

FAMILY = "👨‍👩‍👧‍👦"
PDF = "https://files.example.com/a.pdf"
PHOTO = "https://files.example.com/a.jpg"


def plan(planned: OutboundMessage, channel: Channel = CHANNEL) -> tuple[Call, ...]:
    return PLATFORM.plan(planned, WINDOW, channel)


def calls_of(content: Any, **more: Any) -> tuple[Call, ...]:
    """The calls for one part, each of them one that the platform takes."""
    calls = plan(message(part(content, **more)))
    for call in calls:
        check_message(call.name, call.body)
        assert call.part_ids == ("p1",)
        assert call.is_visible
    return calls


def text(words: str = "Hi", **more: Any) -> TextContent:
    return TextContent(text=words, **more)


def rows_of(call: Call) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = call.body["reply_markup"]["inline_keyboard"]
    return rows


def changes_of(calls: tuple[Call, ...]) -> str:
    return " | ".join(change for call in calls for change in call.changes)


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


# Media, places, people.

MEDIA: list[tuple[MediaContent, str, dict[str, Any]]] = [
    (MediaContent(kind="image", url=PHOTO, caption="Map"), "sendPhoto", {"photo": PHOTO, "caption": "Map"}),
    (
        MediaContent(kind="video", url="https://x.example/v.mp4", duration_ms=1999),
        "sendVideo",
        {"video": "https://x.example/v.mp4", "duration": 1},
    ),
    (MediaContent(kind="audio", url="https://x.example/a.mp3"), "sendAudio", {"audio": "https://x.example/a.mp3"}),
    (
        MediaContent(kind="voice", url="https://x.example/a", mime_type="audio/ogg; codecs=opus"),
        "sendVoice",
        {"voice": "https://x.example/a"},
    ),
    (MediaContent(kind="file", url=PDF), "sendDocument", {"document": PDF}),
    (
        MediaContent(kind="file", url="https://x.example/A.ZIP?sig=1"),
        "sendDocument",
        {"document": "https://x.example/A.ZIP?sig=1"},
    ),
    (MediaContent(kind="file", media_id="AgFILE"), "sendDocument", {"document": "AgFILE"}),
]


@pytest.mark.parametrize(("content", "method", "fields"), MEDIA, ids=lambda value: str(value)[:40])
def test_media_goes_by_link_or_id(content: MediaContent, method: str, fields: dict[str, Any]) -> None:
    (call,) = calls_of(content)
    assert call.name == method
    assert call.body == {"chat_id": 600000001, **fields}
    assert call.changes == ()


MB = 1024 * 1024
LINKED: list[tuple[str, MediaContent]] = [
    ("a picture above 5 MB", MediaContent(kind="image", url=PHOTO, size_bytes=5 * MB + 1)),
    ("a film above 20 MB", MediaContent(kind="video", url=PHOTO, size_bytes=20 * MB + 1)),
    ("a file that is no pdf, zip or gif", MediaContent(kind="file", url="https://x.example/a.docx")),
    ("a file of unknown type", MediaContent(kind="file", url="https://x.example/get?id=1")),
    ("a file whose type says otherwise", MediaContent(kind="file", url=PDF, mime_type="text/plain")),
    ("a voice note of another type", MediaContent(kind="voice", url="https://x.example/a.amr", mime_type="audio/amr")),
    ("a link of another scheme", MediaContent(kind="image", url="ftp://x.example/a.jpg")),
    ("a link with a space", MediaContent(kind="image", url="https://x.example/a b.jpg")),
]


@pytest.mark.parametrize("content", [content for _, content in LINKED], ids=[name for name, _ in LINKED])
def test_what_telegram_would_not_fetch_is_sent_as_its_link(content: MediaContent) -> None:
    captioned = content.model_copy(update={"caption": "Look"})
    (call,) = calls_of(captioned)
    assert call.body["text"] == f"Look\n{content.url}"
    assert call.changes


@pytest.mark.parametrize(
    "content",
    [
        MediaContent(kind="image", url=PHOTO, size_bytes=5 * MB),
        MediaContent(kind="video", url=PHOTO, size_bytes=20 * MB),
        MediaContent(kind="voice", url=PHOTO, size_bytes=MB),
    ],
    ids=lambda content: content.kind,
)
def test_media_of_exactly_the_size_limit_goes(content: MediaContent) -> None:
    (call,) = calls_of(content)
    assert call.name != "sendMessage"
    assert call.changes == ()


def test_a_voice_note_above_1_mb_says_that_it_arrives_as_a_file() -> None:
    (call,) = calls_of(MediaContent(kind="voice", url=PHOTO, size_bytes=MB + 1))
    assert "as a file" in changes_of((call,))


def test_a_file_name_that_cannot_be_kept_is_said() -> None:
    assert "keeps the name" in changes_of(calls_of(MediaContent(kind="file", url=PDF, file_name="bill.pdf")))
    assert changes_of(calls_of(MediaContent(kind="file", url=PDF, file_name="a.pdf"))) == ""


@pytest.mark.parametrize(("caption", "calls"), [("c" * 1024, 1), ("c" * 1025, 2), ("😀" * 512, 1), ("😀" * 513, 2)])
def test_a_caption_holds_1024_utf16_units(caption: str, calls: int) -> None:
    found = calls_of(MediaContent(kind="image", url=PHOTO, caption=caption))
    assert len(found) == calls
    assert found[-1].body.get("caption", found[-1].body.get("text")) == caption
    assert bool(changes_of(found)) == (calls > 1)


def test_media_without_link_and_id_leaves_its_caption() -> None:
    calls = calls_of(MediaContent(kind="image", caption="Map"))
    assert calls[0].body["text"] == "Map"
    assert "neither link nor id" in changes_of(calls)


OTHERS: list[tuple[str, Any, list[tuple[str, dict[str, Any]]], bool]] = [
    ("own sticker", StickerContent(sticker_id="CAAC"), [("sendSticker", {"sticker": "CAAC"})], False),
    (
        "sticker by link",
        StickerContent(sticker_id="1", url="https://x.example/s.webp"),
        [("sendSticker", {"sticker": "https://x.example/s.webp"})],
        False,
    ),
    (
        "another platform's sticker",
        StickerContent(sticker_id="52002734", package_id="11537", keywords=("hello", "wave")),
        [("sendMessage", {"text": "hello wave"})],
        True,
    ),
    (
        "location",
        LocationContent(latitude=90, longitude=-180),
        [("sendLocation", {"latitude": 90.0, "longitude": -180.0})],
        False,
    ),
    (
        "venue",
        LocationContent(latitude=1, longitude=2, name="Shop", address="1 Road"),
        [("sendVenue", {"latitude": 1.0, "longitude": 2.0, "title": "Shop", "address": "1 Road"})],
        False,
    ),
    (
        "venue with a name only",
        LocationContent(latitude=1, longitude=2, name="Shop"),
        [("sendVenue", {"latitude": 1.0, "longitude": 2.0, "title": "Shop", "address": "Shop"})],
        False,
    ),
    (
        "no point on earth",
        LocationContent(latitude=90.1, longitude=0, name="Shop"),
        [("sendMessage", {"text": "Shop, 90.1, 0.0"})],
        True,
    ),
    (
        "contact",
        ContactContent(name="Bo", phones=("+661",), vcard="v" * 2048),
        [("sendContact", {"phone_number": "+661", "first_name": "Bo", "vcard": "v" * 2048})],
        False,
    ),
    (
        "contact with too large a card",
        ContactContent(name="", phones=("+661",), vcard="v" * 2049),
        [("sendContact", {"phone_number": "+661", "first_name": "+661"})],
        True,
    ),
    (
        "contact with more than a phone",
        ContactContent(name="Bo", phones=("+661", "+662"), emails=("bo@example.com",)),
        [
            ("sendContact", {"phone_number": "+661", "first_name": "Bo"}),
            ("sendMessage", {"text": "+662\nbo@example.com"}),
        ],
        True,
    ),
    (
        "contact without a phone",
        ContactContent(name="Bo", emails=("bo@example.com",)),
        [("sendMessage", {"text": "Bo\nbo@example.com"})],
        True,
    ),
    (
        "template",
        TemplateContent(name="hello", parameters=("Bo",), fallback_text="Hello Bo"),
        [("sendMessage", {"text": "Hello Bo"})],
        True,
    ),
    (
        "template without a text",
        TemplateContent(name="hello", parameters=("Bo",)),
        [("sendMessage", {"text": "hello Bo"})],
        True,
    ),
]


@pytest.mark.parametrize(
    ("content", "expected", "is_changed"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS]
)
def test_other_content_gets_its_nearest_form(
    content: Any, expected: list[tuple[str, dict[str, Any]]], is_changed: bool
) -> None:
    calls = calls_of(content)
    assert [(call.name, call.body) for call in calls] == [
        (method, {"chat_id": 600000001, **fields}) for method, fields in expected
    ]
    assert bool(changes_of(calls)) == is_changed


# Cards.


def test_a_card_is_a_picture_with_a_bold_title_and_buttons() -> None:
    card = Card(title="ชา 🍵", text="50 THB", image_url=PHOTO, buttons=(Button(label="Buy", data="buy"),))
    (call,) = calls_of(CardContent(cards=(card,), alt_text="tea"))
    assert call.name == "sendPhoto"
    assert call.body["caption"] == "ชา 🍵\n50 THB"
    assert call.body["caption_entities"] == [{"type": "bold", "offset": 0, "length": 5}]
    assert rows_of(call) == [[{"text": "Buy", "callback_data": "buy"}]]
    assert call.changes == ()


def test_several_cards_stand_below_each_other_with_their_own_buttons() -> None:
    cards = tuple(Card(title=name, color="#112233", buttons=(Button(label=name, data=name),)) for name in "AB")
    quick = (Button(label="Menu", data="menu"),)
    first, second = calls_of(CardContent(cards=cards, alt_text="both"), quick_replies=quick)
    assert [first.body["text"], second.body["text"]] == ["A", "B"]
    assert [row[0]["text"] for row in rows_of(first)] == ["A"]
    assert [row[0]["text"] for row in rows_of(second)] == ["B", "Menu"]
    assert "below the other" in changes_of((first,))
    assert "no colour" in changes_of((first,))


def test_a_card_with_nothing_but_buttons_says_its_alternative_text() -> None:
    card = Card(buttons=(Button(label="Go", data="go"),))
    (call,) = calls_of(CardContent(cards=(card,), alt_text="Menu"))
    assert call.body["text"] == "Menu"


def test_a_card_whose_picture_cannot_be_fetched_has_its_link_in_words() -> None:
    (call,) = calls_of(CardContent(cards=(Card(title="T", image_url="cid:1"),), alt_text="T"))
    assert (call.name, call.body["text"]) == ("sendMessage", "T\ncid:1")
    assert "picture is written as text" in changes_of((call,))


# Whatever is asked.

LABELS = st.text(max_size=40)
BUTTONS = st.builds(Button, label=LABELS, data=st.text(max_size=80)) | st.builds(
    Button, label=LABELS, url=st.sampled_from(["https://x.example", "tel:1", "x"]) | st.text(max_size=20)
)
URLS = st.sampled_from([PHOTO, PDF, "ftp://x", "x", ""])
CARDS = st.builds(
    Card,
    title=st.none() | st.text(max_size=20) | st.text(min_size=1100, max_size=1200),
    text=st.none() | st.text(max_size=20),
    image_url=st.none() | URLS,
    buttons=st.lists(BUTTONS, max_size=3).map(tuple),
)
CONTENTS = (
    st.builds(TextContent, text=st.text(max_size=60) | st.text(alphabet="aก้😀 \n", min_size=4000, max_size=4300))
    | st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "video", "audio", "voice", "file"]),
        url=st.none() | URLS,
        media_id=st.none() | st.just("AgX"),
        caption=st.none() | st.text(max_size=20) | st.text(min_size=1000, max_size=1100),
        size_bytes=st.none() | st.integers(0, 30 * MB),
    )
    | st.builds(StickerContent, sticker_id=st.text(max_size=5), emoji=st.none() | st.just("🙂"))
    | st.builds(LocationContent, latitude=st.floats(), longitude=st.floats(), name=st.none() | st.text(max_size=5))
    | st.builds(ContactContent, name=st.text(max_size=5), phones=st.lists(st.just("+661"), max_size=2).map(tuple))
    | st.builds(CardContent, cards=st.lists(CARDS, min_size=1, max_size=3).map(tuple), alt_text=st.text(max_size=9))
)


@given(
    contents=st.lists(CONTENTS, min_size=1, max_size=3),
    rows=st.lists(st.lists(BUTTONS, max_size=10).map(tuple), max_size=4).map(tuple),
    quick=st.lists(BUTTONS, max_size=4).map(tuple),
)
def test_every_plan_covers_its_parts_with_calls_that_the_platform_takes(
    contents: list[Any], rows: tuple[tuple[Button, ...], ...], quick: tuple[Button, ...]
) -> None:
    parts = [part(content, id=str(number)) for number, content in enumerate(contents)]
    parts[-1] = parts[-1].model_copy(update={"rows": rows, "quick_replies": quick})
    calls = plan(message(*parts))
    for call in calls:
        check_message(call.name, call.body)
    covered = [part_id for call in calls for part_id in call.part_ids]
    assert covered == sorted(covered)
    assert set(covered) == {item.id for item in parts}
    shown = "\n".join(words for call in calls for words in strings_in(call.body))
    labels = [button.label.strip() for row in (*rows, quick) for button in row]
    assert [label for label in labels if label not in shown] == []


def strings_in(value: Any) -> Iterator[str]:
    """Every text of a request."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings_in(inner)
