"""Buttons as LINE actions: labels, data and links within their limits. Pure.

What a limit changes is said in ``changes``; a link that LINE would refuse is given back as a line of text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.line import api
from connectors.shared.text import graphemes, truncate, utf16_units
from schemas.outbound import Button

LINK_SCHEMES = ("https://", "http://", "line://", "tel:")
"""What a URI action may open ("Messaging API reference", URI action)."""

Action = dict[str, Any]


@dataclass(slots=True)
class Actions:
    """``usable`` in the order of the buttons; ``lines`` are the texts of those that no action can carry."""

    usable: list[Action] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def actions_of(buttons: Iterable[Button], changes: list[str], *, is_quick: bool = False) -> Actions:
    """One action or one line of text per button; only a quick reply can ask for the place."""
    found = Actions()
    for button in buttons:
        if button.asks == "location" and is_quick:
            found.usable.append({"type": "location", "label": _label(button, changes)})
        elif button.asks is not None:
            changes.append("a question is written as text: LINE asks for places only, and in quick replies")
            found.lines.append(f"• {button.label}")
        elif button.url is None and utf16_units(button.data or "") > api.POSTBACK_DATA_MAX:
            changes.append(f"a button is written as text: its data is longer than {api.POSTBACK_DATA_MAX}")
            found.lines.append(f"• {button.label}")
        elif button.url is None:
            found.usable.append(_postback(button, changes))
        elif button.url.startswith(LINK_SCHEMES) and len(button.url) <= api.URI_MAX:
            found.usable.append({"type": "uri", "label": _label(button, changes), "uri": button.url})
        else:
            changes.append("a button's link is written as text because LINE cannot open it")
            found.lines.append(f"{button.label}: {button.url}")
    return found


def quick_reply(actions: Iterable[Action]) -> dict[str, Any]:
    """The ``quickReply`` member of a message object."""
    return {"items": [{"type": "action", "action": action} for action in actions]}


def _postback(button: Button, changes: list[str]) -> Action:
    # The tap shows in the chat as if the person had written the label.
    shown = truncate(button.label, api.DISPLAY_TEXT_MAX, utf16_units)
    data = next(filter(str.strip, (button.data or "", shown)), "…")
    action = {"type": "postback", "label": _label(button, changes), "data": data}
    return {**action, "displayText": shown} if shown.strip() else action


def _label(button: Button, changes: list[str]) -> str:
    label = button.label if button.label.strip() else "…"
    if graphemes(label) > api.LABEL_MAX:
        changes.append(f"a button's label cut to {api.LABEL_MAX}")
    return truncate(label, api.LABEL_MAX, graphemes)
