"""What the readers of an update work on and give back, and the questions that several of them ask. Pure."""

import msgspec

from connectors.telegram.wire import JsonObject, text
from schemas.events import EventData


class Nobody(Exception):
    """The update lacks somebody or something without which it is no fact of a conversation; the text says what."""


class Update(msgspec.Struct, frozen=True):
    """One update: ``item`` is its member named ``kind``, ``native`` the whole; ``bot_id`` and ``bot_username`` are
    empty when they are not known."""

    kind: str
    item: JsonObject
    native: JsonObject
    bot_id: str
    bot_username: str = ""


class Draft(msgspec.Struct, frozen=True):
    """An event without its envelope; ``at_ms`` is None where Telegram gives no time (then it is when we got it).
    ``key`` names a fact that several updates tell; all others are known by their update."""

    data: EventData
    at_ms: int | None = None
    key: str | None = None


def required(value: str, what: str) -> str:
    """The value; raises Nobody when it is empty."""
    if not value:
        raise Nobody(f"has no {what}")
    return value


PROFILE = ("username", "first_name", "last_name", "language_code")


def person(user: JsonObject) -> JsonObject:
    """What an update tells about a person beside the id: profile data needs no call of its own."""
    found: JsonObject = {name: value for name in PROFILE if (value := user.get(name)) and type(value) is str}
    if user.get("is_bot") is True:
        found["is_bot"] = True
    return found


def place(update: Update, chat: JsonObject) -> JsonObject:
    """Where it happened, and the update's number, which orders what has the same second."""
    found: JsonObject = {"update_id": number} if (number := update.native.get("update_id")) else {}
    if chat_type := text(chat, "type"):
        found["chat_type"] = chat_type
    if title := text(chat, "title"):
        found["chat_title"] = title
    if business := text(update.item, "business_connection_id"):
        found["business_connection_id"] = business
    return found
