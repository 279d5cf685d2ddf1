"""Cards and button lists as Flex messages ("Messaging API reference", Flex message). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from connectors.line import api
from connectors.line.actions import LINK_SCHEMES, Action, actions_of
from connectors.shared.text import graphemes, truncate, utf8_bytes, utf16_units
from schemas.media import shown_link
from schemas.outbound import Card, CardContent

Bubble = dict[str, Any]
Message = dict[str, Any]

# Ours: with these a bubble of text and buttons stays well below BUBBLE_BYTES_MAX, and a longer text is no card.
TITLE_BYTES_MAX = 1_000
TEXT_BYTES_MAX = 6_000

FRAME_BYTES = 2_000
"""Room for a bubble's boxes and an image link of full length."""


def card_messages(content: CardContent, changes: list[str]) -> tuple[list[str], list[Message]]:
    """Texts to be said first, because they do not fit their card, and the Flex messages."""
    given = _given_flex(content, changes)
    if given is not None:
        return [], [given]
    texts: list[str] = []
    bubbles = [bubble for card in content.cards for bubble in _bubbles(card, content.alt_text, texts, changes)]
    return texts, flex_messages(bubbles, content.alt_text)


def flex_messages(bubbles: Sequence[Bubble], alt_text: str) -> list[Message]:
    """Bubbles as few Flex messages: one alone, several side by side within a carousel's limits."""
    groups: list[list[Bubble]] = []
    room = 0
    for bubble in bubbles:
        size = size_of(bubble) + 1
        if not groups or len(groups[-1]) == api.CAROUSEL_BUBBLES_MAX or size > room:
            groups.append([])
            room = api.CAROUSEL_BYTES_MAX - FRAME_BYTES
        groups[-1].append(bubble)
        room -= size
    contents = [group[0] if len(group) == 1 else {"type": "carousel", "contents": group} for group in groups]
    return [{"type": "flex", "altText": alt_text_of(alt_text), "contents": content} for content in contents]


def button_bubbles(actions: Iterable[Action], text: str | None = None) -> list[Bubble]:
    """Buttons below each other, under a text if there is one; several bubbles when one does not hold them."""
    body: list[Bubble] = [{"type": "text", "text": text, "wrap": True}] if text else []
    first, *more = _filled(actions, used=size_of(body)) or [[]]
    return [_bubble(body + first), *(_bubble(buttons) for buttons in more)]


def alt_text_of(text: str) -> str:
    """What a notification shows: never empty, within its limit."""
    return truncate(text if text.strip() else "…", api.ALT_TEXT_MAX, utf16_units)


def size_of(value: Any) -> int:
    """Bytes as JSON; raises TypeError for what JSON numbers of 64 bits cannot hold."""
    return len(orjson.dumps(value))


def _given_flex(content: CardContent, changes: list[str]) -> Message | None:
    """The ready Flex card, alone or inside a whole Flex message, when LINE would take it."""
    flex: Any = content.flex
    if flex is None:
        return None
    alt_text = content.alt_text
    if flex.get("type") == "flex":
        alt_text = flex["altText"] if isinstance(flex.get("altText"), str) else alt_text
        flex = flex.get("contents")
    if _is_flex(flex):
        return {"type": "flex", "altText": alt_text_of(alt_text), "contents": flex}
    changes.append("the given Flex card is not valid or too large: built from the card's parts instead")
    return None


def _is_flex(flex: Any) -> bool:
    """A bubble, or a carousel of bubbles, within LINE's sizes. What is inside the boxes is left to LINE to judge."""
    kind = flex.get("type") if isinstance(flex, Mapping) else None
    try:
        if kind == "bubble":
            return size_of(flex) <= api.BUBBLE_BYTES_MAX
        bubbles = flex.get("contents") if kind == "carousel" else None
        return (
            isinstance(bubbles, list)
            and 0 < len(bubbles) <= api.CAROUSEL_BUBBLES_MAX
            and size_of(flex) <= api.CAROUSEL_BYTES_MAX
            and all(size_of(bubble) <= api.BUBBLE_BYTES_MAX for bubble in bubbles)
        )
    except TypeError:
        return False


def _bubbles(card: Card, alt_text: str, texts: list[str], changes: list[str]) -> list[Bubble]:
    """One bubble, and more when its buttons do not fit. A text beyond ours is cut here and put whole into ``texts``."""
    lines: list[str] = []
    hero = None
    if card.image_url and card.image_url.startswith("https://") and len(card.image_url) <= api.MEDIA_URL_MAX:
        hero = {"type": "image", "url": card.image_url, "size": "full", "aspectRatio": "20:13", "aspectMode": "cover"}
    elif card.image_url:
        shown = shown_link(card.image_url)
        what = "sent as a link" if shown else "left out"
        changes.append(f"card picture {what}: LINE takes https links of at most 2000 characters")
        lines += [shown] if shown else []
    tap = _tap(card, alt_text)
    if card.url and tap is None:
        changes.append("the card's own link is written as text because LINE cannot open it")
        lines.append(card.url)
    actions = actions_of(card.buttons, changes)
    text = "\n".join([*filter(None, [card.text]), *lines, *actions.lines])
    title = card.title or ""
    for value, limit in ((title, TITLE_BYTES_MAX), (text, TEXT_BYTES_MAX)):
        if utf8_bytes(value) > limit:
            changes.append(f"card text of {utf8_bytes(value)} bytes cut to {limit}; sent whole as text before it")
            texts.append(value)
    body = _texts(truncate(title, TITLE_BYTES_MAX, utf8_bytes), truncate(text, TEXT_BYTES_MAX, utf8_bytes), card.color)
    # LINE refuses a bubble with nothing in it, and an empty card still stands for its part.
    if not (body or hero or actions.usable):
        body = _texts("", alt_text_of(alt_text), None)
    first, *more = _filled(actions.usable, used=size_of(body) + size_of(hero) + size_of(tap)) or [[]]
    bubble = _bubble(body, hero=hero, footer=first)
    return [bubble | ({"action": tap} if tap else {}), *(_bubble(buttons) for buttons in more)]


def _tap(card: Card, alt_text: str) -> Action | None:
    """What a tap on the card itself does; its label is only read aloud."""
    if card.url is None or not card.url.startswith(LINK_SCHEMES) or len(card.url) > api.MEDIA_URL_MAX:
        return None
    label = next(filter(str.strip, (card.title or "", alt_text)), "…")
    return {"type": "uri", "label": truncate(label, api.LABEL_MAX, graphemes), "uri": card.url}


def _texts(title: str, text: str, color: str | None) -> list[Bubble]:
    """Title and text as components; LINE refuses blank ones."""
    found: list[Bubble] = []
    if title.strip():
        found.append({"type": "text", "text": title, "weight": "bold", "size": "lg", "wrap": True})
        if color:
            found[0]["color"] = color
    if text.strip():
        found.append({"type": "text", "text": text, "wrap": True})
    return found


def _filled(actions: Iterable[Action], *, used: int) -> list[list[Bubble]]:
    """Buttons in groups that fit one bubble each, of which the first has ``used`` bytes already."""
    groups: list[list[Bubble]] = []
    room = 0
    for action in actions:
        button = {"type": "button", "style": "link", "height": "sm", "action": action}
        size = size_of(button) + 1
        if not groups or size > room:
            room = api.BUBBLE_BYTES_MAX - FRAME_BYTES - (0 if groups else used)
            groups.append([])
        groups[-1].append(button)
        room -= size
    return groups


# The order on the screen is LINE's: hero above body above footer, each left out when there is nothing in it.
def _bubble(body: list[Bubble], *, hero: Bubble | None = None, footer: list[Bubble] | None = None) -> Bubble:
    bubble: Bubble = {"type": "bubble"}
    if hero:
        bubble["hero"] = hero
    for name, contents in (("body", body), ("footer", footer)):
        if contents:
            bubble[name] = {"type": "box", "layout": "vertical", "spacing": "sm", "contents": contents}
    return bubble
