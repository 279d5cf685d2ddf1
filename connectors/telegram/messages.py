"""Messages and their edits: what people, channels and business owners wrote, and what happened to a group. Pure."""

from typing import Any

from connectors.shared.messages import message_received
from connectors.telegram.address import is_addressed, is_in_group
from connectors.telegram.content import content_of
from connectors.telegram.draft import Draft, Update, person, place, required
from connectors.telegram.update import MIGRATING, sender_of
from connectors.telegram.wire import JsonObject, ident, obj, objects, seconds_to_ms, text, whole, without_gaps
from schemas.content import ChoiceContent, Content
from schemas.events import (
    ChoiceMade,
    ContactJoined,
    ContactLeft,
    IdentityChanged,
    InputIgnored,
    MessageEchoed,
    MessageEdited,
    ReferralReceived,
)

START = "/start "
"""A deep link t.me/<bot>?start=<payload> arrives as this text ("Telegram bot features", section "Deep Linking")."""

REPORTING = frozenset({"new_chat_members", "left_chat_member"})
"""Members that make a Message an event other than a message."""

RARE = frozenset(
    {
        "message_thread_id",
        "sender_chat",
        "is_automatic_forward",
        "forward_origin",
        "via_bot",
        "author_signature",
        "quote",
        "external_reply",
        "caption_entities",
        "location",
    }
)
"""Members that go into the metadata; most messages have none of them, and are not searched for each."""


def received(update: Update) -> list[Draft]:
    """A new message: what it says, or what it reports about the group."""
    message = update.item
    at_ms = seconds_to_ms(message)
    sender = required(sender_of(update.kind, message), "sender")
    chat = required(ident(obj(message.get("chat"))), "chat")
    migrated = _migrated(message, chat)
    if migrated is not None:
        # Told in both chats, with an update each.
        return [Draft(migrated, at_ms, key=f"{migrated.old_identity}>{migrated.new_identity}")]
    reports = _reports(message)
    if reports:
        return [Draft(data, at_ms) for data in reports]
    message_id = required(ident(message, "message_id"), "message_id")
    author = obj(message.get("from"))
    if author.get("is_bot") is True and "sender_chat" not in message and not _is_own_side(update, sender, chat):
        # Two bots that answer each other would never stop. Anonymous people look like bots but name their chat.
        about = {"message_id": message_id, "sender_id": sender}
        return [Draft(InputIgnored(reason="from_bot", native_kind=update.kind, metadata=about), at_ms)]
    return [Draft(data, at_ms) for data in _said(update, message_id=message_id, sender=sender, chat=chat)]


def _said(update: Update, *, message_id: str, sender: str, chat: str) -> list[Any]:
    """A message as what it is to the business: an echo of its own side, a form that was filled in, or words."""
    message, content = update.item, content_of(update.item)
    metadata = _metadata(update)
    if not is_addressed(update):
        metadata["is_addressed"] = False
    if is_in_group(update):
        metadata["in_group"] = True
    reply_to = ident(obj(message.get("reply_to_message")), "message_id") or None
    if _is_own_side(update, sender, chat):
        return [_echo(message, message_id=message_id, sender=sender, chat=chat, content=content, metadata=metadata)]
    recipient = _recipient(update, sender, chat)
    if isinstance(content, ChoiceContent):
        choice = ChoiceMade(
            message_id=message_id,
            sender_id=sender,
            recipient_id=recipient,
            content=content,
            reply_to=reply_to,
            metadata=metadata,
        )
        return [choice]
    said = message_received(
        content,
        message_id=message_id,
        sender_id=sender,
        recipient_id=recipient,
        reply_to=reply_to,
        is_forwarded="forward_origin" in message,
        metadata=metadata,
    )
    return [*_referral(message, sender), said]


def _recipient(update: Update, sender: str, chat: str) -> str:
    """Who was written to. A private chat has the person's own id, so there it is the bot or the business account."""
    if sender != chat or "sender_chat" in update.item or update.kind == "channel_post":
        return chat
    return text(update.item, "business_connection_id") or update.bot_id or chat


def edited(update: Update) -> list[Draft]:
    """A later form of a message; of several edits the latest time wins."""
    message = update.item
    sender = required(sender_of(update.kind, message), "sender")
    chat = required(ident(obj(message.get("chat"))), "chat")
    metadata = _metadata(update)
    if _is_own_side(update, sender, chat):
        metadata["is_echo"] = True
    data = MessageEdited(
        message_id=required(ident(message, "message_id"), "message_id"),
        sender_id=sender,
        content=content_of(message),
        revision=whole(message, "edit_date") or whole(message, "date") or 0,
        metadata=metadata,
    )
    return [Draft(data, seconds_to_ms(message, "edit_date") or seconds_to_ms(message))]


def _is_own_side(update: Update, sender: str, chat: str) -> bool:
    """In a business chat, which is always private, the chat's id is the customer's: anybody else is the business."""
    return update.kind.endswith("business_message") and sender != chat


def _echo(
    message: JsonObject, *, message_id: str, sender: str, chat: str, content: Content, metadata: JsonObject
) -> MessageEchoed:
    bot = obj(message.get("sender_business_bot"))
    return MessageEchoed(
        message_id=message_id,
        sender_id=sender,
        recipient_id=chat,
        content=content,
        app_id=ident(bot) or None,
        # A business account has one connected bot, so what a bot sent for it is ours. Without that mark the
        # conversation has to tell.
        is_ours=True if bot else None,
        metadata=metadata,
    )


def _migrated(message: JsonObject, chat: str) -> IdentityChanged | None:
    """A group became a supergroup; a fact of the chat that was, whichever of the two tells it."""
    if MIGRATING.isdisjoint(message):
        return None
    new_chat, old_chat = ident(message, "migrate_to_chat_id"), ident(message, "migrate_from_chat_id")
    if new_chat:
        return IdentityChanged(old_identity=chat, new_identity=new_chat, cause="migrate_to_chat_id")
    if old_chat:
        return IdentityChanged(old_identity=old_chat, new_identity=chat, cause="migrate_from_chat_id")
    return None


def _reports(message: JsonObject) -> list[Any]:
    """Events of service messages that have types of their own."""
    if REPORTING.isdisjoint(message):
        return []
    joined: list[Any] = [
        ContactJoined(contact_id=ident(user), how="member", metadata=person(user))
        for user in objects(message.get("new_chat_members"))
        if ident(user)
    ]
    left = obj(message.get("left_chat_member"))
    if ident(left):
        joined.append(ContactLeft(contact_id=ident(left), how="member", metadata=person(left)))
    return joined


def _referral(message: JsonObject, sender: str) -> list[Any]:
    """Where somebody came from; the start message itself follows as an ordinary one, so that it is answered."""
    words = text(message, "text") or ""
    payload = words.removeprefix(START).strip() if words.startswith(START) else ""
    return [ReferralReceived(sender_id=sender, ref=payload, source="deep_link")] if payload else []


def _metadata(update: Update) -> JsonObject:
    """What only Telegram knows: the place, the profile, and how the message came to be. No words of anybody."""
    message = update.item
    metadata = {**place(update, obj(message.get("chat"))), **person(obj(message.get("from")))}
    if RARE.isdisjoint(message):
        return metadata
    elsewhere = obj(message.get("external_reply"))
    return {
        **metadata,
        **without_gaps(
            message_thread_id=whole(message, "message_thread_id"),
            sender_chat_id=ident(obj(message.get("sender_chat"))),
            is_automatic_forward=message.get("is_automatic_forward") is True,
            forward_origin=obj(message.get("forward_origin")),
            via_bot=text(obj(message.get("via_bot")), "username"),
            author_signature=text(message, "author_signature"),
            # The quoted words stand in the parent message; only where they start is told here.
            quote_position=whole(obj(message.get("quote")), "position"),
            external_reply_to=ident(elsewhere, "message_id"),
            external_reply_chat=ident(obj(elsewhere.get("chat"))),
            # Links, mentions and commands of a caption; those of a text stand beside it.
            caption_entities=objects(message.get("caption_entities")),
            live_period_s=whole(obj(message.get("location")), "live_period"),
        ),
    }
