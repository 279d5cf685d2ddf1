"""What a tap says: buttons of ours and of templates, rows, filled-in forms and permissions, as one content kind. Pure.

Source: WhatsApp Business Platform "messages webhook reference: button" and "interactive".
"""

from collections.abc import Callable
from typing import Any

import orjson

from connectors.shared.meta.values import as_dict, as_text
from connectors.shared.splitting import MAX_DEPTH, is_deeper_than
from schemas.content import ChoiceContent


def choice_of(kind: str, value: dict[str, Any]) -> ChoiceContent | None:
    """The choice in a message's member named like its type; None when there is none that we know of."""
    if kind == "button":
        return _template_button(value)
    interactive = as_text(value.get("type")) or ""
    reader = CHOICES.get(interactive)
    # Each type of reply stands in a member of its own name.
    return reader(as_dict(value.get(interactive))) if reader else None


def _template_button(button: dict[str, Any]) -> ChoiceContent | None:
    """A quick reply of a template; without a payload of ours it comes back with its text."""
    title = as_text(button.get("text"))
    data = as_text(button.get("payload")) or title
    return ChoiceContent(data=data, title=title, source="button") if data else None


def _button_reply(reply: dict[str, Any]) -> ChoiceContent | None:
    data, title = as_text(reply.get("id")), as_text(reply.get("title"))
    return ChoiceContent(data=data or title or "", title=title, source="button") if data or title else None


def _list_reply(reply: dict[str, Any]) -> ChoiceContent | None:
    """The description is what stood under the row's title."""
    data, title = as_text(reply.get("id")), as_text(reply.get("title"))
    if not (data or title):
        return None
    values = {"description": reply["description"]} if as_text(reply.get("description")) else {}
    return ChoiceContent(data=data or title or "", title=title, source="list_reply", values=values)


def _form_reply(reply: dict[str, Any]) -> ChoiceContent:
    """A filled-in flow; its answers are JSON inside a text ("Flows": receiving responses)."""
    answers = as_text(reply.get("response_json")) or ""
    values = _answers(answers)
    if not isinstance(values, dict):
        values = {"response_json": answers}
    name = as_text(reply.get("name")) or "nfm_reply"
    return ChoiceContent(data=name, title=as_text(reply.get("body")), source="form", values=values)


def _answers(text: str) -> Any:
    """The parsed text, None where it is no JSON. Intake has bounded the body's depth, but not that of a text in it."""
    try:
        return None if is_deeper_than(text.encode("utf-8", "surrogatepass"), MAX_DEPTH) else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _permission_reply(reply: dict[str, Any]) -> ChoiceContent:
    """Whether we may call; no words to show."""
    return ChoiceContent(data="call_permission_reply", source="form", values=reply)


CHOICES: dict[str, Callable[[dict[str, Any]], ChoiceContent | None]] = {
    "button_reply": _button_reply,
    "list_reply": _list_reply,
    "nfm_reply": _form_reply,
    "call_permission_reply": _permission_reply,
}
"""By type of an interactive reply."""
