"""Updates that are no Message: taps, reactions, membership, business connections and what only counts things. Pure."""

from connectors.telegram.draft import Draft, Update, person, place, required
from connectors.telegram.update import reactor_of
from connectors.telegram.wire import JsonObject, ident, obj, objects, seconds_to_ms, text, without_gaps
from schemas.content import ChoiceContent
from schemas.events import (
    ChannelUpdated,
    ChoiceMade,
    ContactJoined,
    ContactLeft,
    InputIgnored,
    MessageDeleted,
    ReactionChanged,
)

OUTSIDE = frozenset({"left", "kicked"})
"""Member states of who is not in the chat ("Telegram Bot API", section "ChatMember")."""


def tapped(update: Update) -> list[Draft]:
    """A callback query: its button spins until the query is answered, so its id travels as ``callback_id``."""
    query = update.item
    sender = obj(query.get("from"))
    message = obj(query.get("message"))
    data = text(query, "data")
    game = text(query, "game_short_name")
    content = ChoiceContent(
        data=data or game or "",
        title=_label(message, data),
        source="callback",
        values=without_gaps(game_short_name=game, inline_message_id=text(query, "inline_message_id")),
    )
    made = ChoiceMade(
        sender_id=required(ident(sender), "sender"),
        recipient_id=update.bot_id or ident(obj(message.get("from"))) or ident(obj(message.get("chat"))),
        content=content,
        reply_to=ident(message, "message_id") or None,
        callback_id=text(query, "id"),
        metadata={
            **place(update, obj(message.get("chat"))),
            **person(sender),
            **without_gaps(business_connection_id=text(message, "business_connection_id")),
        },
    )
    # The message's date is when its button was shown; of the tap Telegram tells no time.
    return [Draft(made)]


def _label(message: JsonObject, data: str | None) -> str | None:
    """What stood on the button, from the keyboard that comes along with the message."""
    rows = obj(message.get("reply_markup")).get("inline_keyboard")
    for row in rows if isinstance(rows, list) else []:
        for button in objects(row):
            if data is not None and button.get("callback_data") == data:
                return text(button, "text")
    return None


def reacted(update: Update) -> list[Draft]:
    """A person's reactions to one message, as they are now; all of them and the earlier ones stand in metadata."""
    item = update.item
    now = [_emoji(reaction) for reaction in objects(item.get("new_reaction"))]
    before = [_emoji(reaction) for reaction in objects(item.get("old_reaction"))]
    added = [emoji for emoji in now if emoji not in before]
    data = ReactionChanged(
        message_id=required(ident(item, "message_id"), "message_id"),
        sender_id=required(reactor_of(item), "sender"),
        is_removed=not now,
        emoji=next(iter(added or now), ""),
        metadata={
            **place(update, obj(item.get("chat"))),
            **person(obj(item.get("user"))),
            "reactions": now,
            "previous": before,
        },
    )
    return [Draft(data, seconds_to_ms(item))]


def _emoji(reaction: JsonObject) -> str:
    """The character, or a name for what has none: custom emoji are pictures, paid reactions are stars."""
    custom = text(reaction, "custom_emoji_id")
    return text(reaction, "emoji") or (f"custom_emoji:{custom}" if custom else text(reaction, "type") or "unknown")


def reactions_counted(update: Update) -> list[Draft]:
    """Anonymous reactions come as counts only: nobody to answer."""
    item = update.item
    counts = [
        {"emoji": _emoji(obj(entry.get("type"))), "count": entry.get("total_count")}
        for entry in objects(item.get("reactions"))
    ]
    about = {**place(update, obj(item.get("chat"))), "message_id": ident(item, "message_id"), "reactions": counts}
    data = InputIgnored(reason="anonymous_reactions", native_kind=update.kind, metadata=about)
    return [Draft(data, seconds_to_ms(item))]


def bot_moved(update: Update) -> list[Draft]:
    """The bot's own membership: blocked or unblocked in a private chat, added, removed or promoted in a group."""
    item, chat = update.item, obj(update.item.get("chat"))
    contact = required(ident(chat), "chat")
    is_private = chat.get("type") == "private"
    before, now = _states(item)
    metadata = {**place(update, chat), **person(obj(item.get("from"))), **without_gaps(before=before, now=now)}
    if now in OUTSIDE and before not in OUTSIDE:
        left = ContactLeft(contact_id=contact, how="block" if is_private else "leave", metadata=metadata)
        return [Draft(left, seconds_to_ms(item))]
    if before in OUTSIDE and now not in OUTSIDE:
        joined = ContactJoined(contact_id=contact, how="unblock" if is_private else "join", metadata=metadata)
        return [Draft(joined, seconds_to_ms(item))]
    change = ChannelUpdated(subject="bot_membership", change=now or "unknown", metadata=metadata)
    return [Draft(change, seconds_to_ms(item))]


def member_moved(update: Update) -> list[Draft]:
    """Somebody else's membership of a group."""
    item = update.item
    member = obj(obj(item.get("new_chat_member")).get("user"))
    contact = required(ident(member), "member")
    before, now = _states(item)
    metadata = {
        **place(update, obj(item.get("chat"))),
        **person(member),
        **without_gaps(before=before, now=now, by=ident(obj(item.get("from")))),
    }
    if now in OUTSIDE and before not in OUTSIDE:
        return [Draft(ContactLeft(contact_id=contact, how="member", metadata=metadata), seconds_to_ms(item))]
    if before in OUTSIDE and now not in OUTSIDE:
        return [Draft(ContactJoined(contact_id=contact, how="member", metadata=metadata), seconds_to_ms(item))]
    change = ChannelUpdated(subject=f"member:{contact}", change=now or "unknown", metadata=metadata)
    return [Draft(change, seconds_to_ms(item))]


def _states(item: JsonObject) -> tuple[str, str]:
    """Membership before and now; a restricted member may be in the chat or not."""
    return _state(obj(item.get("old_chat_member"))), _state(obj(item.get("new_chat_member")))


def _state(member: JsonObject) -> str:
    status = text(member, "status") or ""
    return "left" if status == "restricted" and member.get("is_member") is False else status


def join_requested(update: Update) -> list[Draft]:
    """Somebody asks to be let into a group that the bot administers."""
    item = update.item
    sender = obj(item.get("from"))
    metadata = {
        **place(update, obj(item.get("chat"))),
        **person(sender),
        **without_gaps(user_id=ident(sender), user_chat_id=ident(item, "user_chat_id")),
    }
    return [Draft(ChannelUpdated(subject="join_request", change="asked", metadata=metadata), seconds_to_ms(item))]


def boosted(update: Update) -> list[Draft]:
    """A chat was boosted, or a boost ended."""
    item = update.item
    boost = obj(item.get("boost"))
    boost_id = text(boost, "boost_id") or text(item, "boost_id")
    metadata = {**place(update, obj(item.get("chat"))), **without_gaps(boost_id=boost_id)}
    change = "removed" if update.kind == "removed_chat_boost" else "boosted"
    at_ms = seconds_to_ms(boost, "add_date") or seconds_to_ms(item, "remove_date")
    return [Draft(ChannelUpdated(subject="boost", change=change, metadata=metadata), at_ms)]


def business_connected(update: Update) -> list[Draft]:
    """A business account connected, changed or disconnected the bot: a fact of the channel."""
    item = update.item
    metadata = without_gaps(
        business_connection_id=text(item, "id"),
        user_id=ident(obj(item.get("user"))),
        user_chat_id=ident(item, "user_chat_id"),
        rights=obj(item.get("rights")),
        update_id=update.native.get("update_id"),
    )
    change = "enabled" if item.get("is_enabled") is True else "disabled"
    return [Draft(ChannelUpdated(subject="business_connection", change=change, metadata=metadata), seconds_to_ms(item))]


def business_deleted(update: Update) -> list[Draft]:
    """Messages of a business chat were deleted: one event each."""
    item = update.item
    listed = item.get("message_ids")
    ids = [ident({"id": value}) for value in (listed if isinstance(listed, list) else [])]
    required("".join(ids), "message_ids")
    metadata = place(update, obj(item.get("chat")))
    return [Draft(MessageDeleted(message_id=message_id, metadata=metadata)) for message_id in ids if message_id]
