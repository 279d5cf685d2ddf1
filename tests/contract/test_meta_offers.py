"""What Messenger and Instagram plan alike and what only one of them has: products, reactions, actions, links of cards.

Every planned body is put before the fake's rules (``messenger_planning.plan``, ``instagram_planning.plan``).
"""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.interface import Call
from schemas.content import MediaContent, TemplateContent, TextContent
from schemas.outbound import (
    Button,
    Card,
    CardContent,
    ListContent,
    Part,
    PartContent,
    ProductContent,
    ProductSection,
    ReactionContent,
    Section,
)
from tests.contract import instagram_planning, messenger_planning

Plan = Callable[..., tuple[Call, ...]]
LINK = "https://files.example.com/a.jpg"
HELLO = TextContent(text="hi")
PLANS: dict[str, Plan] = {"messenger": messenger_planning.plan, "instagram": instagram_planning.plan}
both = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)


def part(content: PartContent, *rows: Button, quick: tuple[Button, ...] = (), id: str = "part-1") -> Part:
    return Part(id=id, content=content, rows=(rows,) if rows else (), quick_replies=quick)


def taps(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label=label, data=label.upper()) for label in labels)


def payload(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.body["message"]["attachment"]["payload"]
    return found


def products(count: int, **more: Any) -> ProductContent:
    ids = tuple(f"{number}" for number in range(count))
    sections = (ProductSection(title="Tea", product_ids=ids),) if ids else ()
    return ProductContent.model_validate({"text": "Our tea", "sections": sections} | more)


@both
def test_read_and_typing_go_first_and_nobody_sees_them(plan: Plan) -> None:
    seen, typing, said = plan(part(HELLO), mark_read="m_1", typing=True)
    assert [set(call.body) for call in (seen, typing)] == [{"recipient", "sender_action"}] * 2
    assert [call.body["sender_action"] for call in (seen, typing)] == ["mark_seen", "typing_on"]
    assert [(call.is_visible, call.part_ids) for call in (seen, typing, said)] == [
        (False, ()),
        (False, ()),
        (True, ("part-1",)),
    ]


@both
def test_a_reaction_is_set_and_taken_away_and_takes_no_quick_reply_away(plan: Plan) -> None:
    said, set_, gone = plan(
        part(HELLO, quick=taps("Yes"), id="a"),
        part(ReactionContent(message_id="m_1", emoji="❤️"), id="b"),
        part(ReactionContent(message_id="m_1"), id="c"),
        reply_to="m_1",
    )
    assert set_.body["sender_action"] == "react"
    assert set_.body["payload"] == {"message_id": "m_1", "reaction": "love"}
    assert (gone.body["sender_action"], gone.body["payload"]) == ("unreact", {"message_id": "m_1"})
    assert all(call.is_visible and call.idempotency_key for call in (set_, gone))
    assert said.body["message"]["quick_replies"][0]["payload"] == "YES"
    assert said.body["reply_to"] == {"mid": "m_1"}


@both
def test_a_reaction_that_has_no_name_is_said_as_a_message(plan: Plan) -> None:
    (call,) = plan(part(ReactionContent(message_id="m_1", emoji="🥐")))
    assert call.body["message"]["text"] == "🥐"
    assert call.changes


@pytest.mark.parametrize(
    ("emoji", "name"),
    [("👍", "like"), ("👎", "dislike"), ("😆", "smile"), ("😮", "wow"), ("😢", "sad"), ("😠", "angry")],
)
def test_messenger_has_seven_reactions_and_instagram_one(emoji: str, name: str) -> None:
    (call,) = PLANS["messenger"](part(ReactionContent(message_id="m_1", emoji=emoji)))
    assert call.body["payload"]["reaction"] == name
    (call,) = PLANS["instagram"](part(ReactionContent(message_id="m_1", emoji=emoji)))
    assert call.body["message"]["text"] == emoji


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (10, [10]), (11, [10, 1])])
def test_products_stand_ten_to_a_template_under_their_words(count: int, sizes: list[int]) -> None:
    words, *shown = PLANS["messenger"](part(products(count, title="Green", footer="Fresh")))
    assert words.body["message"]["text"] == "Green\nOur tea\nFresh"
    assert [payload(call)["template_type"] for call in shown] == ["product"] * len(sizes)
    assert [len(payload(call)["elements"]) for call in shown] == sizes
    assert payload(shown[0])["elements"][0] == {"id": "0"}
    assert any("on 2 messages" in change for change in words.changes) == (len(sizes) == 2)


def test_what_is_in_no_catalogue_of_the_page_is_shown_as_cards_or_words() -> None:
    tea = (Card(title="Tea", image_url=LINK),)
    cards = [PLANS["instagram"](part(products(2, cards=tea))), PLANS["messenger"](part(products(0, cards=tea)))]
    for (call,) in cards:
        assert payload(call)["elements"][0]["title"] == "Tea"
        assert call.changes
    (call,) = PLANS["instagram"](part(products(2)))
    assert call.body["message"]["text"] == "Our tea"


@both
def test_a_tap_on_a_card_opens_its_link(plan: Plan) -> None:
    cards = (Card(title="Tea", image_url=LINK, url="https://example.com/t"), Card(title="Milk", text="Cold"))
    (call,) = plan(part(CardContent(cards=cards, alt_text="drinks")))
    first, second = payload(call)["elements"]
    assert first["default_action"] == {"type": "web_url", "url": "https://example.com/t"}
    assert "default_action" not in second
    (call,) = plan(part(CardContent(cards=(Card(title="Tea", url="https://example.com/t"),), alt_text="t")))
    assert payload(call)["buttons"] == [{"type": "web_url", "title": "Tea", "url": "https://example.com/t"}]


@both
def test_blank_data_is_no_payload_and_its_label_is_written(plan: Plan) -> None:
    (call,) = plan(part(HELLO, quick=(Button(label="Blank", data=" \n"),)))
    assert call.body["message"]["text"] == "hi\n• Blank"
    assert call.changes


@both
def test_a_list_is_numbered_words_with_quick_replies(plan: Plan) -> None:
    rows = (Button(label="Express", data="a", description="1 day"), Button(label="Post", data="b"))
    (call,) = plan(part(ListContent(text="Choose", title="Ship", sections=(Section(title="All", rows=rows),))))
    assert call.body["message"]["text"] == "Ship\nChoose\n\nAll\n1. Express – 1 day\n2. Post"
    assert [reply["payload"] for reply in call.body["message"]["quick_replies"]] == ["a", "b"]
    assert call.changes == ("list written as numbered text with quick replies",)


def test_number_and_address_are_asked_for_on_messenger_and_in_words_on_instagram() -> None:
    asked = (Button(label="Phone", asks="phone"), Button(label="Mail", asks="email"), *taps("No"))
    (call,) = PLANS["messenger"](part(HELLO, quick=asked))
    types = [reply["content_type"] for reply in call.body["message"]["quick_replies"]]
    assert types == ["user_phone_number", "user_email", "text"]
    (call,) = PLANS["instagram"](part(HELLO, quick=asked))
    assert call.body["message"]["text"] == "hi\n• Phone\n• Mail"
    assert len(call.body["message"]["quick_replies"]) == 1
    assert call.changes


def test_a_template_of_messengers_is_thai_and_takes_variables_everywhere() -> None:
    content = TemplateContent(name="t", header=MediaContent(kind="image", url=LINK), named_parameters={"a": "b"})
    (call,) = PLANS["messenger"](part(content), language="en")
    assert call.body["template"]["language"] == {"code": "th"}
    assert [component["type"] for component in call.body["template"]["components"]] == ["header", "body"]


@both
def test_an_edit_is_a_new_message_and_a_deletion_is_none(plan: Plan) -> None:
    (call,) = plan(Part(id="part-1", content=HELLO, edit_of="m_1"))
    assert call.changes == ("sent as a new message: there are no edits here",)


# Limits: at the limit as asked, one beyond it changed, and that is said.


def media(kind: str, size: int, *, url: str | None = LINK) -> Part:
    content = {"kind": kind, "url": url, "media_id": None if url else "77", "size_bytes": size}
    return part(MediaContent.model_validate(content))


def card(**members: Any) -> Part:
    return part(CardContent(cards=(Card.model_validate({"title": "t", "image_url": LINK} | members),), alt_text="a"))


def cards(count: int) -> Part:
    return part(CardContent(cards=(Card(title="t", text="x"),) * count, alt_text="a"))


MB = 1_000_000
COMMON: dict[str, tuple[int, Callable[[int], Part]]] = {
    "quick replies": (13, lambda n: part(HELLO, quick=taps(*map(str, range(n))))),
    "quick reply title": (20, lambda n: part(HELLO, quick=taps("x" * n))),
    "quick reply payload": (1000, lambda n: part(HELLO, quick=(Button(label="a", data="d" * n),))),
    "buttons": (3, lambda n: part(HELLO, *taps(*map(str, range(n))))),
    "button title": (20, lambda n: part(HELLO, *taps("x" * n))),
    "button payload": (1000, lambda n: part(HELLO, Button(label="a", data="d" * n))),
    "cards": (10, cards),
    "card title": (80, lambda n: card(title="x" * n)),
    "card subtitle": (80, lambda n: card(text="x" * n)),
    "card buttons": (3, lambda n: card(buttons=taps(*map(str, range(n))))),
    "film": (25 * MB, lambda n: media("video", n)),
    "sound": (25 * MB, lambda n: media("audio", n)),
    "file": (25 * MB, lambda n: media("file", n)),
    "picture by link": (8 * MB, lambda n: media("image", n)),
}
OWN: dict[str, dict[str, tuple[int, Callable[[int], Part]]]] = {
    "messenger": {
        "text": (2000, lambda n: part(TextContent(text="ก" * n))),
        "picture by id": (25 * MB, lambda n: media("image", n, url=None)),
        "products": (10, lambda n: part(products(n, text=""))),
        "template body": (1024, lambda n: part(TemplateContent(name="t", parameters=("x" * n,)))),
    },
    "instagram": {
        "text in bytes": (1000, lambda n: part(TextContent(text="x" * n))),
        "text in Thai letters": (333, lambda n: part(TextContent(text="ก" * n))),
        "text in emoji": (250, lambda n: part(TextContent(text="👍" * n))),
    },
}
LIMITS = [(platform, name) for platform in PLANS for name in (*COMMON, *OWN[platform])]


@pytest.mark.parametrize(("platform", "name"), LIMITS)
def test_at_the_limit_as_asked_and_one_beyond_changed_and_said(platform: str, name: str) -> None:
    most, made = (COMMON | OWN[platform])[name]

    def changes(planned: Part) -> list[str]:
        return [change for call in PLANS[platform](planned) for change in call.changes]

    assert changes(made(most)) == []
    assert changes(made(most + 1)) != []


@both
@pytest.mark.parametrize(("length", "count"), [(640, 1), (641, 2)])
def test_the_words_of_a_button_template_end_at_640_characters(plan: Plan, length: int, count: int) -> None:
    calls = plan(part(TextContent(text="x" * length), *taps("a")))
    assert len(calls) == count
    assert payload(calls[-1])["template_type"] == "button"
