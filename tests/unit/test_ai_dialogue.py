"""The embedded service's rules: languages, greetings, the shipped templates, taps, and a fallback that listens."""

from typing import Any

import pytest

from schemas.ids import derived_id
from schemas.outbound import CardContent
from streams.ai.dialogue import QUOTE_GRAPHEMES_MAX, Question, answer, language_of
from streams.ai.templates import CARD, MENU, START, TEMPLATES, YES_NO
from streams.conversation.reply import parts_of

MENU_KEYBOARD = TEMPLATES[MENU]["th"].keyboard


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (Question("สวัสดี"), "th"),
        (Question("hello"), "en"),
        (Question("ขอดู catalog หน่อย"), "th"),
        (Question("bonjour"), "en"),
        (Question("👍", language="en"), "en"),
        (Question("👍", language="th"), "th"),
        (Question("👍", history=(("user", "สวัสดี"), ("assistant", "Hi"), ("user", "hello"))), "en"),
        (Question("👍"), "th"),
        (Question(""), "th"),
    ],
)
def test_the_language_is_that_of_the_script_then_of_what_is_known(question: Question, expected: str) -> None:
    assert language_of(question, is_tap=False) == expected


def test_a_tap_is_answered_in_the_language_of_the_conversation() -> None:
    said = (("user", "hello"), ("assistant", "Hi"))
    assert answer(Question("menu_products")).response_text.startswith("🛒 สินค้า")
    assert answer(Question("menu_products", history=said)).response_text.startswith("🛒 Products")
    assert answer(Question("menu_products", language="en")).response_text.startswith("🛒 Products")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("สวัสดีครับ", "สวัสดีครับ!"),
        ("สวัสดีค่ะ 🙏", "สวัสดีครับ!"),
        ("Hello!", "Hello! I am an AI"),
        ("good morning", "Hello! I am an AI"),
        ("thank you", "You are welcome"),
        ("ขอบคุณครับ", "ยินดีครับ"),
    ],
)
def test_greetings_and_thanks_are_answered_in_kind(text: str, expected: str) -> None:
    assert answer(Question(text)).response_text.startswith(expected)


@pytest.mark.parametrize("text", ["menu", "ขอดูเมนูหน่อยครับ", "Help please", START, "/start"])
def test_the_menu_is_shown_on_request_and_at_the_start(text: str) -> None:
    found = answer(Question(text, language="th"))
    assert found.response_type == "interactive"
    assert len(found.keyboard["inline_keyboard"]) == 3


@pytest.mark.parametrize("text", ["card", "ขอการ์ดครับ", "Tell me about you"])
def test_the_card_is_shown_on_request(text: str) -> None:
    found = answer(Question(text))
    assert found.response_type == "rich"
    assert any(isinstance(part.content, CardContent) for part in parts_of(found, message_id="m"))


def test_every_button_that_is_offered_is_understood() -> None:
    offered = [
        button.data
        for languages in TEMPLATES.values()
        for template in languages.values()
        for part in parts_of(template, message_id="m")
        for row in part.rows
        for button in row
    ]
    assert set(offered) == {"YES", "NO", "menu_products", "menu_contact", "menu_faq", "menu_settings", "menu_rating"}
    for data in [*offered, START]:
        assert answer(Question(data=data or "")).confidence == answer(Question("menu")).confidence


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("Where is parcel 4711?", "I understood: “Where is parcel 4711?”"),
        ("พัสดุอยู่ไหน", "ได้รับข้อความของคุณแล้วครับ: “พัสดุอยู่ไหน”"),
    ],
)
def test_anything_else_is_repeated(text: str, opening: str) -> None:
    assert answer(Question(text)).response_text.startswith(opening)


def test_a_long_question_with_a_known_word_in_it_is_a_question() -> None:
    text = "I ordered a set menu for two last Friday and only half of it came, who can look into this?"
    assert text in answer(Question(text)).response_text


def test_the_earlier_messages_of_the_turn_are_repeated_too() -> None:
    history = (("user", "old"), ("assistant", "answered"), ("user", "size 41"), ("user", "in red"))
    found = answer(Question("and a box", history=history)).response_text
    assert "“size 41 / in red / and a box”" in found
    assert "old" not in found


def test_a_long_text_is_repeated_in_part() -> None:
    found = answer(Question("no" * 5_000)).response_text
    assert "no" * 50 in found
    assert len(found) < QUOTE_GRAPHEMES_MAX + 100


def test_what_has_no_text_is_acknowledged() -> None:
    assert answer(Question("", language="en")).response_text.startswith("I have received it")


@pytest.mark.parametrize("text", ["hello", "เมนู", "card", "{quote} {0} %s", "x"])
def test_the_same_question_gets_the_same_answer_with_language_and_confidence(text: str) -> None:
    first, second = answer(Question(text)), answer(Question(text))
    assert first == second
    assert first.user_insights["language"] in {"th", "en"}
    assert first.confidence is not None
    assert parts_of(first, message_id=derived_id("c", "m"))


def test_the_yes_no_template_asks_in_both_languages() -> None:
    for language, labels in {"th": ["ใช่", "ไม่"], "en": ["Yes", "No"]}.items():
        (part,) = parts_of(TEMPLATES[YES_NO][language], message_id="m")  # type: ignore[index]
        assert [button.label for button in part.rows[0]] == labels
        assert [button.data for button in part.rows[0]] == ["YES", "NO"]


def test_the_shipped_card_is_the_one_of_the_plan() -> None:
    flex: Any = TEMPLATES[CARD]["th"].flex_content
    bubble = flex["contents"]
    (header,) = bubble["header"]["contents"]
    hello, offer = bubble["body"]["contents"]
    (button,) = bubble["footer"]["contents"]
    assert (header["text"], header["weight"], header["size"], header["color"]) == (
        "🤖 Iris Origin AI",
        "bold",
        "lg",
        "#2196F3",
    )
    assert (hello["text"], hello["size"], hello["wrap"]) == ("สวัสดีครับ! ผมเป็น AI ที่จะช่วยเหลือคุณ", "md", True)
    assert (offer["text"], offer["size"], offer["color"]) == ("มีอะไรให้ช่วยไหมครับ?", "sm", "#666666")
    assert button["style"] == "primary"
    assert button["action"] == {"type": "postback", "label": "เริ่มสนทนา", "data": START}
