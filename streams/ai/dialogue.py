"""The rules of the embedded AI service: what is answered to what, in Thai and in English. Pure and deterministic.

Reads a ``Question``; gives an ``AIAnswer``. Taps on the templates' buttons are answered first, then known words, then
everything else with a sentence that repeats what was understood.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.shared.text import graphemes, truncate
from schemas.replies import AIAnswer
from streams.ai.templates import CARD, MENU, START, TEMPLATES, Language, yes_no

SURE = 0.95
GUESSED = 0.4
"""Confidence told with an answer: a rule fitted, or none did."""
QUOTE_GRAPHEMES_MAX = 200
"""Of what a person wrote, when it is repeated; the rest is cut."""
KEYWORD_CHARS_MAX = 60
"""A longer text is a real question, even if one of the known words stands in it."""
DEFAULT_LANGUAGE: Language = "th"

_THAI = re.compile(r"[\u0e00-\u0e7f]")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Question:
    """``data`` is what a tapped button carries; ``language`` the person's preference; ``history`` (role, text) pairs,
    oldest first. Everything but one of ``text`` and ``data`` may be empty."""

    text: str = ""
    data: str = ""
    language: str = ""
    history: tuple[tuple[str, str], ...] = ()


def answer(question: Question) -> AIAnswer:
    """The answer, with the language as an insight about the person."""
    tap = next((data for data in (question.data, question.text.strip()) if data in _TAPS), None)
    language = language_of(question, is_tap=tap is not None)
    if tap is not None:
        found, confidence = _TAPS[tap](language), SURE
    elif (rule := _rule(question.text)) is not None:
        found, confidence = rule(language), SURE
    else:
        found, confidence = _fallback(question, language), GUESSED
    return found.model_copy(update={"confidence": confidence, "user_insights": {"language": language}})


def language_of(question: Question, *, is_tap: bool) -> Language:
    """By the script of the text; without letters, or for a tap, by preference, then by what was said before."""
    own = [] if is_tap else [question.text]
    said = [text for role, text in reversed(question.history) if role == "user" and text not in _TAPS]
    for text in [*own, question.language, *said]:
        if text == "th" or _THAI.search(text):
            return "th"
        if _LATIN.search(text):
            return "en"
    return DEFAULT_LANGUAGE


def _rule(text: str) -> Callable[[Language], AIAnswer] | None:
    plain = text.strip().lower()
    if len(plain) > KEYWORD_CHARS_MAX:
        return None
    return next((rule for pattern, rule in _RULES if pattern.search(plain)), None)


def _fallback(question: Question, language: Language) -> AIAnswer:
    text = question.text.strip()
    if not text:
        return _text(_RECEIVED)(language)
    quote = truncate(" / ".join([*_unanswered(question), text]), QUOTE_GRAPHEMES_MAX, graphemes)
    return AIAnswer(response_text=_UNDERSTOOD[language].format(quote=quote))


def _unanswered(question: Question) -> list[str]:
    """Earlier messages of the same turn: they stand at the end of the history, behind the last answer."""
    earlier: list[str] = []
    for role, text in reversed(question.history):
        if role != "user" or len(earlier) == 2:
            break
        if text.strip() and text.strip() != question.text.strip():
            earlier.insert(0, text.strip())
    return earlier


def _text(texts: Mapping[Language, str]) -> Callable[[Language], AIAnswer]:
    return lambda language: AIAnswer(response_text=texts[language])


def _ask(texts: Mapping[Language, str]) -> Callable[[Language], AIAnswer]:
    return lambda language: yes_no(language, texts[language])


def _menu(language: Language) -> AIAnswer:
    return TEMPLATES[MENU][language]


def _card(language: Language) -> AIAnswer:
    return TEMPLATES[CARD][language].model_copy(update={"response_text": _ABOUT[language]})


def _welcome(language: Language) -> AIAnswer:
    return TEMPLATES[MENU][language].model_copy(update={"response_text": _GREETING[language]})


_GREETING: Mapping[Language, str] = {
    "th": "สวัสดีครับ! ผมเป็น AI ที่จะช่วยเหลือคุณ มีอะไรให้ช่วยไหมครับ?",
    "en": "Hello! I am an AI and I am here to help you. What can I do for you?",
}
_ABOUT: Mapping[Language, str] = {"th": "นี่คือบริการของเราครับ", "en": "This is our service:"}
_UNDERSTOOD: Mapping[Language, str] = {
    "th": "ได้รับข้อความของคุณแล้วครับ: “{quote}” หากต้องการดูบริการทั้งหมด พิมพ์ “เมนู” ได้เลยครับ",
    "en": "I understood: “{quote}”. Write “menu” to see everything that I can do.",
}
_RECEIVED: Mapping[Language, str] = {
    "th": "ได้รับแล้วครับ ขอบคุณครับ มีอะไรให้ช่วยเพิ่มเติมไหมครับ?",
    "en": "I have received it, thank you. What can I do for you?",
}
_THANKS: Mapping[Language, str] = {"th": "ยินดีครับ 🙏", "en": "You are welcome 🙏"}
_PERSON: Mapping[Language, str] = {
    "th": "ต้องการคุยกับเจ้าหน้าที่ใช่ไหมครับ?",
    "en": "Would you like to talk to a person?",
}

_TAPS: Mapping[str, Callable[[Language], AIAnswer]] = {
    START: _welcome,
    "/start": _welcome,
    "menu_products": _text(
        {
            "th": "🛒 สินค้าและบริการ: บอกชื่อสินค้าหรือสิ่งที่คุณมองหาได้เลยครับ",
            "en": "🛒 Products and services: tell me the name of a product, or what you are looking for.",
        }
    ),
    "menu_contact": _ask(_PERSON),
    "menu_faq": _text(
        {
            "th": "❓ คำถามที่พบบ่อย: เวลาทำการ การจัดส่ง การคืนสินค้า พิมพ์คำถามของคุณได้เลยครับ",
            "en": "❓ Common questions: opening hours, delivery, returns. Just write your question.",
        }
    ),
    "menu_settings": _text(
        {
            "th": "⚙️ การตั้งค่า: พิมพ์ภาษาไทยหรือภาษาอังกฤษ แล้วผมจะตอบเป็นภาษานั้นครับ",
            "en": "⚙️ Settings: write in Thai or in English and I will answer in that language.",
        }
    ),
    "menu_rating": _ask(
        {"th": "🌟 คุณพอใจกับบริการของเราไหมครับ?", "en": "🌟 Are you satisfied with our service?"},
    ),
    "YES": _text({"th": "รับทราบครับ ขอบคุณมากครับ", "en": "Understood, thank you very much."}),
    "NO": _text({"th": "รับทราบครับ มีอะไรให้ช่วยอีกไหมครับ?", "en": "Understood. Is there anything else?"}),
}
"""What the templates' buttons, and a platform's start command, send."""

_RULES: tuple[tuple[re.Pattern[str], Callable[[Language], AIAnswer]], ...] = (
    # A greeting is the whole text: who greets and then asks wants the answer to the question.
    (
        re.compile(r"^(hello|hi|hey|good (morning|afternoon|evening))( there| iris| everyone)?[\s!.,👋🙏😊]*$"),
        _text(_GREETING),
    ),
    (re.compile(r"^(สวัสดี|หวัดดี|ดี)(ครับ|คับ|ค่ะ|คะ|คับผม|จ้า|จ๊ะ)*[\s!.,👋🙏😊]*$"), _text(_GREETING)),
    (re.compile(r"เมนู|ช่วยเหลือ|\bmenu\b|\bhelp\b|\boptions\b"), _menu),
    (re.compile(r"การ์ด|เกี่ยวกับ|แนะนำตัว|\bcard\b|\babout (you|us|iris)\b|\bwho are you\b"), _card),
    (re.compile(r"เจ้าหน้าที่|พนักงาน|\b(agent|human|real person|staff)\b"), _ask(_PERSON)),
    (re.compile(r"ใช่หรือไม่|\byes or no\b|\byes/no\b"), yes_no),
    (re.compile(r"^(ขอบคุณ|ขอบใจ)|\bthank(s| you)\b"), _text(_THANKS)),
)
"""Known words, first match wins."""
