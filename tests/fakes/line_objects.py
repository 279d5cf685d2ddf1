"""LINE's message objects: which the API refuses, and what a person sees of those that it takes."""

import json
from collections.abc import Iterator
from typing import Any

import regex

HTTPS_URL_MAX = 2000
QUICK_REPLIES_MAX = 13


def problem_of(messages: Any) -> tuple[str, str] | None:
    """(property, message) of the first thing wrong with the objects of a call, None when all is well."""
    if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
        return "messages", "Size must be between 1 and 5"
    for number, message in enumerate(messages):
        for name, problem in _problems(message):
            return f"messages[{number}].{name}" if name else f"messages[{number}]", problem
    return None


def visible_texts(message: Any) -> list[str]:
    """What a person reads of an object: its text, else the text of its card, else its kind and link."""
    if not isinstance(message, dict):
        return []
    kind = message.get("type")
    if kind == "text":
        return [str(message.get("text"))]
    if kind == "template":
        return [str(message.get("template", {}).get("text"))]
    if kind == "flex":
        return [" ".join(_flex_texts(message.get("contents"))) or str(message.get("altText"))]
    return [f"[{kind}] {message.get('originalContentUrl') or message.get('title') or message.get('stickerId')}"]


def _problems(message: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(message, dict):
        yield "", "Must be an object"
        return
    check = {
        "text": _text,
        "image": _media,
        "video": _media,
        "audio": _media,
        "sticker": _sticker,
        "location": _location,
        "template": _template,
        "flex": _flex,
    }.get(str(message.get("type")))
    if check is None:
        yield (
            "type",
            "Must be one of the following values: [text, image, video, audio, location, sticker, template, flex]",
        )
        return
    yield from check(message)
    if "quoteToken" in message and message["type"] not in ("text", "sticker"):
        yield "quoteToken", "Unknown property"
    yield from _quick_reply(message.get("quickReply"))


def _text(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _bounded("text", message.get("text"), 5000, _utf16)


def _media(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = ["originalContentUrl"] + (["previewImageUrl"] if message["type"] != "audio" else [])
    for name in names:
        value = message.get(name)
        if not isinstance(value, str) or not value.startswith("https://") or len(value) > HTTPS_URL_MAX:
            yield name, "Must be a valid HTTPS URL"
    if message["type"] == "audio" and not (isinstance(message.get("duration"), int) and message["duration"] > 0):
        yield "duration", "Must be greater than 0"


def _sticker(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("packageId", "stickerId"):
        if not isinstance(message.get(name), str) or not message[name].isdigit():
            yield name, "Must be a number"


def _location(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("title", "address"):
        yield from _bounded(name, message.get(name), 100, _utf16)
    for name in ("latitude", "longitude"):
        if not isinstance(message.get(name), int | float):
            yield name, "Must be a number"


def _template(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _bounded("altText", message.get("altText"), 1500, _utf16)
    template = message.get("template")
    if not isinstance(template, dict) or template.get("type") != "buttons":
        yield "template.type", "Must be one of the following values: [buttons]"
        return
    limit = 60 if "title" in template or "thumbnailImageUrl" in template else 160
    yield from _bounded("template.text", template.get("text"), limit, _graphemes)
    actions = template.get("actions")
    if not isinstance(actions, list) or not 1 <= len(actions) <= 4:
        yield "template.actions", "Size must be between 1 and 4"
        return
    for action in actions:
        yield from _action("template.actions", action)


def _flex(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _bounded("altText", message.get("altText"), 1500, _utf16)
    contents = message.get("contents")
    kind = contents.get("type") if isinstance(contents, dict) else None
    bubbles = [contents] if kind == "bubble" else contents.get("contents") if isinstance(contents, dict) else None
    if kind not in ("bubble", "carousel") or not isinstance(bubbles, list) or not 1 <= len(bubbles) <= 12:
        yield "contents", "Must be a bubble or a carousel of 1 to 12 bubbles"
        return
    if len(json_bytes(contents)) > 50_000 or any(len(json_bytes(bubble)) > 30_000 for bubble in bubbles):
        yield "contents", "Too large"
    for action in _flex_actions(contents):
        yield from _action("contents", action)
    if any(text == "" for text in _flex_texts(contents)):
        yield "contents", "Text must not be empty"


def _quick_reply(quick: Any) -> Iterator[tuple[str, str]]:
    if quick is None:
        return
    items = quick.get("items") if isinstance(quick, dict) else None
    if not isinstance(items, list) or not 1 <= len(items) <= QUICK_REPLIES_MAX:
        yield "quickReply.items", f"Size must be between 1 and {QUICK_REPLIES_MAX}"
        return
    for item in items:
        action = item.get("action") if isinstance(item, dict) else None
        yield from _action("quickReply.items.action", action, extra=("location", "camera", "cameraRoll"))


def _action(where: str, action: Any, *, extra: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    if not isinstance(action, dict):
        yield where, "Must be an object"
        return
    yield from _bounded(f"{where}.label", action.get("label"), 20, _graphemes)
    if action.get("type") == "postback":
        yield from _bounded(f"{where}.data", action.get("data"), 300, _utf16)
        if "displayText" in action:
            yield from _bounded(f"{where}.displayText", action["displayText"], 300, _utf16)
    elif action.get("type") == "uri":
        uri = action.get("uri")
        if (
            not isinstance(uri, str)
            or not uri.startswith(("http://", "https://", "line://", "tel:"))
            or len(uri) > 10_000
        ):
            yield f"{where}.uri", "Invalid action URI"
    elif action.get("type") not in ("message", *extra):
        yield f"{where}.type", "Must be one of the following values: [postback, uri, message]"


def _bounded(name: str, value: Any, limit: int, measure: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not value.strip():
        yield name, "May not be empty"
    elif measure(value) > limit:
        yield name, f"Length must be between 0 and {limit}"


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _graphemes(text: str) -> int:
    return len(regex.findall(r"\X", text))


def json_bytes(value: Any) -> bytes:
    """JSON as LINE measures it: compact, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _flex_texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "text":
            yield str(node.get("text"))
        for value in node.values():
            yield from _flex_texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _flex_texts(value)


def _flex_actions(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if "action" in node:
            yield node["action"]
        for value in node.values():
            yield from _flex_actions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _flex_actions(value)
