"""Buttons as a menu message, whose taps come back with their data, and as lines of text. Pure.

A menu of WeChat's is a message with tappable lines; it opens no links. What it cannot hold is written as text, never
dropped and never shortened: half of a button's data means something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.shared.text import split_text, truncate, utf8_bytes
from connectors.wechat import api
from schemas.outbound import Button

BLANK = "…"
"""Stands for an empty text, which WeChat refuses (44004): the part must still arrive."""

Item = dict[str, str]


@dataclass(slots=True)
class Piece:
    """One request without its recipient: ``name`` is the API call, ``changes`` say what is not as asked."""

    body: dict[str, Any]
    name: str = api.SEND
    changes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Menu:
    """``items`` in the order of the buttons; ``lines`` are the texts of those that no item can carry."""

    items: list[Item] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def said(*lines: str | None) -> str:
    """The lines that are not blank."""
    return "\n".join(line for line in lines if line and line.strip())


def text_pieces(text: str, *, change: str | None = None) -> list[Piece]:
    """One message, several for a long text, one that says ``…`` for a blank one."""
    chunks = split_text(text, api.TEXT_BYTES_MAX, utf8_bytes)
    pieces = [Piece({"msgtype": "text", "text": {"content": chunk}}) for chunk in chunks or (BLANK,)]
    pieces[0].changes += [change] if change else []
    if not chunks and not change:
        pieces[0].changes.append(f"empty text sent as {BLANK}")
    if len(chunks) > 1:
        pieces[0].changes.append(f"text of {utf8_bytes(text)} bytes sent as {len(chunks)} messages")
    return pieces


def menu_of(buttons: Iterable[Button]) -> Menu:
    """One item or one line of text per button."""
    menu = Menu()
    for button in buttons:
        label = button.label if button.label.strip() else BLANK
        data = next(filter(str.strip, (button.data or "", button.label)), "")
        if button.url is not None:
            menu.lines.append(f"{label}: {button.url}")
            menu.changes.append("a button's link is written as text: WeChat's menus open none")
        elif not 1 <= utf8_bytes(data) <= api.MENU_ID_BYTES_MAX:
            menu.lines.append(f"• {label}")
            menu.changes.append(f"a button is written as text: its data is not of 1-{api.MENU_ID_BYTES_MAX} bytes")
        else:
            shown = truncate(label, api.MENU_LABEL_BYTES_MAX, utf8_bytes)
            menu.items.append({"id": data, "content": shown})
            if shown != label:
                menu.changes.append(f"a button's label cut to {api.MENU_LABEL_BYTES_MAX} bytes")
    return menu


def with_menu(text: str, menu: Menu) -> list[Piece]:
    """The text above the items in one message where it fits, else in messages before it."""
    whole = said(text, *menu.lines)
    if not menu.items:
        pieces = text_pieces(whole)
    elif utf8_bytes(whole) <= api.MENU_HEAD_BYTES_MAX:
        pieces = _menus(whole or BLANK, menu.items)
    else:
        pieces = text_pieces(whole) + _menus(BLANK, menu.items)
    pieces[0].changes += menu.changes
    return pieces


def _menus(head: str, items: Sequence[Item]) -> list[Piece]:
    size = api.MENU_ITEMS_MAX
    groups = [items[at : at + size] for at in range(0, len(items), size)]
    pieces = [
        Piece({"msgtype": "msgmenu", "msgmenu": {"head_content": BLANK if number else head, "list": list(group)}})
        for number, group in enumerate(groups)
    ]
    if len(pieces) > 1:
        pieces[0].changes.append(f"{len(items)} buttons are spread over {len(pieces)} menus of {size}")
    return pieces
