"""Each kind of content in its nearest faithful form on WhatsApp, as messages without frame and recipient. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from connectors.shared.meta.drafts import CONTINUED, Draft, with_changes
from connectors.shared.meta.templates import template_of
from connectors.shared.nearest import card_buttons
from connectors.whatsapp.choices import Words, below, draft, worded
from connectors.whatsapp.media import card_picture, render_media, render_sticker
from connectors.whatsapp.offers import card_words, carousel, is_sellable, render_list, render_product
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, CardContent, ListContent, Part, PartContent, ProductContent, ReactionContent


def drafts_of(part: Part, language: str | None) -> list[Draft]:
    """Quick replies are buttons here, which stay: there is nothing on WhatsApp that vanishes after one tap."""
    buttons = [*(button for row in part.rows for button in row), *part.quick_replies]
    drafts = RENDERERS[type(part.content)](part.content, Words("", buttons, language=language))
    return with_changes(drafts, ["quick replies shown as buttons"] if part.quick_replies else [])


def _text(content: TextContent, words: Words) -> list[Draft]:
    return worded(replace(words, text=content.text))


def _location(content: LocationContent, words: Words) -> list[Draft]:
    """A pin on the map; an address is shown only together with a name, which is the platform's own choice."""
    named = {name: text for name, text in (("name", content.name), ("address", content.address)) if text}
    changes: list[str] = []
    place = draft("location", {"latitude": content.latitude, "longitude": content.longitude, **named})
    return with_changes([place, *below(words, changes)], changes)


def _contact(content: ContactContent, words: Words) -> list[Draft]:
    """A contact card that can be saved."""
    changes: list[str] = []
    name = content.name.strip() or next(iter((*content.phones, *content.emails)), CONTINUED)
    # A name must have one more of its members beside the formatted one ("Contacts messages").
    card: dict[str, Any] = {"name": {"formatted_name": name, "first_name": name}}
    if content.phones:
        card["phones"] = [{"phone": phone} for phone in content.phones]
    if content.emails:
        card["emails"] = [{"email": email} for email in content.emails]
    return with_changes([draft("contacts", [card]), *below(words, changes)], changes)


def _template(content: TemplateContent, words: Words) -> list[Draft]:
    """An approved template; words of their own beside it would be refused outside of the window, where it is for."""
    template, changes = template_of(content, takes_uploads=True)
    if words.buttons:
        changes.append("buttons left out: a template has those it was approved with")
    return with_changes([draft("template", template)], changes)


def _reaction(content: ReactionContent, words: Words) -> list[Draft]:
    """No emoji takes the reaction away ("Reaction messages")."""
    changes: list[str] = []
    reaction = draft("reaction", {"message_id": content.message_id, "emoji": content.emoji or ""})
    return with_changes([reaction, *below(words, changes)], changes)


def _card(content: CardContent, words: Words) -> list[Draft]:
    """Each card is a message: picture, title and text, buttons. The part's own buttons stand under the last one."""
    changes = []
    if any(card.image_url and not card_picture(card.image_url) for card in content.cards):
        changes.append("card picture left out: no web link")
    side_by_side = carousel(content)
    if side_by_side is not None:
        return with_changes([side_by_side, *below(words, changes)], changes)
    if len(content.cards) > 1:
        changes.append(f"{len(content.cards)} cards one below the other")
    drafts: list[Draft] = []
    for number, card in enumerate(content.cards, 1):
        own: Sequence[Button] = words.buttons if number == len(content.cards) else ()
        picture = card_picture(card.image_url)
        text = card_words(card) or ("" if picture else content.alt_text)
        drafts += worded(replace(words, text=text, buttons=(*card_buttons(card), *own), picture=picture))
    return with_changes(drafts, changes)


RENDERERS: dict[type, Callable[[Any, Words], list[Draft]]] = {
    TextContent: _text,
    MediaContent: render_media,
    StickerContent: render_sticker,
    LocationContent: _location,
    ContactContent: _contact,
    TemplateContent: _template,
    CardContent: _card,
    ListContent: render_list,
    ProductContent: render_product,
    ReactionContent: _reaction,
}
"""How each content kind of a part is drawn."""


def is_native(content: PartContent) -> bool:
    """Whether WhatsApp has a form for it."""
    return type(content) in RENDERERS and not (isinstance(content, ProductContent) and not is_sellable(content))
