"""Telegram outbound, planned: media, places, people and cards in their nearest form; and whatever else is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent
from tests.contract.telegram_cases import message, part
from tests.contract.telegram_planning import PDF, PHOTO, calls_of, changes_of, plan, rows_of
from tests.fakes.telegram_rules import check_message

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
    assert "colour left out" in changes_of((first,))


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
