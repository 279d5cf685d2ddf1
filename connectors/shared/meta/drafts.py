"""Message bodies of the Send API form: texts, media, button templates and quick replies, within the limits. Pure.

A draft is one call's body without recipient and frame. What does not fit is cut or moved, never dropped, and said in
``changes``, in numbers and not in the message's own words, because changes are logged outside of the content.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors.shared.text import Measure, characters, split_text, truncate
from schemas.outbound import Button

CONTINUED = "⋯"
"""Stands where the platform demands words and the message has none: further buttons of the same question."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """``text_max`` is in ``text_measure``, all other texts in characters; ``asks`` are the quick replies that hand over
    what a button may ask for. Sources: Messenger Platform, by doc title."""

    text_max: int
    text_measure: Measure
    quick_replies_max: int = 13  # "Quick Replies"
    title_max: int = 20  # "Quick Replies" and "Buttons": title
    payload_max: int = 1000  # "Quick Replies" and "Buttons": payload
    button_text_max: int = 640  # "Button Template": text
    buttons_max: int = 3  # "Button Template" and "Generic Template"
    elements_max: int = 10  # "Generic Template"
    element_text_max: int = 80  # "Generic Template": title and subtitle
    metadata_max: int = 999  # "Send API": metadata, fewer than 1000 characters
    asks: Mapping[str, str] = field(default_factory=dict)  # "Quick Replies": content_type


@dataclass(frozen=True, slots=True)
class Draft:
    """``body`` has ``message``, ``template`` for approved templates, or ``sender_action``."""

    body: dict[str, Any]
    changes: tuple[str, ...] = ()


def text_drafts(text: str, buttons: Sequence[Button], limits: Limits) -> list[Draft]:
    """The text in as many messages as it needs; the buttons stand under its last words, three to a message."""
    native, lines, changes = buttons_of(buttons, limits)
    text = "\n".join(part for part in (text.rstrip(), *lines) if part)
    head, tail = (text, "") if not native else _apart(text, limits)
    drafts = [_text(piece) for piece in split_text(head, limits.text_max, limits.text_measure)]
    if len(drafts) > 1:
        changes.append(f"text split into {len(drafts)} messages")
    groups = list(chunks(native, limits.buttons_max))
    if len(groups) > 1:
        changes.append(f"{len(native)} buttons on {len(groups)} messages")
    for group in groups:
        drafts.append(_button_template(tail or CONTINUED, group))
        tail = ""
    if not drafts:
        drafts.append(_text(CONTINUED))
        changes.append("the text was empty")
    return with_changes(drafts, changes)


def attachment(kind: str, payload: dict[str, Any]) -> Draft:
    """A message with one attachment."""
    return Draft({"message": {"attachment": {"type": kind, "payload": payload}}})


def buttons_of(buttons: Sequence[Button], limits: Limits) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Native buttons, text lines for those that cannot be buttons, and the changes."""
    native = [_native_button(button, limits) for button in buttons if _is_usable(button, limits)]
    lines = [_line(button) for button in buttons if not _is_usable(button, limits)]
    changes = [f"{len(lines)} buttons written as text: payload too long or no web link"] if lines else []
    return native, lines, changes + _cut_labels(buttons, limits)


def quick_replies_of(
    buttons: Sequence[Button], limits: Limits
) -> tuple[list[dict[str, Any]], tuple[Button, ...], list[str]]:
    """Native quick replies, the buttons that cannot be among them (too many, links), and the changes."""
    able = [button for button in buttons if _is_reply(button, limits)]
    shown = able[: limits.quick_replies_max]
    others = tuple(button for button in buttons if not any(button is one for one in shown))
    native = [
        {"content_type": limits.asks[button.asks]}
        if button.asks
        else {"content_type": "text", "title": _title(button, limits), "payload": button.data or ""}
        for button in shown
    ]
    changes = [f"{len(others)} quick replies became buttons"] if others else []
    if any(button.asks for button in shown):
        # What stands on them is the person's own number or address.
        changes.append("questions for number and address have no label here")
    return native, others, changes + _cut_labels([button for button in shown if not button.asks], limits)


def with_changes(drafts: Sequence[Draft], changes: Iterable[str]) -> list[Draft]:
    """The same drafts; the first one tells the changes."""
    first, *rest = drafts
    return [Draft(first.body, (*changes, *first.changes)), *rest]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Slices of at most ``size``, in order."""
    return (items[start : start + size] for start in range(0, len(items), size))


def is_web_link(url: str | None) -> bool:
    """A link that Meta would fetch or open."""
    return url is not None and url.startswith(("https://", "http://"))


def _apart(text: str, limits: Limits) -> tuple[str, str]:
    """What goes before the button template, and the last words, which fit into it."""
    last = split_text(text, limits.button_text_max, characters)[-1:]
    tail = last[0] if last else ""
    return text[: len(text) - len(tail)].rstrip(), tail


def _text(text: str) -> Draft:
    return Draft({"message": {"text": text}})


def _button_template(text: str, buttons: Sequence[dict[str, Any]]) -> Draft:
    return attachment("template", {"template_type": "button", "text": text, "buttons": list(buttons)})


def _is_reply(button: Button, limits: Limits) -> bool:
    return button.asks in limits.asks if button.asks else button.data is not None and _is_usable(button, limits)


def _is_usable(button: Button, limits: Limits) -> bool:
    if button.data is not None:
        return bool(button.data.strip()) and len(button.data) <= limits.payload_max
    return is_web_link(button.url)


def _native_button(button: Button, limits: Limits) -> dict[str, Any]:
    title = _title(button, limits)
    if button.data is not None:
        return {"type": "postback", "title": title, "payload": button.data}
    return {"type": "web_url", "title": title, "url": button.url}


def _title(button: Button, limits: Limits) -> str:
    return truncate(_label(button), limits.title_max, characters)


def _label(button: Button) -> str:
    words = (text.strip() for text in (button.label, button.data, button.url) if text)
    return next(filter(None, words), CONTINUED)


def _cut_labels(buttons: Sequence[Button], limits: Limits) -> list[str]:
    cut = sum(len(_label(button)) > limits.title_max for button in buttons if _is_usable(button, limits))
    return [f"{cut} labels cut to {limits.title_max} characters"] if cut else []


def _line(button: Button) -> str:
    return f"• {_label(button)}: {button.url}" if button.url else f"• {_label(button)}"
