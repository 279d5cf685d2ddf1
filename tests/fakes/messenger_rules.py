"""What the Send API refuses: limits of Messenger's documentation as checks of a request body.

Sources: Messenger Platform "Send API", "Quick Replies", "Button Template", "Generic Template", "Utility messages".
"""

from typing import Any

from tests.fakes.meta import graph_error
from tests.fakes.wire import Answer

TEXT_MAX = 2000
QUICK_REPLIES_MAX = 13
TITLE_MAX = 20
PAYLOAD_MAX = 1000
METADATA_BELOW = 1000
BUTTON_TEXT_MAX = 640
BUTTONS_MAX = 3
ELEMENTS_MAX = 10
ELEMENT_TEXT_MAX = 80
MEDIA = {"image", "video", "audio", "file"}
ACTIONS = {"typing_on", "typing_off", "mark_seen", "react", "unreact"}
REACTIONS = {"smile", "angry", "sad", "wow", "love", "like", "dislike"}
TYPES = {"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"}
FRAME = {"recipient", "messaging_type", "tag", "message", "template", "sender_action", "payload", "reply_to"}


class Refused(Exception):
    """The request breaks a rule; ``answer`` is the platform's."""

    def __init__(self, message: str, *, code: int = 100, subcode: int | None = None) -> None:
        super().__init__(message)
        self.answer: Answer = graph_error(f"(#{code}) {message}", code=code, subcode=subcode)


def check(body: Any) -> None:
    """Raises Refused when the body is no request that the Send API takes."""
    require(isinstance(body, dict), "Invalid parameter: the body is no JSON object")
    require(set(body) <= FRAME, f"Invalid keys {sorted(set(body) - FRAME)} were found")
    recipient = body.get("recipient")
    require(isinstance(recipient, dict) and recipient, "The parameter recipient is required")
    if not str(recipient.get("id", "")).isdecimal():
        raise Refused("No matching user found", subcode=2018001)
    given = [name for name in ("message", "template", "sender_action") if name in body]
    require(len(given) == 1, "Specify exactly one of message, template and sender_action")
    if given == ["sender_action"]:
        check_action(body, REACTIONS)
        return
    kind = body.get("messaging_type")
    require(kind in TYPES, "Param messaging_type must be one of " + ", ".join(sorted(TYPES)))
    require((kind == "MESSAGE_TAG") == ("tag" in body), "tag belongs to messaging_type MESSAGE_TAG")
    require(body.get("tag", "HUMAN_AGENT") == "HUMAN_AGENT", "Param tag is not supported any more")
    if given == ["template"]:
        require(kind == "UTILITY" and "name" in body["template"], "A template needs a name and messaging_type UTILITY")
    else:
        _check_message(body["message"])


def check_action(body: dict[str, Any], reactions: set[str]) -> None:
    """A sender action, beside which only the recipient stands; a reaction has its payload."""
    action = body["sender_action"]
    require(action in ACTIONS, "Param sender_action must be one of " + ", ".join(sorted(ACTIONS)))
    is_about_message = action in ("react", "unreact")
    allowed = {"recipient", "sender_action"} | ({"payload"} if is_about_message else set())
    require(set(body) <= allowed, f"Invalid keys {sorted(set(body) - allowed)} were found")
    payload = body.get("payload") or {}
    require(not is_about_message or payload.get("message_id"), "Param payload[message_id] is required")
    require(action != "react" or payload.get("reaction") in reactions, "Invalid reaction")


def require(condition: object, message: str) -> None:
    """Raises Refused unless the condition holds."""
    if not condition:
        raise Refused(message)


def check_length(value: Any, name: str, *, at_most: int) -> None:
    """A text that is not blank, of at most so many characters."""
    require(isinstance(value, str) and value.strip(), f"Param {name} must be a non-empty string")
    require(len(value) <= at_most, f"Length of param {name} must be less than or equal to {at_most}")


def _check_message(message: dict[str, Any]) -> None:
    require("reply_to" not in message, "Invalid keys ['reply_to'] were found in param message")
    given = [name for name in ("text", "attachment", "sticker_id") if name in message]
    require(len(given) == 1, "Specify exactly one of text, attachment and sticker_id")
    if "metadata" in message:
        check_length(message["metadata"], "message[metadata]", at_most=METADATA_BELOW - 1)
    if "text" in message:
        check_length(message["text"], "message[text]", at_most=TEXT_MAX)
    if "attachment" in message:
        check_attachment(message["attachment"])
    replies = message.get("quick_replies", [])
    require(len(replies) <= QUICK_REPLIES_MAX, f"Too many quick_replies: at most {QUICK_REPLIES_MAX}")
    for reply in replies:
        require(reply.get("content_type") in {"text", "user_phone_number", "user_email"}, "Invalid content_type")
        if reply["content_type"] == "text":
            check_length(reply.get("title"), "quick_replies[title]", at_most=TITLE_MAX)
            check_length(reply.get("payload"), "quick_replies[payload]", at_most=PAYLOAD_MAX)


def check_attachment(attachment: dict[str, Any]) -> None:
    """Media by link or id, a button template or a generic template."""
    kind, payload = attachment.get("type"), attachment.get("payload")
    require(isinstance(payload, dict), "The parameter message[attachment][payload] is required")
    assert isinstance(payload, dict)
    if kind in MEDIA:
        require(is_link(payload.get("url")) or payload.get("attachment_id"), "Invalid media url")
        return
    require(kind == "template", f"Invalid attachment type {kind}")
    if payload.get("template_type") == "button":
        check_length(payload.get("text"), "text", at_most=BUTTON_TEXT_MAX)
        _check_buttons(payload.get("buttons"), at_least=1)
        return
    if payload.get("template_type") == "product":
        products = payload.get("elements") or []
        require(1 <= len(products) <= ELEMENTS_MAX, f"elements must be 1 to {ELEMENTS_MAX}")
        require(all(set(product) == {"id"} and product["id"] for product in products), "A product needs its id")
        return
    require(payload.get("template_type") == "generic", "Invalid template_type")
    elements = payload.get("elements") or []
    require(1 <= len(elements) <= ELEMENTS_MAX, f"elements must be 1 to {ELEMENTS_MAX}")
    for element in elements:
        check_length(element.get("title"), "title", at_most=ELEMENT_TEXT_MAX)
        if "subtitle" in element:
            check_length(element["subtitle"], "subtitle", at_most=ELEMENT_TEXT_MAX)
        require(len(element) > 1, "An element must have at least one property beside its title")
        require(is_link(element.get("image_url", "https://")), "Invalid image_url")
        opened = element.get("default_action", {"type": "web_url", "url": "https://"})
        require(set(opened) == {"type", "url"} and is_link(opened["url"]), "Invalid default_action")
        _check_buttons(element.get("buttons", []), at_least=0)


def _check_buttons(buttons: Any, *, at_least: int) -> None:
    count = len(buttons or [])
    require(at_least <= count <= BUTTONS_MAX, f"buttons must be {at_least} to {BUTTONS_MAX}")
    for button in buttons or []:
        check_length(button.get("title"), "buttons[title]", at_most=TITLE_MAX)
        if button.get("type") == "postback":
            check_length(button.get("payload"), "buttons[payload]", at_most=PAYLOAD_MAX)
        else:
            require(button.get("type") == "web_url" and is_link(button.get("url")), "Invalid button")


def is_link(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))
