"""WhatsApp's planner: media, stickers, places, people, templates and cards in their nearest faithful form.

The last test asks for anything at all: the plan stays within the platform's rules and loses no tap.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent, Part, PartContent
from tests.contract.meta_planning import LINK, changes, part, taps
from tests.contract.whatsapp_planning import contents, interactive, plan, replies

VOICE = "https://files.example.com/a.OGG?x=1"


def media(kind: str, **more: Any) -> MediaContent:
    return MediaContent.model_validate({"kind": kind} | more)


@pytest.mark.parametrize(
    ("kind", "given_", "native", "value"),
    [
        ("image", {"url": LINK}, "image", {"link": LINK}),
        ("image", {"url": LINK, "caption": "Map"}, "image", {"link": LINK, "caption": "Map"}),
        ("video", {"url": LINK, "caption": "Film"}, "video", {"link": LINK, "caption": "Film"}),
        ("audio", {"url": LINK}, "audio", {"link": LINK}),
        ("file", {"url": LINK}, "document", {"link": LINK}),
        (
            "file",
            {"url": LINK, "file_name": "i.pdf", "caption": "Invoice"},
            "document",
            {"link": LINK, "filename": "i.pdf", "caption": "Invoice"},
        ),
        ("image", {"media_id": "4000001"}, "image", {"id": "4000001"}),
        ("image", {"url": LINK, "media_id": "4000001"}, "image", {"link": LINK}),
        ("voice", {"url": VOICE}, "audio", {"link": VOICE, "voice": True}),
        ("voice", {"url": LINK, "mime_type": "audio/ogg; codecs=opus"}, "audio", {"link": LINK, "voice": True}),
        ("voice", {"media_id": "4000001"}, "audio", {"id": "4000001", "voice": True}),
    ],
)
def test_media_goes_by_link_or_id_with_its_caption(kind: str, given_: Any, native: str, value: Any) -> None:
    calls = plan(part(media(kind, **given_)))
    assert contents(calls) == [(native, value)]
    assert changes(calls) == []


def test_a_voice_note_that_is_no_ogg_file_is_plain_audio() -> None:
    for content in (media("voice", url=LINK), media("voice", media_id="4", mime_type="audio/mpeg")):
        calls = plan(part(content))
        assert [kind for kind, _ in contents(calls)] == ["audio"]
        assert "voice" not in calls[0].body["audio"]
        assert changes(calls) == ["voice sent as plain audio: not an Ogg file"]


@pytest.mark.parametrize(("length", "count"), [(1024, 1), (1025, 2)])
def test_a_caption_beyond_its_limit_is_a_message_of_its_own(length: int, count: int) -> None:
    calls = plan(part(media("image", url=LINK, caption="x" * length)))
    assert [kind for kind, _ in contents(calls)] == ["image", "text"][:count]
    assert changes(calls) == ([] if count == 1 else ["caption sent as its own message"])


def test_a_picture_with_buttons_is_one_message_with_a_header() -> None:
    (call,) = plan(part(media("image", url=LINK, caption="Tea"), *taps("Buy")))
    assert interactive(call)["header"] == {"type": "image", "image": {"link": LINK}}
    assert interactive(call)["body"] == {"text": "Tea"}
    (call,) = plan(part(media("file", url=LINK, file_name="i.pdf"), Button(label="Pay", url="https://pay.example")))
    assert interactive(call)["header"] == {"type": "document", "document": {"link": LINK, "filename": "i.pdf"}}
    assert interactive(call)["type"] == "cta_url"


def test_a_picture_above_a_list_is_a_message_of_its_own() -> None:
    calls = plan(part(media("image", url=LINK, caption="Tea"), *taps("a", "b", "c", "d")))
    assert [kind for kind, _ in contents(calls)] == ["image", "interactive"]
    assert "caption" not in calls[0].body["image"]
    assert "picture sent as its own message: a list has none" in changes(calls)


def test_audio_carries_neither_words_nor_buttons() -> None:
    calls = plan(part(media("audio", url=LINK, caption="Listen"), *taps("Again")))
    assert [kind for kind, _ in contents(calls)] == ["audio", "interactive"]
    assert interactive(calls[1])["body"] == {"text": "Listen"}
    assert changes(calls) == ["caption or buttons sent as their own message"]


def test_media_without_a_link_is_at_least_named() -> None:
    calls = plan(part(media("file", file_name="price.pdf")))
    assert contents(calls) == [("text", {"body": "price.pdf", "preview_url": False})]
    assert changes(calls) == ["file written as text: no web link"]


@pytest.mark.parametrize(
    ("sticker", "content", "change"),
    [
        (StickerContent(sticker_id="400000000000006"), ("sticker", {"id": "400000000000006"}), []),
        (
            StickerContent(sticker_id="x", url="https://example.com/s.WEBP"),
            ("sticker", {"link": "https://example.com/s.WEBP"}),
            [],
        ),
        (
            StickerContent(sticker_id="52002734", package_id="11537", url=LINK),
            ("image", {"link": LINK}),
            ["sticker sent as an image: not WebP"],
        ),
        (
            StickerContent(sticker_id="1", package_id="1", emoji="🙂"),
            ("text", {"body": "🙂", "preview_url": False}),
            ["sticker written as text: no web link"],
        ),
    ],
)
def test_stickers(sticker: StickerContent, content: tuple[str, Any], change: list[str]) -> None:
    calls = plan(part(sticker))
    assert contents(calls) == [content]
    assert changes(calls) == change


def test_a_place_is_a_place_and_its_buttons_follow() -> None:
    place = LocationContent(latitude=48.2, longitude=16.37, name="Shop", address="Main St 1")
    calls = plan(part(place, *taps("Route")))
    shown = {"latitude": 48.2, "longitude": 16.37, "name": "Shop", "address": "Main St 1"}
    assert contents(calls)[0] == ("location", shown)
    assert replies(calls[1]) == [{"id": "ROUTE", "title": "Route"}]


def test_a_person_is_a_contact_card() -> None:
    person = ContactContent(name="Ana E", phones=("+15555550124",), emails=("ana@example.com",))
    card = {
        "name": {"formatted_name": "Ana E", "first_name": "Ana E"},
        "phones": [{"phone": "+15555550124"}],
        "emails": [{"email": "ana@example.com"}],
    }
    assert contents(plan(part(person))) == [("contacts", [card])]
    nameless = {"name": {"formatted_name": "+1", "first_name": "+1"}, "phones": [{"phone": "+1"}]}
    assert contents(plan(part(ContactContent(name=" ", phones=("+1",))))) == [("contacts", [nameless])]


def test_a_template_is_thai_unless_it_names_its_language() -> None:
    (call,) = plan(part(TemplateContent(name="order_update", parameters=("Ana", "A-1001"))), language="en")
    body = {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "A-1001"}]}
    assert call.body["template"] == {"name": "order_update", "language": {"code": "th"}, "components": [body]}
    (call,) = plan(part(TemplateContent(name="order_update", language="en_US")))
    assert call.body["template"] == {"name": "order_update", "language": {"code": "en_US"}}


def test_a_template_takes_components_in_whatsapps_own_form_and_no_other_buttons() -> None:
    header = {"type": "header", "parameters": [{"type": "image", "image": {"id": "4"}}]}
    content = TemplateContent(name="promo", parameters=("Ana",), native={"components": [header]})
    calls = plan(part(content, *taps("Buy")))
    assert contents(calls) == [("template", {"name": "promo", "language": {"code": "th"}, "components": [header]})]
    assert changes(calls) == ["buttons left out: a template has those it was approved with"]


def test_cards_stand_one_below_the_other_with_picture_words_and_buttons() -> None:
    tea = Card(title="Tea", text="Green", image_url=LINK, buttons=taps("Buy"))
    milk = Card(title="2*3", text="Blue", color="#00FF00")
    calls = plan(part(CardContent(cards=(tea, milk), alt_text="drinks"), *taps("All")))
    assert [interactive(call)["body"]["text"] for call in calls] == ["*Tea*\nGreen", "2*3\nBlue"]
    assert interactive(calls[0])["header"] == {"type": "image", "image": {"link": LINK}}
    assert [[reply["id"] for reply in replies(call)] for call in calls] == [["BUY"], ["ALL"]]
    assert changes(calls) == ["card colour left out", "2 cards one below the other"]


def test_a_card_without_buttons_is_a_captioned_picture_or_a_text() -> None:
    calls = plan(part(CardContent(cards=(Card(title="Tea", image_url=LINK), Card(image_url="x:y")), alt_text="tea")))
    assert contents(calls) == [
        ("image", {"link": LINK, "caption": "*Tea*"}),
        ("text", {"body": "tea", "preview_url": False}),
    ]
    assert "card picture left out: no web link" in changes(calls)


WORDS = st.text(max_size=30) | st.integers(1, 5000).map(lambda length: "x" * length)
LINKS = st.sampled_from([LINK, "ftp://x", "", "https://[::1", "https://example.com/s.webp"]) | st.none()
BUTTON = st.builds(
    Button, label=WORDS, data=st.none() | st.sampled_from(["a", "b", "", "d" * 200, "d" * 201, "d" * 257]), url=LINKS
)
CARD = st.builds(
    Card, title=st.none() | WORDS, text=st.none() | WORDS, image_url=LINKS, buttons=st.lists(BUTTON).map(tuple)
)
CONTENT: st.SearchStrategy[PartContent] = st.one_of(
    st.builds(TextContent, text=WORDS, entities=st.just(())),
    st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "video", "audio", "voice", "file"]),
        url=LINKS,
        media_id=st.none() | st.just("4"),
        caption=st.none() | WORDS,
        file_name=st.none() | st.just("a.pdf"),
        mime_type=st.none() | st.sampled_from(["audio/ogg", "image/png", ""]),
    ),
    st.builds(StickerContent, sticker_id=st.sampled_from(["1", "x", ""]), url=LINKS, emoji=st.none() | st.just("🙂")),
    st.builds(LocationContent, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180)),
    st.builds(ContactContent, name=WORDS, phones=st.lists(st.just("+1"), max_size=2).map(tuple)),
    st.builds(
        TemplateContent, name=st.just("t"), parameters=st.lists(st.text(), max_size=2).map(tuple), native=st.just({})
    ),
    st.builds(CardContent, cards=st.lists(CARD, min_size=1, max_size=3).map(tuple), alt_text=WORDS, flex=st.none()),
)
BUTTONS = st.lists(BUTTON, max_size=13).map(tuple)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CONTENT, BUTTONS, BUTTONS), min_size=1, max_size=3))
def test_any_message_is_planned_within_the_rules_and_loses_no_tap(drawn: list[Any]) -> None:
    parts = [
        Part(id=f"part-{number}", content=content, rows=(rows,), quick_replies=quick)
        for number, (content, rows, quick) in enumerate(drawn)
    ]
    calls = plan(*parts)
    shown = json.dumps([call.body for call in calls])
    for content, rows, quick in drawn:
        if isinstance(content, TemplateContent):
            continue
        for tap in (*rows, *quick):
            if tap.data and len(tap.data) <= 200:
                assert json.dumps({"id": tap.data})[1:-1] in shown
