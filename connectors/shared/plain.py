"""Formatted text and contact cards for platforms that have neither, and what no platform has: what can be said in plain
words is, the rest is told. Pure."""

from typing import Any

from schemas.content import ContactContent, TextContent
from schemas.outbound import CardContent, Part

LINK = "text_link"
STYLES = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "code",
        "pre",
        "custom_emoji",
    }
)
"""Entities that say more than their words, in the form that people write them in: Telegram's ("Bot API", section
"MessageEntity", with offsets in UTF-16 units). Mentions, commands, addresses and numbers are in the text itself."""


def plain(part: Part, *, formats: bool, vcards: bool, designs: bool) -> tuple[Part, list[str]]:
    """The part as a platform shows it that cannot format text, takes no vCard, or draws all cards alike; and what that
    changed."""
    changes = ["second lines of buttons left out: only a list's rows have them"] if _has_second_line(part) else []
    match part.content:
        case TextContent(entities=entities) as content if entities and not formats:
            words, more = _words(content)
            return part.model_copy(update={"content": TextContent(text=words)}), [*changes, *more]
        case ContactContent(vcard=vcard) if vcard and not vcards:
            changes.append("a contact's vCard left out")
        case CardContent() as content if not designs:
            changes += ["flex layout shown as a plain card"] if content.flex is not None else []
            changes += ["card colour left out"] if any(card.color for card in content.cards) else []
    return part, changes


def _has_second_line(part: Part) -> bool:
    cards = part.content.cards if isinstance(part.content, CardContent) else ()
    rows = (*part.rows, part.quick_replies, *(card.buttons for card in cards))
    return any(button.description for row in rows for button in row)


def _words(content: TextContent) -> tuple[str, list[str]]:
    """The text with every hidden link written after its words."""
    text = content.text
    links = [(_end(entity, text), entity["url"]) for entity in content.entities if _is_hidden_link(entity, text)]
    changes = ["links of a text written after their words"] if links else []
    if any(entity.get("type") in STYLES for entity in content.entities):
        changes.append("formatting of a text left out")
    # From the end, so that the places before stay where they are.
    for end, url in sorted(links, reverse=True):
        text = f"{text[:end]} ({url}){text[end:]}"
    return text, changes


def _is_hidden_link(entity: dict[str, Any], text: str) -> bool:
    return entity.get("type") == LINK and isinstance(entity.get("url"), str) and entity["url"] not in text


def _end(entity: dict[str, Any], text: str) -> int:
    """The character after the entity; the text's end where it names none."""
    offset, length = entity.get("offset"), entity.get("length")
    if not isinstance(offset, int) or not isinstance(length, int):
        return len(text)
    units = 0
    for index, character in enumerate(text):
        if units >= offset + length:
            return index
        units += 2 if ord(character) > 0xFFFF else 1
    return len(text)
