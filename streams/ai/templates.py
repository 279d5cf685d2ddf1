"""The ready-made answers of the customer service, by name, in Thai and in English. Data only.

Each is an ``AIAnswer``, so it takes the same way to the person as anything that an AI service says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from schemas.replies import AIAnswer

Language = Literal["th", "en"]

YES_NO = "yes_no"
CARD = "customer_service_card"
MENU = "customer_service_menu"

START = "action=start_conversation"
"""What the card's button sends back."""

_TITLE = "🤖 Iris Origin AI"
_BLUE = "#2196F3"
_GREY = "#666666"


@dataclass(frozen=True, slots=True)
class _Words:
    """What differs between the languages. ``menu`` holds the labels in the order of ``_MENU_ROWS``."""

    question: str
    yes: str
    no: str
    hello: str
    offer: str
    start: str
    choose: str
    menu: tuple[str, ...]


_MENU_ROWS = (("menu_products", "menu_contact"), ("menu_faq", "menu_settings"), ("menu_rating",))

_WORDS: Mapping[Language, _Words] = {
    "th": _Words(
        question="กรุณาเลือก",
        yes="ใช่",
        no="ไม่",
        hello="สวัสดีครับ! ผมเป็น AI ที่จะช่วยเหลือคุณ",
        offer="มีอะไรให้ช่วยไหมครับ?",
        start="เริ่มสนทนา",
        choose="กรุณาเลือกเมนูที่ต้องการ",
        menu=("🛒 สินค้าและบริการ", "📞 ติดต่อเจ้าหน้าที่", "❓ คำถามที่พบบ่อย", "⚙️ การตั้งค่า", "🌟 ให้คะแนนบริการ"),
    ),
    "en": _Words(
        question="Please choose",
        yes="Yes",
        no="No",
        hello="Hello! I am an AI and I am here to help you.",
        offer="What can I do for you?",
        start="Start a conversation",
        choose="Please choose from the menu",
        menu=("🛒 Products and services", "📞 Contact our staff", "❓ Common questions", "⚙️ Settings", "🌟 Rate us"),
    ),
}


def yes_no(language: Language, question: str = "") -> AIAnswer:
    """A question with two buttons that send ``YES`` and ``NO`` back."""
    words = _WORDS[language]
    row = [{"text": words.yes, "callback_data": "YES"}, {"text": words.no, "callback_data": "NO"}]
    return AIAnswer(
        response_text=question or words.question, response_type="interactive", keyboard={"inline_keyboard": [row]}
    )


def customer_service_card(language: Language) -> AIAnswer:
    """The welcome card: title, two lines, one button."""
    words = _WORDS[language]
    title = {"type": "text", "text": _TITLE, "weight": "bold", "size": "lg", "color": _BLUE}
    hello = {"type": "text", "text": words.hello, "size": "md", "wrap": True}
    offer = {"type": "text", "text": words.offer, "size": "sm", "color": _GREY, "wrap": True, "margin": "md"}
    action = {"type": "postback", "label": words.start, "data": START}
    bubble = {
        "type": "bubble",
        "header": _box(title),
        "body": _box(hello, offer),
        "footer": _box({"type": "button", "style": "primary", "action": action}),
    }
    flex = {"type": "flex", "altText": f"{_TITLE}: {words.hello}", "contents": bubble}
    return AIAnswer(response_type="rich", flex_content=flex)


def customer_service_menu(language: Language) -> AIAnswer:
    """The main menu: five buttons in three rows."""
    words = _WORDS[language]
    labels = iter(words.menu)
    rows = [[{"text": next(labels), "callback_data": data} for data in row] for row in _MENU_ROWS]
    return AIAnswer(response_text=words.choose, response_type="interactive", keyboard={"inline_keyboard": rows})


def _box(*contents: dict[str, Any]) -> dict[str, Any]:
    return {"type": "box", "layout": "vertical", "contents": list(contents)}


TEMPLATES: Mapping[str, Mapping[Language, AIAnswer]] = {
    YES_NO: {"th": yes_no("th"), "en": yes_no("en")},
    CARD: {"th": customer_service_card("th"), "en": customer_service_card("en")},
    MENU: {"th": customer_service_menu("th"), "en": customer_service_menu("en")},
}
"""Every template by name and language."""
