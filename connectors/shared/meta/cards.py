"""Cards of the Send API form: the generic template, or plain text with buttons where a card has no picture. Pure.

Source: Messenger Platform "Generic Template": up to ten elements, each with title, subtitle, picture and three buttons.
"""

from collections.abc import Sequence
from typing import Any

from connectors.shared.meta.drafts import (
    CONTINUED,
    Draft,
    Limits,
    attachment,
    buttons_of,
    chunks,
    is_web_link,
    text_drafts,
    with_changes,
)
from connectors.shared.nearest import card_buttons
from connectors.shared.text import characters, truncate
from schemas.outbound import Button, Card, CardContent


def card_drafts(content: CardContent, buttons: Sequence[Button], limits: Limits) -> list[Draft]:
    """The cards side by side, then what did not fit into them; ``buttons`` stand under the last message."""
    changes = _changes(content)
    only = content.cards[0]
    if len(content.cards) == 1 and not is_web_link(only.image_url):
        text = "\n".join(filter(None, (_words(only.title), _words(only.text)))) or content.alt_text
        return with_changes(text_drafts(text, (*card_buttons(only), *buttons), limits), changes)
    elements: list[dict[str, Any]] = []
    unsaid: list[str] = []
    for card in content.cards:
        more, words, notes = _elements(card, content.alt_text, limits)
        elements += more
        unsaid += words
        changes += notes
    groups = chunks(elements, limits.elements_max)
    drafts = [attachment("template", {"template_type": "generic", "elements": list(group)}) for group in groups]
    if len(drafts) > 1:
        changes.append(f"{len(elements)} cards on {len(drafts)} messages")
    if unsaid or buttons:
        drafts += text_drafts("\n\n".join(unsaid), buttons, limits)
    return with_changes(drafts, changes)


def _elements(card: Card, alt_text: str, limits: Limits) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Elements of one card, the words that did not fit into them, and the changes."""
    title, subtitle = _words(card.title), _words(card.text)
    if title is None:
        title, subtitle = subtitle or _words(alt_text) or CONTINUED, None
    opens = card.url if is_web_link(card.url) else None
    native, lines, changes = buttons_of(card.buttons if opens else card_buttons(card), limits)
    long = [words for words in (title, subtitle) if words and len(words) > limits.element_text_max]
    if long:
        changes.append(f"a card's text cut to {limits.element_text_max} characters and repeated below")
    head: dict[str, Any] = {"title": truncate(title, limits.element_text_max, characters)}
    groups = list(chunks(native, limits.buttons_max))
    if len(groups) > 1:
        changes.append(f"{len(native)} buttons of a card on {len(groups)} cards")
    first = dict(head)
    if subtitle:
        first["subtitle"] = truncate(subtitle, limits.element_text_max, characters)
    if is_web_link(card.image_url):
        first["image_url"] = card.image_url
    if opens:
        first["default_action"] = {"type": "web_url", "url": opens}
    if not (groups or len(first) > 1):
        # An element must have something beside its title.
        first["subtitle"] = CONTINUED
    elements = [first] + [dict(head) for _ in groups[1:]]
    for element, group in zip(elements, groups, strict=False):
        element["buttons"] = list(group)
    return elements, [*long, *lines], changes


def _words(text: str | None) -> str | None:
    """The text without the white space around it, None when nothing is left."""
    return (text or "").strip() or None


def _changes(content: CardContent) -> list[str]:
    has_lost = any(card.image_url and not is_web_link(card.image_url) for card in content.cards)
    return ["card picture left out: no web link"] if has_lost else []
