"""An AI's answer as the parts of a message. Pure, and total: no answer makes it raise.

The answer's type says which of its members count: ``text`` the text; ``rich`` the text and the cards; ``interactive``
the text with the keyboard under it: buttons, quick replies, or a list. A card or keyboard that cannot be understood is
left out and the text still goes.
"""

from collections.abc import Iterable
from typing import Any

from schemas.content import TextContent
from schemas.ids import derived_id
from schemas.outbound import Button, ListContent, Part, PartContent, Section
from schemas.replies import AIAnswer
from streams.conversation.flex import BUTTONS_MAX, URL, read_cards

Rows = tuple[tuple[Button, ...], ...]

_LABELS = ("text", "label", "title")
_DATA = ("callback_data", "data", "payload", "id")
_URLS = ("url", "uri")


def parts_of(answer: AIAnswer, *, message_id: str) -> tuple[Part, ...]:
    """At most two parts, in order, with ids derived from ``message_id``; none when there is nothing to say."""
    keyboard = answer.keyboard if answer.response_type == "interactive" else None
    quick = quick_replies_of(keyboard)
    sections = sections_of(keyboard)
    rows = () if quick or sections else rows_of(keyboard)
    contents: list[PartContent] = []
    text = answer.response_text.strip()
    if sections:
        contents.append(ListContent(text=text, sections=sections, **_around(keyboard)))
    elif text := text or "\n".join(button.label for row in (*rows, quick) for button in row):
        contents.append(TextContent(text=text))
    if answer.response_type == "rich" and answer.flex_content is not None:
        cards = read_cards(answer.flex_content)
        if cards is not None:
            contents.append(cards)
    return tuple(
        Part(id=derived_id(message_id, "part", number), content=content, rows=rows, quick_replies=quick)
        for number, content in enumerate(contents)
    )


def rows_of(keyboard: Any) -> Rows:
    """Rows of buttons from the forms that AI services use; what is no button is left out, 100 buttons at most.

    Forms: ``{"inline_keyboard": rows}`` (also ``keyboard``, ``rows``, ``buttons``), a list of rows, or a list of
    buttons, which get a row each. A button is an object with a label (``text``, ``label`` or ``title``) and either a
    link (``url``) or data (``callback_data``, ``data`` or ``payload``), or a plain text that is both label and data.
    """
    if isinstance(keyboard, dict):
        keyboard = _first(keyboard, ("inline_keyboard", "keyboard", "rows", "buttons"))
    rows: list[tuple[Button, ...]] = []
    left = BUTTONS_MAX
    for row in keyboard if isinstance(keyboard, list) else ():
        buttons = tuple(_buttons(row if isinstance(row, list) else [row]))[:left]
        left -= len(buttons)
        if buttons:
            rows.append(buttons)
    return tuple(rows)


def quick_replies_of(keyboard: Any) -> tuple[Button, ...]:
    """Taps that vanish: ``{"quick_replies": buttons}``, or a reply keyboard, ``{"keyboard": rows}``, that says that it
    is for one tap (``one_time_keyboard``)."""
    if not isinstance(keyboard, dict):
        return ()
    given = keyboard.get("quick_replies")
    if given is None and keyboard.get("one_time_keyboard") is True:
        given = keyboard.get("keyboard")
    return tuple(button for row in rows_of(given) for button in row)


def sections_of(keyboard: Any) -> tuple[Section, ...]:
    """A list to choose from: ``{"sections": [{"title", "rows": buttons}]}``; a row may have a ``description``."""
    sections = keyboard.get("sections") if isinstance(keyboard, dict) else None
    found: list[Section] = []
    left = BUTTONS_MAX
    for section in sections if isinstance(sections, list) else ():
        items = section.get("rows") if isinstance(section, dict) else None
        rows = tuple(_buttons(items if isinstance(items, list) else ()))[:left]
        left -= len(rows)
        if rows:
            found.append(Section(title=_words(section, "title"), rows=rows))
    return tuple(found)


def _around(keyboard: Any) -> dict[str, str | None]:
    """What stands around a list; ``button`` is what some AI services call the label that opens it."""
    return {
        "title": _words(keyboard, "title"),
        "footer": _words(keyboard, "footer"),
        "label": _words(keyboard, "label") or _words(keyboard, "button"),
    }


def _words(item: dict[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _buttons(items: Iterable[Any]) -> Iterable[Button]:
    for item in items:
        button = _button({"text": item, "data": item} if isinstance(item, str) else item)
        if button is not None:
            yield button


def _button(item: Any) -> Button | None:
    if not isinstance(item, dict):
        return None
    label, data, url = (_first(item, names) for names in (_LABELS, _DATA, _URLS))
    more = _words(item, "description")
    if not isinstance(label, str) or not label.strip():
        return None
    if isinstance(url, str) and URL.fullmatch(url):
        return Button(label=label.strip(), url=url, description=more)
    if url is None and data is None:
        # A bare label is what a reply keyboard has: the tap says the label.
        data = label.strip()
    is_tap = isinstance(data, str) and bool(data)
    return Button(label=label.strip(), data=data, description=more) if is_tap else None


def _first(item: dict[str, Any], names: Iterable[str]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)
