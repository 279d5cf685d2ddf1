"""Whether a message in a group or on a channel is meant for the bot. Pure.

In its privacy mode a bot gets little else ("Bots: what messages will my bot get?"); without it, and on channels, it
gets all that people write to each other.
"""

from connectors.telegram.draft import Update
from connectors.telegram.update import CHANNEL_POSTS, service_key
from connectors.telegram.wire import JsonObject, ident, obj, objects, text, whole

SHARED = ("group", "supergroup")
"""Types of chats in which people talk to each other too ("Chat")."""


def is_in_group(update: Update) -> bool:
    """Whether others listen and speak there."""
    return obj(update.item.get("chat")).get("type") in SHARED


def is_addressed(update: Update) -> bool:
    """Always so in a private chat, never on a channel. In a group: a command that names no other bot, an answer to the
    bot's message, a mention of it. What Telegram itself says (a new title) is said to nobody and not judged here."""
    if update.kind in CHANNEL_POSTS:
        return False
    message = update.item
    if not is_in_group(update) or service_key(message) is not None:
        return True
    answered = obj(obj(message.get("reply_to_message")).get("from"))
    if answered.get("is_bot") is True and update.bot_id in ("", ident(answered)):
        return True
    words, entities = ("text", "entities") if "text" in message else ("caption", "caption_entities")
    said = text(message, words) or ""
    return any(_names_bot(entity, said, update) for entity in objects(message.get(entities)))


def _names_bot(entity: JsonObject, words: str, update: Update) -> bool:
    kind = entity.get("type")
    if kind == "text_mention":
        return bool(update.bot_id) and ident(obj(entity.get("user"))) == update.bot_id
    if kind not in ("mention", "bot_command"):
        return False
    _, at, name = _part(words, entity).partition("@")
    if kind == "bot_command" and not (at and update.bot_username):
        return True
    return bool(update.bot_username) and name.lower() == update.bot_username.lower()


def _part(words: str, entity: JsonObject) -> str:
    """The words of an entity, whose place is counted in UTF-16 units ("MessageEntity")."""
    start, length = whole(entity, "offset") or 0, whole(entity, "length") or 0
    units = words.encode("utf-16-le", "surrogatepass")
    return units[2 * max(start, 0) : 2 * max(start + length, 0)].decode("utf-16-le", "replace")
