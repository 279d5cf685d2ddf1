"""Buttons as inline keyboards, whose taps come back as callback queries, or as reply keyboards. Pure.

A reply keyboard vanishes after a tap, as quick replies should, but a tap returns the label as an ordinary message. It
is used where nothing is lost by that: where label and data are one, or where the tap hands over place or number.
What no keyboard can hold is written as text, never dropped and never shortened: half of a button's data means
something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.shared.text import graphemes, truncate, utf8_bytes
from connectors.telegram.api import (
    BUTTON_URL_SCHEMES,
    CALLBACK_DATA_BYTES_MAX,
    KEYBOARD_BUTTONS_MAX,
    LABEL_MAX,
    QUICK_REPLIES_PER_ROW,
    ROW_BUTTONS_MAX,
)
from schemas.outbound import Button

REQUESTS: dict[str, dict[str, Any]] = {"location": {"request_location": True}, "phone": {"request_contact": True}}
"""What a button of a reply keyboard can ask for (section "KeyboardButton"), in private chats only."""

NativeRow = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Keyboards:
    """``markups``: one per message, empty when there is no button; ``lines``: buttons that had to become text;
    ``changes``: what is not as asked, in words."""

    markups: tuple[dict[str, Any], ...]
    lines: tuple[str, ...]
    changes: tuple[str, ...]


def keyboards(
    rows: Sequence[Sequence[Button]], quick_replies: Sequence[Button] = (), *, is_private: bool = False
) -> Keyboards:
    """Rows first, then quick replies; spread over several keyboards when one cannot hold them. ``is_private``: the chat
    is with one person, so that a reply keyboard is shown to nobody else."""
    if is_private and quick_replies and not rows and all(map(_is_said, quick_replies)):
        return Keyboards((_reply_keyboard(quick_replies),), (), ())
    changes: list[str] = []
    lines: list[str] = []
    native = [_native_row(row, lines=lines, changes=changes) for row in rows]
    quick = _native_row(quick_replies, lines=lines, changes=changes)
    if quick:
        changes.append("quick replies are buttons that stay after a tap")
        native += _chunks(quick, QUICK_REPLIES_PER_ROW)
    if any(len(row) > ROW_BUTTONS_MAX for row in native):
        changes.append(f"rows are broken after {ROW_BUTTONS_MAX} buttons")
    broken = [chunk for row in native for chunk in _chunks(row, ROW_BUTTONS_MAX)]
    markups = tuple({"inline_keyboard": group} for group in _grouped(broken))
    if len(markups) > 1:
        changes.append(f"more than {KEYBOARD_BUTTONS_MAX} buttons are spread over {len(markups)} messages")
    return Keyboards(markups, tuple(lines), tuple(changes))


def _is_said(button: Button) -> bool:
    """Whether a reply keyboard loses nothing of the button."""
    fits = bool(button.label.strip()) and graphemes(button.label) <= LABEL_MAX
    return fits and (button.asks in REQUESTS or button.data == button.label)


def _reply_keyboard(buttons: Sequence[Button]) -> dict[str, Any]:
    """Section "ReplyKeyboardMarkup"; there is one for all buttons, which scrolls."""
    native: NativeRow = [{"text": button.label, **REQUESTS.get(button.asks or "", {})} for button in buttons]
    rows = _chunks(native, QUICK_REPLIES_PER_ROW)
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}


def is_link(url: str, schemes: Iterable[str] = ("http", "https")) -> bool:
    """Whether Telegram would take this as a link."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc) and not any(character.isspace() for character in url)


def _native_row(row: Sequence[Button], *, lines: list[str], changes: list[str]) -> NativeRow:
    native = []
    for button in row:
        found, reason = _native(button)
        if found is None:
            label = _label(button)
            lines.append(f"• {label}: {button.url}" if button.url else f"• {label}")
            changes.append(f"a button is written as text: {reason}")
        else:
            native.append(found)
            if graphemes(_label(button)) > LABEL_MAX:
                changes.append(f"a button's label cut to {LABEL_MAX} characters")
    return native


def _native(button: Button) -> tuple[dict[str, Any] | None, str]:
    """The native button, or the reason why there can be none."""
    if button.asks is not None:
        return None, "it asks for something, which only a keyboard of such questions in a private chat can"
    if button.url is not None:
        if is_link(button.url, BUTTON_URL_SCHEMES):
            return {"text": truncate(_label(button), LABEL_MAX, graphemes), "url": button.url}, ""
        return None, "Telegram's buttons open only http, https and tg links"
    size = utf8_bytes(button.data or "")
    if 1 <= size <= CALLBACK_DATA_BYTES_MAX:
        return {"text": truncate(_label(button), LABEL_MAX, graphemes), "callback_data": button.data}, ""
    return None, f"its data has {size} bytes, Telegram takes 1 to {CALLBACK_DATA_BYTES_MAX}"


def _label(button: Button) -> str:
    return button.label if button.label.strip() else button.url or button.data or "…"


def _chunks(row: NativeRow, size: int) -> list[NativeRow]:
    return [row[start : start + size] for start in range(0, len(row), size)]


def _grouped(rows: list[NativeRow]) -> list[list[NativeRow]]:
    """Whole rows, in order, as many to a keyboard as it holds."""
    groups: list[list[NativeRow]] = []
    held = 0
    for row in rows:
        if not groups or held + len(row) > KEYBOARD_BUTTONS_MAX:
            groups.append([])
            held = 0
        groups[-1].append(row)
        held += len(row)
    return groups
