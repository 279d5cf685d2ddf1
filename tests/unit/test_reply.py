"""An AI's answer becomes parts: every form of card and keyboard, and nothing malformed loses the text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content import TextContent
from schemas.ids import derived_id
from schemas.outbound import Button, Card, CardContent, ListContent, Part, Section
from schemas.replies import AIAnswer
from streams.ai.templates import CARD, MENU, START, TEMPLATES
from streams.conversation.flex import CARDS_MAX
from streams.conversation.reply import parts_of, rows_of

YES = Button(label="Yes", data="YES")
SITE = Button(label="Site", url="https://example.com/a")


def text_box(*texts: str, layout: str = "vertical", **more: Any) -> dict[str, Any]:
    contents = [{"type": "text", "text": text, **more} for text in texts]
    return {"type": "box", "layout": layout, "contents": contents}


def bubble(title: str = "Title", **blocks: Any) -> dict[str, Any]:
    return {"type": "bubble", "header": text_box(title), **blocks}


def rich(flex: Any, text: str = "") -> AIAnswer:
    return AIAnswer(response_text=text, response_type="rich", flex_content=flex)


def card_of(answer: AIAnswer) -> CardContent:
    (part,) = parts_of(answer, message_id="m")
    assert isinstance(part.content, CardContent)
    return part.content


def texts(parts: tuple[Part, ...]) -> list[str]:
    return [part.content.text for part in parts if isinstance(part.content, TextContent)]


def test_a_text_is_one_part_with_an_id_derived_from_its_message() -> None:
    (part,) = parts_of(AIAnswer(response_text=" hello \n"), message_id="m")
    assert part == Part(id=derived_id("m", "part", 0), content=TextContent(text="hello"))


def test_text_and_card_are_two_parts_in_this_order() -> None:
    first, second = parts_of(rich(bubble(), text="See this:"), message_id="m")
    assert isinstance(first.content, TextContent)
    assert isinstance(second.content, CardContent)
    assert [first.id, second.id] == [derived_id("m", "part", 0), derived_id("m", "part", 1)]


@pytest.mark.parametrize("text", ["", "  \n", "\t"])
def test_an_answer_that_says_nothing_has_no_parts(text: str) -> None:
    assert parts_of(AIAnswer(response_text=text), message_id="m") == ()


def test_the_shipped_card_keeps_its_flex_and_gets_a_neutral_card() -> None:
    content = card_of(TEMPLATES[CARD]["th"])
    assert content.cards == (
        Card(
            title="🤖 Iris Origin AI",
            text="สวัสดีครับ! ผมเป็น AI ที่จะช่วยเหลือคุณ\nมีอะไรให้ช่วยไหมครับ?",
            buttons=(Button(label="เริ่มสนทนา", data=START),),
            color="#2196F3",
        ),
    )
    assert content.flex is not None
    assert content.flex["type"] == "bubble"
    assert content.alt_text.startswith("🤖 Iris Origin AI")


def test_the_shipped_menu_is_three_rows_under_its_text() -> None:
    (part,) = parts_of(TEMPLATES[MENU]["th"], message_id="m")
    labels = [[button.label for button in row] for row in part.rows]
    assert labels == [
        ["🛒 สินค้าและบริการ", "📞 ติดต่อเจ้าหน้าที่"],
        ["❓ คำถามที่พบบ่อย", "⚙️ การตั้งค่า"],
        ["🌟 ให้คะแนนบริการ"],
    ]
    data = [button.data for row in part.rows for button in row]
    assert data == ["menu_products", "menu_contact", "menu_faq", "menu_settings", "menu_rating"]


URI = {"type": "uri", "label": "Site", "uri": "https://example.com/a"}
POSTBACK = {"type": "postback", "label": "Yes", "data": "YES"}


@pytest.mark.parametrize(
    ("flex", "expected"),
    [
        (bubble(body=text_box("one", "two")), Card(title="Title", text="one\ntwo")),
        (bubble(body=text_box("Total", "100", layout="horizontal")), Card(title="Title", text="Total 100")),
        (
            {"type": "bubble", "body": text_box("Head", "below", weight="bold")},
            Card(title="Head", text="below"),
        ),
        ({"type": "bubble", "body": text_box("Head", "below")}, Card(text="Head\nbelow")),
        (
            {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [text_box("deep")]}},
            Card(text="deep"),
        ),
        (
            bubble(body={**text_box(), "contents": [{"type": "text", "contents": [{"type": "span", "text": "span"}]}]}),
            Card(title="Title", text="span"),
        ),
        (
            {"type": "bubble", "hero": {"type": "image", "url": "https://example.com/p.png"}},
            Card(image_url="https://example.com/p.png"),
        ),
        (
            bubble(footer={**text_box(), "contents": [{"type": "button", "action": URI}]}),
            Card(title="Title", buttons=(SITE,)),
        ),
        (
            bubble(
                body={**text_box(), "contents": [{"type": "button", "action": URI}]},
                footer={**text_box(), "contents": [{"type": "button", "action": POSTBACK}]},
            ),
            Card(title="Title", buttons=(YES, SITE)),
        ),
        (
            bubble(footer={**text_box("Yes"), "action": {"type": "message", "text": "yes please"}}),
            Card(title="Title", buttons=(Button(label="Yes", data="yes please"),)),
        ),
        (
            bubble(footer={**text_box(), "contents": [{"type": "button", "action": {**URI, "uri": "javascript:x"}}]}),
            Card(title="Title"),
        ),
        ({"type": "flex", "altText": "Alt", "contents": bubble()}, Card(title="Title")),
        (bubble(action=URI), Card(title="Title", url="https://example.com/a")),
        (
            bubble(hero={"type": "image", "url": "https://example.com/p.png", "action": {**URI, "label": ""}}),
            Card(title="Title", image_url="https://example.com/p.png", url="https://example.com/a"),
        ),
        (
            bubble(body={**text_box("x"), "contents": [{"type": "image", "url": "https://example.com/p.png"}]}),
            Card(title="Title", image_url="https://example.com/p.png"),
        ),
        (bubble(action={**URI, "uri": "javascript:x"}), Card(title="Title")),
    ],
    ids=[
        "texts of the body",
        "side by side shares a line",
        "bold first line is the title",
        "plain first line is not",
        "boxes in boxes",
        "spans",
        "hero",
        "link button",
        "footer before body",
        "box with an action",
        "dangerous link",
        "whole message",
        "a tap on the bubble",
        "a tap on the picture",
        "picture in the body",
        "a tap that opens nothing",
    ],
)
def test_flex_becomes_a_neutral_card(flex: dict[str, Any], expected: Card) -> None:
    content = card_of(rich(flex))
    assert content.cards == (expected,)
    assert content.alt_text


def test_a_carousel_is_cards_side_by_side_up_to_the_limit() -> None:
    flex = {"type": "carousel", "contents": [bubble(f"card {n}") for n in range(CARDS_MAX + 1)]}
    content = card_of(rich(flex))
    assert [card.title for card in content.cards] == [f"card {n}" for n in range(CARDS_MAX)]
    assert content.flex is not None
    assert len(content.flex["contents"]) == CARDS_MAX  # type: ignore[arg-type]


def test_a_broken_bubble_leaves_the_carousel_and_the_others_stay() -> None:
    flex = {"type": "carousel", "contents": [bubble("good"), {"type": "bubble"}, "junk", bubble("also good")]}
    content = card_of(rich(flex))
    assert [card.title for card in content.cards] == ["good", "also good"]
    assert content.flex == {"type": "carousel", "contents": [bubble("good"), bubble("also good")]}


@pytest.mark.parametrize(
    "broken",
    [
        bubble(body={"type": "box", "contents": []}),
        bubble(body={**text_box(), "contents": [{"type": "button", "action": "press"}]}),
        bubble(body={**text_box(), "contents": [{"type": "chart"}]}),
        bubble(body={**text_box(), "contents": [{"type": "text", "text": ""}]}),
        bubble(hero={"type": "image"}),
        bubble(body="words"),
    ],
    ids=["box without layout", "action is no object", "unknown component", "empty text", "image without url", "text"],
)
def test_flex_that_a_platform_would_refuse_is_not_kept_but_its_card_is(broken: dict[str, Any]) -> None:
    content = card_of(rich(broken))
    assert content.flex is None
    assert content.cards[0].title == "Title"


@pytest.mark.parametrize(
    "flex",
    [
        None,
        {},
        {"type": "bubble"},
        {"type": "carousel"},
        {"type": "carousel", "contents": 7},
        {"type": "flex"},
        {"a": 1},
    ],
)
def test_malformed_flex_leaves_the_text(flex: Any) -> None:
    assert texts(parts_of(rich(flex, text="still here"), message_id="m")) == ["still here"]


@pytest.mark.parametrize(
    ("keyboard", "expected"),
    [
        ({"inline_keyboard": [[{"text": "Yes", "callback_data": "YES"}]]}, ((YES,),)),
        ({"inline_keyboard": [[{"text": "Site", "url": "https://example.com/a"}]]}, ((SITE,),)),
        ([[{"label": "Yes", "data": "YES"}, {"label": "Site", "url": "https://example.com/a"}]], ((YES, SITE),)),
        ([{"label": "Yes", "data": "YES"}, {"title": "Yes", "payload": "YES"}], ((YES,), (YES,))),
        ({"keyboard": [["Red", "Blue"]]}, ((Button(label="Red", data="Red"), Button(label="Blue", data="Blue")),)),
        ({"buttons": ["Red"]}, ((Button(label="Red", data="Red"),),)),
        (
            [[{"text": "Yes", "callback_data": "YES"}], "junk", 7, None, [], [3]],
            ((YES,), (Button(label="junk", data="junk"),)),
        ),
        ([{"text": "Bad", "url": "javascript:alert(1)"}], ()),
        (
            [{"text": "", "callback_data": "x"}, {"text": 3, "callback_data": "x"}, {"text": "x", "callback_data": 3}],
            (),
        ),
        ({"inline_keyboard": "no rows"}, ()),
        ({}, ()),
        ("words", ()),
        (None, ()),
    ],
)
def test_every_form_of_keyboard_is_understood_and_junk_left_out(keyboard: Any, expected: Any) -> None:
    assert rows_of(keyboard) == expected


def test_a_keyboard_has_a_hundred_buttons_at_most() -> None:
    rows = rows_of([[{"text": str(n), "data": "x"} for n in range(60)]] * 3)
    assert [len(row) for row in rows] == [60, 40]


def test_a_keyboard_without_a_text_gets_its_labels_as_text() -> None:
    answer = AIAnswer(response_type="interactive", keyboard=["Red", "Blue"])
    (part,) = parts_of(answer, message_id="m")
    assert texts((part,)) == ["Red\nBlue"]
    assert len(part.rows) == 2


@pytest.mark.parametrize(
    "keyboard",
    [
        {"quick_replies": [{"content_type": "text", "title": "Yes", "payload": "YES"}]},
        {"quick_replies": ["YES"]},
        {"keyboard": [["YES"]], "one_time_keyboard": True},
    ],
)
def test_taps_for_one_time_are_quick_replies(keyboard: Any) -> None:
    (part,) = parts_of(AIAnswer(response_text="?", response_type="interactive", keyboard=keyboard), message_id="m")
    assert part.rows == ()
    assert [button.data for button in part.quick_replies] == ["YES"]


def test_sections_are_a_list_with_its_text() -> None:
    rows = [{"id": "ship_1", "title": "Express", "description": "1 day"}, {"id": "ship_2", "title": "Post"}, 7]
    keyboard = {"button": "Options", "title": "Shipping", "sections": [{"title": "All", "rows": rows}, {"rows": []}]}
    (part,) = parts_of(AIAnswer(response_text="?", response_type="interactive", keyboard=keyboard), message_id="m")
    shown = (Button(label="Express", data="ship_1", description="1 day"), Button(label="Post", data="ship_2"))
    sections = (Section(title="All", rows=shown),)
    assert part.content == ListContent(text="?", title="Shipping", label="Options", sections=sections)
    assert (part.rows, part.quick_replies) == ((), ())


@pytest.mark.parametrize("sections", [None, 7, [], [7], [{}], [{"rows": 7}], [{"rows": [{"no": "label"}]}]])
def test_malformed_sections_leave_the_text(sections: Any) -> None:
    answer = AIAnswer(response_text="pick", response_type="interactive", keyboard={"sections": sections})
    assert texts(parts_of(answer, message_id="m")) == ["pick"]


def test_a_list_has_a_hundred_rows_at_most() -> None:
    sections = [{"rows": [str(number) for number in range(60)]}] * 3
    (part,) = parts_of(AIAnswer(response_type="interactive", keyboard={"sections": sections}), message_id="m")
    assert isinstance(part.content, ListContent)
    assert [len(section.rows) for section in part.content.sections] == [60, 40]


def test_a_carousel_is_one_part_on_every_platform() -> None:
    """Several bubbles become the cards of one part, so that each platform shows them side by side where it can."""
    flex = {"type": "carousel", "contents": [bubble(f"card {n}", action=URI) for n in range(3)]}
    (part,) = parts_of(rich(flex), message_id="m")
    assert isinstance(part.content, CardContent)
    assert [(card.title, card.url) for card in part.content.cards] == [
        (f"card {n}", "https://example.com/a") for n in range(3)
    ]


def test_a_malformed_keyboard_leaves_the_text() -> None:
    answer = AIAnswer(
        response_text="pick", response_type="interactive", keyboard={"inline_keyboard": [[{"no": "label"}]]}
    )
    (part,) = parts_of(answer, message_id="m")
    assert texts((part,)) == ["pick"]
    assert part.rows == ()


def test_the_type_says_which_members_count() -> None:
    answer = AIAnswer(response_text="only this", flex_content=bubble(), keyboard=["no"])
    (part,) = parts_of(answer, message_id="m")
    assert part.rows == ()


words = st.sampled_from(
    [
        "type",
        "contents",
        "bubble",
        "carousel",
        "box",
        "text",
        "button",
        "action",
        "uri",
        "header",
        "body",
        "footer",
        "hero",
    ]
) | st.text(max_size=4)
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=25,
)


@given(flex=st.dictionaries(words, junk, max_size=5), keyboard=junk, kind=st.sampled_from(["rich", "interactive"]))
def test_no_answer_raises_and_the_text_always_goes_first(flex: Any, keyboard: Any, kind: Any) -> None:
    shapes = ({**flex, "type": "bubble"}, {"type": "carousel", "contents": [{**flex, "type": "bubble"}]}, flex)
    for shape in shapes:
        answer = AIAnswer(response_text="kept", response_type=kind, flex_content=shape, keyboard=keyboard)
        parts = parts_of(answer, message_id="m")
        assert texts(parts[:1]) == ["kept"]
        assert len({part.id for part in parts}) == len(parts) <= 10
