"""Parts as a platform can show them: what it lacks becomes the nearest kind that every platform has. Pure.

A connector names the types of content and abilities that are its own (``native``); everything else is simplified here,
in one way for all. What is changed is said in words that hold nothing of the message's own, because changes are logged
outside of the content.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from connectors.interface import Call
from schemas.content import TextContent
from schemas.outbound import (
    Button,
    Card,
    CardContent,
    DeletionContent,
    ListContent,
    MiniProgramContent,
    OutboundMessage,
    Part,
    ProductContent,
    ReactionContent,
)

EDIT = "edit"
"""The ability to put a part into the place of an earlier message, beside the kinds of content."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A part of kinds that the platform has, and what was changed."""

    part: Part
    changes: tuple[str, ...] = ()


def nearest_parts(message: OutboundMessage, native: Container[object]) -> list[Nearest]:
    """The parts in order, simplified where needed. One is missing where nothing stands for it: a message cannot be
    taken back, nor a reaction, where there is neither."""
    return [found for part in message.parts if (found := _nearest(part, native)) is not None]


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


def _nearest(part: Part, native: Container[object]) -> Nearest | None:
    changes: list[str] = []
    if part.edit_of is not None and EDIT not in native:
        part = part.model_copy(update={"edit_of": None})
        changes.append("sent as a new message: there are no edits here")
    if type(part.content) not in native:
        match part.content:
            case ListContent() as content:
                part = _listed(part, content)
                changes.append("list written as numbered text with quick replies")
            case ProductContent() as content:
                shown = CardContent(cards=content.cards, alt_text=content.text) if content.cards else None
                part = part.model_copy(update={"content": shown or TextContent(text=_product_text(content))})
                changes.append(f"products shown as {'cards' if shown else 'text'}: there is no catalogue here")
            case MiniProgramContent() as content:
                part = part.model_copy(update={"content": _program_card(content)})
                changes.append("mini-program shown as a card" + ("" if content.url else " that opens nothing"))
            case ReactionContent(emoji=emoji) if emoji:
                part = part.model_copy(update={"content": TextContent(text=emoji)})
                changes.append("reaction sent as a message: there are none here")
            case ReactionContent() | DeletionContent():
                return None
    return Nearest(part, tuple(changes))


def _listed(part: Part, content: ListContent) -> Part:
    taps = (*rows_of(content), *part.quick_replies)
    return part.model_copy(update={"content": TextContent(text=list_text(content)), "quick_replies": taps})


def _product_text(content: ProductContent) -> str:
    return "\n\n".join(filter(None, (content.title, content.text, content.footer)))


def _program_card(content: MiniProgramContent) -> CardContent:
    buttons = (Button(label=content.title, url=content.url),) if content.url else ()
    card = Card(title=content.title, image_url=content.image_url, url=content.url, buttons=buttons)
    return CardContent(cards=(card,), alt_text=content.title)
