"""An AI's answer as the parts of a message. Pure, and total: no answer makes it raise.

The answer's type says which of its members count: ``text`` the text; ``rich`` the text and the card; ``interactive``
the text with the keyboard under it. A card or keyboard that cannot be understood is left out and the text still goes.
"""

from collections.abc import Iterable
from typing import Any

from schemas.content import TextContent
from schemas.ids import derived_id
from schemas.outbound import Button, Part, PartContent
from schemas.replies import AIAnswer
from streams.conversation.flex import BUTTONS_MAX, URL, read_cards

Rows = tuple[tuple[Button, ...], ...]

_LABELS = ("text", "label", "title")
_DATA = ("callback_data", "data", "payload")
_URLS = ("url", "uri")


def parts_of(answer: AIAnswer, *, message_id: str) -> tuple[Part, ...]:
    """At most two parts, in order, with ids derived from ``message_id``; none when there is nothing to say."""
    rows = rows_of(answer.keyboard) if answer.response_type == "interactive" else ()
    contents: list[PartContent] = []
    text = answer.response_text.strip() or "\n".join(button.label for row in rows for button in row)
    if text:
        contents.append(TextContent(text=text))
    if answer.response_type == "rich" and answer.flex_content is not None:
        cards = read_cards(answer.flex_content)
        if cards is not None:
            contents.append(cards)
    return tuple(
        Part(id=derived_id(message_id, "part", number), content=content, rows=rows)
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


def _buttons(items: Iterable[Any]) -> Iterable[Button]:
    for item in items:
        button = _button({"text": item, "data": item} if isinstance(item, str) else item)
        if button is not None:
            yield button


def _button(item: Any) -> Button | None:
    if not isinstance(item, dict):
        return None
    label, data, url = (_first(item, names) for names in (_LABELS, _DATA, _URLS))
    if not isinstance(label, str) or not label.strip():
        return None
    if isinstance(url, str) and URL.fullmatch(url):
        return Button(label=label.strip(), url=url)
    if url is None and data is None:
        # A bare label is what a reply keyboard has: the tap says the label.
        data = label.strip()
    return Button(label=label.strip(), data=data) if isinstance(data, str) and data else None


def _first(item: dict[str, Any], names: Iterable[str]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)
