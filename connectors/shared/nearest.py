"""Parts as a platform can show them: what it lacks becomes the nearest kind that every platform has. Pure.

A connector says which contents are its own; everything else is simplified here, in one way for all. What is changed is
said in words that hold nothing of the message's own, because changes are logged outside of the content.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from connectors.interface import Call
from connectors.shared.plain import plain
from schemas.content import TemplateContent, TextContent
from schemas.outbound import (
    Button,
    Card,
    CardContent,
    DeletionContent,
    ListContent,
    MiniProgramContent,
    OutboundMessage,
    Part,
    PartContent,
    ProductContent,
    ReactionContent,
)


@dataclass(frozen=True, slots=True)
class Nearest:
    """A part of kinds that the platform has, and what was changed."""

    part: Part
    changes: tuple[str, ...] = ()


def card_buttons(card: Card) -> tuple[Button, ...]:
    """The card's buttons, and its own link as one, for platforms where a tap on the card itself opens nothing."""
    if card.url is None or any(button.url == card.url for button in card.buttons):
        return card.buttons
    return (*card.buttons, Button(label=card.title or card.url, url=card.url))


def template_words(content: TemplateContent) -> str:
    """What a template says where there are none: its fallback, or its name and all its variables."""
    if content.fallback_text:
        return content.fallback_text
    header = [content.header.text] if isinstance(content.header, TextContent) else []
    return " ".join(filter(None, (content.name, *header, *content.parameters, *content.named_parameters.values())))


def _nothing(_content: PartContent) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a platform has beside the kinds that all have: which contents it ``draws`` itself, whether a message can be
    edited, a tap answered with words, media be sent together, text be formatted, a contact be a vCard, and a card have
    colours and layouts of its own (``designs``)."""

    draws: Callable[[PartContent], bool] = _nothing
    edits: bool = False
    answers: bool = False
    albums: bool = False
    formats: bool = False
    vcards: bool = False
    designs: bool = False


def nearest_parts(message: OutboundMessage, abilities: Abilities) -> list[Nearest]:
    """The parts in order, simplified where needed. One is missing where nothing stands for it: a message cannot be
    taken back, nor a reaction, where there is neither."""
    shown = []
    for part in message.parts:
        changes = []
        if part.edit_of is not None and not abilities.edits:
            part = part.model_copy(update={"edit_of": None})
            changes.append("sent as a new message: there are no edits here")
        found = Nearest(part) if abilities.draws(part.content) else _simplified(part)
        if found is not None:
            simple, lost = plain(
                found.part, formats=abilities.formats, vcards=abilities.vcards, designs=abilities.designs
            )
            shown.append(Nearest(simple, (*changes, *found.changes, *lost)))
    if shown:
        left_out = _left_out(message, abilities)
        shown[0] = replace(shown[0], changes=(*left_out, *shown[0].changes))
    return shown


def _left_out(message: OutboundMessage, abilities: Abilities) -> list[str]:
    """What concerns the whole message and more than one of its parts."""
    changes = []
    if message.callback_text and not abilities.answers:
        changes.append("callback text left out: taps are not answered here")
    albums = [getattr(part.content, "album_id", None) for part in message.parts]
    if not abilities.albums and any(albums.count(album) > 1 for album in albums if album):
        changes.append("media of an album sent one by one")
    return changes


def told(calls: Sequence[Call], changes: Iterable[str]) -> tuple[Call, ...]:
    """The calls; the first that somebody sees tells these changes as well, for only such a call has an event."""
    more = tuple(changes)
    first = next((number for number, call in enumerate(calls) if call.is_visible), None)
    if first is None or not more:
        return tuple(calls)
    known = calls[first]
    return (*calls[:first], replace(known, changes=(*more, *known.changes)), *calls[first + 1 :])


def list_text(content: ListContent) -> str:
    """The whole list in words, its rows numbered throughout."""
    blocks = ["\n".join(filter(None, (content.title, content.text)))]
    number = 0
    for section in content.sections:
        lines = [section.title] if section.title else []
        for row in section.rows:
            number += 1
            named = f"{number}. {row.label}" + (f" – {row.description}" if row.description else "")
            lines.append(f"{named}: {row.url}" if row.url else named)
        blocks.append("\n".join(lines))
    return "\n\n".join(filter(None, (*blocks, content.footer)))


def rows_of(content: ListContent) -> tuple[Button, ...]:
    """All rows that can be tapped, without their sections; links stand in the text."""
    return tuple(row for section in content.sections for row in section.rows if row.url is None)


def _simplified(part: Part) -> Nearest | None:
    match part.content:
        case ListContent() as content:
            return Nearest(_listed(part, content), ("list written as numbered text with quick replies",))
        case ProductContent() as content if content.cards:
            cards = CardContent(cards=content.cards, alt_text=content.text)
            return Nearest(_with(part, cards), ("products shown as cards: not in a catalogue that is known here",))
        case ProductContent() as content:
            text = "\n\n".join(filter(None, (content.title, content.text, content.footer)))
            why = "products shown as text: not in a catalogue that is known here"
            return Nearest(_with(part, TextContent(text=text)), (why,))
        case MiniProgramContent() as content:
            why = "mini-program shown as a card" + ("" if content.url else " that opens nothing")
            return Nearest(_with(part, _program_card(content)), (why,))
        case ReactionContent(emoji=emoji) if emoji:
            return Nearest(_with(part, TextContent(text=emoji)), ("reaction sent as a message: there are none here",))
        case ReactionContent() | DeletionContent():
            return None
        case _:
            return Nearest(part)


def _with(part: Part, content: PartContent) -> Part:
    return part.model_copy(update={"content": content})


def _listed(part: Part, content: ListContent) -> Part:
    # Their second lines stand in the text.
    taps = (*(row.model_copy(update={"description": None}) for row in rows_of(content)), *part.quick_replies)
    return part.model_copy(update={"content": TextContent(text=list_text(content)), "quick_replies": taps})


def _program_card(content: MiniProgramContent) -> CardContent:
    card = Card(title=content.title, image_url=content.image_url, url=content.url)
    return CardContent(cards=(card,), alt_text=content.title)
