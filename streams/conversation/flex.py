"""Neutral cards out of a card in Flex form. Pure.

Reads the JSON that an AI service puts into ``flex_content``: a bubble, a carousel of bubbles, or a whole message around
one. The titles, texts, picture and buttons found there make a ``Card`` that every platform can show; the Flex itself is
kept only where it is complete, because one missing member makes a platform refuse the whole message.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from schemas.outbound import Button, Card, CardContent

CARDS_MAX = 12
"""Bubbles of a carousel ("Flex Message limits"); later ones are left out."""
BUTTONS_MAX = 100
"""Buttons of one card; later ones are left out."""
DEPTH_MAX = 24
"""Boxes in boxes; what is deeper is not shown."""

URL = re.compile(r"(?:https?|tel|mailto):\S+", re.IGNORECASE)
"""Links that a button may open. Others are left out: a platform would refuse the whole message."""

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
_BLOCKS = ("header", "hero", "body", "footer")
_SIDEWAYS = ("horizontal", "baseline")
_REQUIRED: dict[str, tuple[str, ...]] = {
    "box": ("layout", "contents"),
    "button": ("action",),
    "image": ("url",),
    "icon": ("url",),
    "video": ("url", "previewUrl", "altContent"),
    "text": (),
    "span": (),
    "separator": (),
    "filler": (),
}
"""Component types with their required members ("Flex Message elements")."""


def read_cards(flex: Mapping[str, Any]) -> CardContent | None:
    """The cards in ``flex``, side by side in their order; None when there is nothing to show. Never raises."""
    alt_text = flex.get("altText")
    contents = flex.get("contents") if flex.get("type") == "flex" else flex
    shown = [(bubble, card) for bubble in _bubbles(contents) if (card := _card(bubble)) != Card()][:CARDS_MAX]
    if not shown:
        return None
    cards = tuple(card for _, card in shown)
    return CardContent(
        cards=cards,
        alt_text=alt_text if isinstance(alt_text, str) and alt_text.strip() else _alt_text(cards),
        flex=_complete(contents, [bubble for bubble, _ in shown]),
    )


def _bubbles(contents: Any) -> list[Mapping[str, Any]]:
    if not isinstance(contents, dict):
        return []
    if contents.get("type") == "carousel":
        return [item for item in _children(contents) if item.get("type") == "bubble"]
    return [contents] if contents.get("type") == "bubble" else []


def _complete(contents: Any, bubbles: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The Flex to keep: only the bubbles that are shown, and only if a platform would take them."""
    if not all(_is_complete(bubble.get(block)) for bubble in bubbles for block in _BLOCKS):
        return None
    return {**contents, "contents": bubbles} if contents["type"] == "carousel" else dict(contents)


def _is_complete(node: Any, depth: int = 0) -> bool:
    if node is None and depth == 0:
        return True
    if not isinstance(node, dict) or depth > DEPTH_MAX:
        return False
    required = _REQUIRED.get(str(node.get("type")))
    if required is None or any(not node.get(name) and node.get(name) != [] for name in required):
        return False
    if not isinstance(node.get("action", {}), dict) or (node["type"] == "text" and not _own_text(node)):
        return False
    contents = node.get("contents", [])
    return isinstance(contents, list) and all(_is_complete(child, depth + 1) for child in contents)


def _card(bubble: Mapping[str, Any]) -> Card:
    title = " ".join(_lines(bubble.get("header"))) or None
    body = _lines(bubble.get("body"))
    if title is None and len(body) > 1 and _is_heading(bubble.get("body")):
        title, *body = body
    return Card(
        title=title,
        text="\n".join(body) or None,
        image_url=next(chain(_images(bubble.get("hero")), _images(bubble.get("body"))), None),
        buttons=tuple(_buttons(bubble))[:BUTTONS_MAX],
        color=_color(bubble.get("header")),
        url=next(filter(None, map(_link, (bubble, bubble.get("hero")))), None),
    )


def _link(node: Any) -> str | None:
    """What a tap on the bubble or on its picture opens."""
    action = node.get("action") if isinstance(node, dict) else None
    url = action.get("uri") if isinstance(action, dict) and action.get("type") == "uri" else None
    return url if isinstance(url, str) and URL.fullmatch(url) else None


def _lines(node: Any, depth: int = 0) -> list[str]:
    """The texts, a line each; what stands side by side shares a line."""
    if not isinstance(node, dict) or depth > DEPTH_MAX:
        return []
    if node.get("type") == "text":
        text = _own_text(node)
        return [text] if text else []
    lines = [line for child in _children(node) for line in _lines(child, depth + 1)]
    return [" ".join(lines)] if lines and node.get("layout") in _SIDEWAYS else lines


def _own_text(node: Mapping[str, Any]) -> str:
    """The text of a text component; that of its spans where it has any."""
    spans = "".join(span["text"] for span in _children(node) if isinstance(span.get("text"), str))
    text = spans or node.get("text")
    return text.strip() if isinstance(text, str) else ""


def _is_heading(body: Any) -> bool:
    """Whether the first component of a body without header is set in bold: it serves as the card's title."""
    first = next((node for node in _walk(body) if node.get("type") == "text"), {})
    return first.get("weight") == "bold"


def _images(hero: Any) -> Iterator[str]:
    for node in _walk(hero):
        url = node.get("previewUrl") or node.get("url")
        if node.get("type") in ("image", "video") and isinstance(url, str) and URL.fullmatch(url):
            yield url


def _buttons(bubble: Mapping[str, Any]) -> Iterator[Button]:
    """Footer first: the main buttons stand there, and some platforms show only three."""
    for block in ("footer", "body", "hero", "header"):
        for node in _walk(bubble.get(block)):
            button = _button(node)
            if button is not None:
                yield button


def _button(node: Mapping[str, Any]) -> Button | None:
    action = node.get("action")
    if not isinstance(action, dict):
        return None
    label = action.get("label") or " ".join(_lines(node)) or action.get("displayText")
    if not isinstance(label, str) or not label.strip():
        return None
    if action.get("type") == "uri":
        url = action.get("uri")
        return Button(label=label.strip(), url=url) if isinstance(url, str) and URL.fullmatch(url) else None
    data = action.get("text") if action.get("type") == "message" else action.get("data")
    return Button(label=label.strip(), data=data) if isinstance(data, str) and data else None


def _color(header: Any) -> str | None:
    for node in _walk(header):
        color = node.get("color") if node.get("type") == "text" else node.get("backgroundColor")
        found = _COLOR.match(color) if isinstance(color, str) else None
        if found:
            return found.group()
    return None


def _walk(node: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The component and all inside it, in reading order."""
    if isinstance(node, dict) and depth <= DEPTH_MAX:
        yield node
        for child in _children(node):
            yield from _walk(child, depth + 1)


def _children(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    contents = node.get("contents")
    return [child for child in contents if isinstance(child, dict)] if isinstance(contents, list) else []


def _alt_text(cards: tuple[Card, ...]) -> str:
    """What a notification shows: titles, else texts, else the words on the buttons."""
    texts = [card.title or card.text for card in cards]
    labels = [button.label for card in cards for button in card.buttons]
    return " · ".join(filter(None, texts)) or " · ".join(labels) or "…"
