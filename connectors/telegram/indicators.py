"""Requests that nobody sees as a message: answers to taps, typing, read marks. Pure.

Sections "answerCallbackQuery", "sendChatAction", "readBusinessMessage" of "Telegram Bot API".
"""

from typing import Any

from connectors.shared.text import truncate, utf16_units
from connectors.telegram.api import CALLBACK_TEXT_MAX
from connectors.telegram.changing import is_message_id
from schemas.outbound import OutboundMessage

Request = tuple[str, dict[str, Any]]
"""A method and its fields."""

Changes = tuple[str, ...]


def callback_answers(message: OutboundMessage) -> tuple[list[Request], Changes]:
    """Every tap is answered, or its button would spin on; the text is shown above the chat, or as an alert."""
    text = (message.callback_text or "").strip()
    shown: dict[str, Any] = {"text": truncate(text, CALLBACK_TEXT_MAX, utf16_units)} if text else {}
    if text and message.callback_alert:
        shown["show_alert"] = True
    changes: list[str] = []
    if text and not message.callback_ids:
        changes.append("callback text left out: there is no tap to answer")
    elif utf16_units(text) > CALLBACK_TEXT_MAX:
        changes.append(f"callback text cut to {CALLBACK_TEXT_MAX} characters")
    answers = [("answerCallbackQuery", {"callback_query_id": id, **shown}) for id in message.callback_ids]
    return answers, tuple(changes)


def indicators(message: OutboundMessage, target: dict[str, Any]) -> tuple[list[Request], Changes]:
    """Typing lasts for 5 s or until the message; read marks exist in business chats only."""
    requests: list[Request] = []
    changes: list[str] = []
    if message.mark_read and "business_connection_id" in target and is_message_id(message.mark_read):
        requests.append(("readBusinessMessage", {**target, "message_id": int(message.mark_read)}))
    elif message.mark_read:
        changes.append("not marked as read: Telegram has that in business chats only")
    if message.typing:
        requests.append(("sendChatAction", {**target, "action": "typing"}))
    return requests, tuple(changes)
