"""The Bot API's methods that change a message which is there, and albums: what they refuse and what becomes of it.

Sources: "Telegram Bot API" 10.3, sections "Updating messages", "sendMediaGroup", "setMessageReaction",
"deleteMessage", "readBusinessMessage"; descriptions as the real server writes them.
"""

from collections.abc import Callable
from typing import Any

from tests.fakes.telegram_rules import bad, check_keyboard, check_media, check_message, check_text, check_words

Message = dict[str, Any]
Chat = dict[int, Message]

ALBUM_ITEMS = range(2, 11)
ALBUM_TYPES = {"photo": "visual", "video": "visual", "audio": "audio", "document": "document"}
SILENT = {"setMessageReaction", "deleteMessage", "deleteBusinessMessages", "readBusinessMessage"}
METHODS_OF = {"photo": "sendPhoto", "video": "sendVideo", "audio": "sendAudio", "document": "sendDocument"}
REACTIONS = set(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡"
)
"""Single code points of the section "ReactionTypeEmoji"."""


def check_album(body: Message) -> None:
    """Raises Refused when an album breaks a rule."""
    media = body.get("media")
    if not isinstance(media, list) or len(media) not in ALBUM_ITEMS:
        raise bad("group of 2-10 media expected" if isinstance(media, list) else "media must be an array")
    if "reply_markup" in body:
        raise bad("reply markup is not allowed in an album")
    if len({ALBUM_TYPES.get(str(item.get("type"))) for item in media} - {None}) != 1:
        raise bad("this type of media can't be mixed in an album")
    for item in media:
        _check_item(item)


def edit(method: str, body: Message, chat: Chat) -> Message:
    """The edited message; raises Refused where there is none, where it has no such member, or where nothing changes."""
    known = chat.get(body.get("message_id", 0))
    if known is None:
        raise bad("message to edit not found")
    if "reply_markup" in body:
        check_keyboard(body["reply_markup"], is_inline=True)
    has_media = "text" not in known
    if method == "editMessageText":
        check_text(body.get("text"))
        check_words(body)
        if has_media:
            raise bad("there is no text in the message to edit")
        changed = {"text": body["text"]}
    elif method == "editMessageCaption":
        check_words(body)
        if not has_media:
            raise bad("there is no caption in the message to edit")
        changed = {"caption": body.get("caption", "")}
    elif method == "editMessageMedia":
        _check_item(body.get("media") or {})
        changed = {"caption": body["media"].get("caption", ""), "media": body["media"]["media"]}
    else:
        changed = {}
    new = {name: value for name, value in known.items() if name != "reply_markup"} | changed
    new |= {"reply_markup": body["reply_markup"]} if "reply_markup" in body else {}
    if new == known:
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a "
            "current content and reply markup of the message"
        )
    if method == "editMessageMedia":
        new.pop("text", None)
    chat[new["message_id"]] = new
    return new


def carry_out(method: str, body: Message, chat: Chat, last_id: int) -> bool:
    """A change that is no message; raises Refused."""
    return CHANGES[method](body, chat, last_id)


def _react(body: Message, _chat: Chat, last_id: int) -> bool:
    if not 0 < body.get("message_id", 0) <= last_id:
        raise bad("message to react not found")
    if "business_connection_id" in body:
        raise bad("method is not available in business chats")
    reaction = body.get("reaction", [])
    if len(reaction) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(one.get("type") != "emoji" or one.get("emoji") not in REACTIONS for one in reaction):
        raise bad("REACTION_INVALID")
    return True


def _delete(body: Message, chat: Chat, _last_id: int) -> bool:
    if chat.pop(body.get("message_id", 0), None) is None:
        raise bad("message to delete not found")
    return True


def _delete_of_business(body: Message, chat: Chat, _last_id: int) -> bool:
    if not body.get("business_connection_id") or not body.get("message_ids"):
        raise bad("business_connection_id and message_ids must be specified")
    for message_id in body["message_ids"]:
        chat.pop(message_id, None)
    return True


def _read(body: Message, _chat: Chat, last_id: int) -> bool:
    if not body.get("business_connection_id"):
        raise bad("BUSINESS_CONNECTION_INVALID")
    if not 0 < body.get("message_id", 0) <= last_id:
        raise bad("MESSAGE_ID_INVALID")
    return True


CHANGES: dict[str, Callable[[Message, Chat, int], bool]] = {
    "setMessageReaction": _react,
    "deleteMessage": _delete,
    "deleteBusinessMessages": _delete_of_business,
    "readBusinessMessage": _read,
}


def _check_item(item: Message) -> None:
    kind = str(item.get("type"))
    if kind not in METHODS_OF:
        raise bad("invalid media type specified")
    check_media(METHODS_OF[kind], item.get("media"))
    check_message(METHODS_OF[kind], {**item, kind: item["media"]})
