"""Messenger's planner: media, stickers, places, people, templates and cards in their nearest faithful form.

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
from tests.contract.messenger_planning import plan
from tests.contract.meta_planning import LINK, changes, messages, numbered, part, taps, template
from tests.fakes.messenger_views import texts_of


@pytest.mark.parametrize(
    ("kind", "native"),
    [("image", "image"), ("video", "video"), ("audio", "audio"), ("voice", "audio"), ("file", "file")],
)
def test_media_goes_by_link(kind: str, native: str) -> None:
    calls = plan(part(MediaContent.model_validate({"kind": kind, "url": LINK})))
    assert messages(calls) == [{"attachment": {"type": native, "payload": {"url": LINK}}}]


def test_media_that_was_uploaded_goes_by_its_id() -> None:
    calls = plan(part(MediaContent(kind="image", media_id="55")))
    assert messages(calls) == [{"attachment": {"type": "image", "payload": {"attachment_id": "55"}}}]


def test_a_caption_follows_as_its_own_message_with_the_buttons() -> None:
    calls = plan(part(MediaContent(kind="image", url=LINK, caption="Map"), *taps("Go")))
    assert "attachment" in calls[0].body["message"]
    assert template(calls[1])["text"] == "Map"
    assert changes(calls) == ["caption sent as its own message"]


def test_media_without_a_link_is_at_least_named() -> None:
    calls = plan(part(MediaContent(kind="file", file_name="price.pdf")))
    assert messages(calls) == [{"text": "price.pdf"}]
    assert changes(calls) == ["file written as text: no web link"]


@pytest.mark.parametrize(
    ("sticker", "message", "change"),
    [
        (StickerContent(sticker_id="369239263222822"), {"sticker_id": 369239263222822}, []),
        (
            StickerContent(sticker_id="52002734", package_id="11537", url=LINK),
            {"attachment": {"type": "image", "payload": {"url": LINK}}},
            ["sticker sent as an image"],
        ),
        (StickerContent(sticker_id="CAACAg", emoji="👍"), {"text": "👍"}, ["sticker written as text"]),
        (StickerContent(sticker_id="x"), {"text": "[sticker]"}, ["sticker written as text"]),
    ],
)
def test_a_sticker_takes_the_nearest_form(sticker: StickerContent, message: dict[str, Any], change: list[str]) -> None:
    calls = plan(part(sticker))
    assert messages(calls) == [message]
    assert changes(calls) == change


def test_a_place_is_written_with_a_map_link() -> None:
    calls = plan(part(LocationContent(latitude=13.75, longitude=100.5, name="Shop", address="Silom")))
    assert messages(calls) == [{"text": "Shop\nSilom\nhttps://www.google.com/maps?q=13.75,100.5"}]
    assert changes(calls) == ["location written as text with a map link"]


def test_a_contact_is_written_out() -> None:
    calls = plan(part(ContactContent(name="Ana", phones=("+661",), emails=("a@example.com",))))
    assert messages(calls) == [{"text": "Ana\n+661\na@example.com"}]
    assert changes(calls) == ["contact written as text"]


def test_a_template_is_a_utility_message() -> None:
    content = TemplateContent(name="order_update", language="th", parameters=("A-1001",))
    (call,) = plan(part(content, quick_replies=taps("Yes")))
    assert call.body["messaging_type"] == "UTILITY"
    assert call.body["template"] == {
        "name": "order_update",
        "language": {"code": "th"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "A-1001"}]}],
    }
    assert call.changes == ("quick replies left out: an approved template carries none",)


def card(**members: Any) -> Card:
    return Card(image_url=LINK, **members)


def test_cards_become_a_generic_template() -> None:
    content = CardContent(cards=(card(title="Tea", text="Green", buttons=taps("Buy")),), alt_text="Tea")
    (call,) = plan(part(content))
    buttons = [{"type": "postback", "title": "Buy", "payload": "BUY"}]
    element = {"title": "Tea", "subtitle": "Green", "image_url": LINK, "buttons": buttons}
    assert template(call) == {"template_type": "generic", "elements": [element]}
    assert call.changes == ()


@pytest.mark.parametrize(("count", "sizes"), [(10, [10]), (11, [10, 1])])
def test_more_cards_than_a_template_holds_go_to_a_second_one(count: int, sizes: list[int]) -> None:
    cards = tuple(card(title=f"Tea {number}") for number in range(count))
    calls = plan(part(CardContent(cards=cards, alt_text="Teas")))
    assert [len(template(call)["elements"]) for call in calls] == sizes
    assert changes(calls) == ([] if count == 10 else ["11 cards on 2 messages"])


@pytest.mark.parametrize(("count", "elements"), [(3, 1), (4, 2)])
def test_more_buttons_than_a_card_holds_continue_on_another_card(count: int, elements: int) -> None:
    (call,) = plan(part(CardContent(cards=(card(title="Tea", buttons=numbered(count)),), alt_text="Tea")))
    assert [element["title"] for element in template(call)["elements"]] == ["Tea"] * elements
    data = [button["payload"] for element in template(call)["elements"] for button in element["buttons"]]
    assert data == [f"B{number}" for number in range(count)]


@pytest.mark.parametrize(("length", "count"), [(80, 1), (81, 2)])
@pytest.mark.parametrize("member", ["title", "text"])
def test_words_too_long_for_a_card_follow_in_full(member: str, length: int, count: int) -> None:
    words = {"title": "Tea", "text": "Green"} | {member: "x" * length}
    calls = plan(part(CardContent(cards=(card(**words),), alt_text="Tea")))
    assert len(calls) == count
    if count == 2:
        assert messages(calls)[1] == {"text": "x" * length}
        assert changes(calls) == ["a card's text cut to 80 characters and repeated below"]


def test_a_card_without_a_picture_is_text_with_buttons() -> None:
    content = CardContent(
        cards=(Card(title="Iris", text="Hello", buttons=taps("Start"), color="#2196F3"),),
        alt_text="Iris",
        flex={"type": "bubble"},
    )
    (call,) = plan(part(content))
    assert template(call)["text"] == "Iris\nHello"
    assert call.changes == ("flex layout shown as a plain card", "card colour left out")


@pytest.mark.parametrize("cards", [(Card(),), (Card(), Card()), (Card(image_url="ftp://x"), card())])
def test_a_bare_card_says_its_alternative_text(cards: tuple[Card, ...]) -> None:
    calls = plan(part(CardContent(cards=cards, alt_text="Teas")))
    assert "Teas" in " ".join(text for call in calls for text in texts_of(call.body))


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60) | st.text("กิ้👩‍👧 ab\n", max_size=3000)
URLS = st.sampled_from([LINK, "http://example.com", "tel:1", "", "line://x"])
BUTTONS = st.builds(Button, label=WORDS, data=st.none() | st.text("d", max_size=1200), url=st.none() | URLS)
CARDS = st.builds(
    Card,
    title=st.none() | WORDS,
    text=st.none() | WORDS,
    image_url=st.none() | URLS,
    buttons=st.lists(BUTTONS, max_size=5).map(tuple),
)
CONTENTS: st.SearchStrategy[PartContent] = st.one_of(
    st.builds(TextContent, text=WORDS),
    st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "voice", "file"]),
        url=st.none() | URLS,
        media_id=st.none() | st.just("5"),
        caption=st.none() | WORDS,
    ),
    st.builds(StickerContent, sticker_id=st.sampled_from(["5", "x", ""]), url=st.none() | URLS),
    st.builds(CardContent, cards=st.lists(CARDS, min_size=1, max_size=12).map(tuple), alt_text=WORDS),
    st.builds(ContactContent, name=WORDS, phones=st.lists(WORDS, max_size=2).map(tuple)),
)
PARTS = st.builds(
    Part,
    id=st.uuids().map(str),
    content=CONTENTS,
    rows=st.lists(st.lists(BUTTONS, max_size=4).map(tuple), max_size=3).map(tuple),
    quick_replies=st.lists(BUTTONS, max_size=16).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=3, unique_by=lambda one: one.id))
def test_whatever_is_asked_is_planned_within_the_platforms_rules(parts: list[Part]) -> None:
    calls = plan(*parts)
    sent = json.dumps([call.body for call in calls])
    said = "".join("".join(word.split()) for call in calls for word in texts_of(call.body))
    for one in parts:
        if isinstance(one.content, TextContent):
            assert "".join(one.content.text.split()) in said
        buttons = [*one.quick_replies, *(button for row in one.rows for button in row)]
        for button in buttons:
            if button.data and len(button.data) <= 1000:
                assert json.dumps(button.data) in sent
            elif button.data is None and button.url:
                assert button.url in sent
