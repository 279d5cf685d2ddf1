"""What the readers of an update work on and give back, and the questions that several of them ask. Pure."""

from dataclasses import dataclass

from connectors.telegram.wire import JsonObject, text, without_gaps
from schemas.events import EventData


class Nobody(Exception):
    """The update lacks somebody or something without which it is no fact of a conversation; the text says what."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update: ``item`` is its member named ``kind``, ``native`` the whole; ``bot_id`` is empty when not known."""

    kind: str
    item: JsonObject
    native: JsonObject
    bot_id: str


@dataclass(frozen=True, slots=True)
class Draft:
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


def person(user: JsonObject) -> JsonObject:
    """What an update tells about a person beside the id: profile data needs no call of its own."""
    return without_gaps(
        username=text(user, "username"),
        first_name=text(user, "first_name"),
        last_name=text(user, "last_name"),
        language_code=text(user, "language_code"),
        is_bot=user.get("is_bot") is True,
    )


def place(update: Update, chat: JsonObject) -> JsonObject:
    """Where it happened, and the update's number, which orders what has the same second."""
    return without_gaps(
        update_id=update.native.get("update_id"),
        chat_type=text(chat, "type"),
        chat_title=text(chat, "title"),
        business_connection_id=text(update.item, "business_connection_id"),
    )
