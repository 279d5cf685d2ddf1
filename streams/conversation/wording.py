"""Contents in words: what the AI is told about a message, and what the person is told when there is no answer."""

from collections.abc import Mapping
from typing import Any

from schemas.content import (
    ChoiceContent,
    ContactContent,
    Content,
    LocationContent,
    MediaContent,
    OrderContent,
    ShareContent,
    StickerContent,
    StoryContent,
    SystemContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import CardContent, ListContent, MiniProgramContent, PartContent, ProductContent

MESSAGE_CHARS_MAX = 16_000
"""Of a message that waits for its turn; beyond every platform's own limit, so only a broken payload meets it."""

DETAILS_MAX = 16
DETAIL_CHARS_MAX = 200
"""Of what a platform says beside a message, told to the AI as ``metadata``; longer or nested values are left out."""

PAGE = "link"
"""The ``share_type`` of what is no media: somebody's page, whose address is told as words."""

APOLOGIES = {
    "th": "ขออภัย ขณะนี้ระบบยังตอบไม่ได้ กรุณาลองใหม่อีกครั้งในอีกสักครู่",
    "en": "Sorry, I cannot answer right now. Please try again in a moment.",
}


def text_of(content: Content | PartContent) -> str:
    """The words in a content; empty where there are none."""
    match content:
        case TextContent():
            return content.text
        case MediaContent():
            return content.caption or ""
        case ChoiceContent():
            return content.title or content.data
        case StickerContent():
            return content.emoji or " ".join(content.keywords)
        case LocationContent():
            place = ", ".join(filter(None, (content.name, content.address)))
            return f"{place} ({content.latitude}, {content.longitude})".strip()
        case ContactContent():
            return " ".join((content.name, *content.phones, *content.emails)).strip()
        case ShareContent():
            return " ".join(filter(None, (content.title, content.url)))
        case StoryContent() | OrderContent() | SystemContent():
            return content.text or ""
        case TemplateContent():
            return content.fallback_text or content.name
        case CardContent():
            return content.alt_text
        case ListContent() | ProductContent():
            return content.text
        case MiniProgramContent():
            return content.title
        case _:
            return ""


def media_url_of(content: Content) -> str | None:
    """The link to what cannot be put in words."""
    if isinstance(content, ShareContent):
        return content.url if content.share_type != PAGE else None
    return content.url if isinstance(content, MediaContent | StickerContent | StoryContent) else None


def details_of(content: Content, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What else the AI may use: small members of the platform's metadata, and what a tap, place or file stands for."""
    details = {name: value for name, value in metadata.items() if _is_small(name, value)}
    match content:
        case ChoiceContent():
            details |= {"data": content.data[:DETAIL_CHARS_MAX], "source": content.source}
        case LocationContent():
            details |= {"latitude": content.latitude, "longitude": content.longitude}
        case MediaContent():
            named = {"mime_type": content.mime_type, "file_name": content.file_name, "media_id": content.media_id}
            details |= {name: value for name, value in named.items() if value is not None and _is_small(name, value)}
    return dict(list(details.items())[-DETAILS_MAX:])


def is_storable(value: Any) -> bool:
    """Whether the state can hold it: MessagePack has integers of 64 bits, JSON of any length."""
    match value:
        case bool() | float() | str() | None:
            return True
        case int():
            return -(1 << 63) <= value < 1 << 64
        case list():
            return all(map(is_storable, value))
        case dict():
            return all(map(is_storable, value.values()))
        case _:
            return False


def _is_small(name: str, value: Any) -> bool:
    if len(name) > DETAIL_CHARS_MAX:
        return False
    return (
        len(value) <= DETAIL_CHARS_MAX
        if isinstance(value, str)
        else isinstance(value, int | float) and is_storable(value)
    )


def language_of(text: str) -> str:
    """``th`` when there is a Thai letter in it, ``en`` when there is a Latin one, else empty: it does not tell."""
    if any("\u0e01" <= letter <= "\u0e5b" for letter in text):
        return "th"
    return "en" if any(letter.isascii() and letter.isalpha() for letter in text) else ""


def spoken_language(preferences: Mapping[str, Any], guess: str) -> str | None:
    """The person's language: as the AI or the profile has it, else as guessed from the last text; None when unknown."""
    preferred = preferences.get("language")
    if isinstance(preferred, str) and preferred:
        return preferred.lower().partition("-")[0]
    return guess or None


def apology(language: str | None) -> str:
    """What is said when there is no answer; English for whoever is not known to write Thai."""
    return APOLOGIES["th" if language in ("th", "thai") else "en"]
