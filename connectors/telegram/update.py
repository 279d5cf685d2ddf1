"""What an update is and whose conversation it belongs to. Pure; total on any JSON object.

An update has an ``update_id`` and beside it at most one member, whose name is its kind ("Telegram Bot API", section
"Update").
"""

from connectors.telegram.api import peer
from connectors.telegram.wire import JsonObject, ident, obj, text

CHANNEL_POSTS = frozenset({"channel_post", "edited_channel_post"})

MESSAGES = CHANNEL_POSTS | {"message", "edited_message", "business_message", "edited_business_message"}
"""Kinds whose member is a Message; all need a sender."""

OF_THE_CHANNEL = frozenset({"business_connection", "poll"})
"""Kinds that belong to the whole account and not to one conversation."""

KINDS = (
    MESSAGES
    | OF_THE_CHANNEL
    | {
        "business_message",
        "deleted_business_messages",
        "callback_query",
        "message_reaction",
        "message_reaction_count",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
        "poll_answer",
        "inline_query",
        "chosen_inline_result",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "guest_message",
        "managed_bot",
        "subscription",
        "stopped_message_generation",
    }
)
"""Every kind of update of Bot API 10.3."""

SERVICE_KEYS = (
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "connected_website",
    "write_access_allowed",
    "passport_data",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "paid_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_completed",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
)
"""Members that make a Message a service message ("Telegram Bot API", section "Message"): nobody wrote anything."""

IS_SERVICE = frozenset(SERVICE_KEYS)

MIGRATING = frozenset({"migrate_to_chat_id", "migrate_from_chat_id"})
"""Members of a Message that say that its chat became another."""


def kind_of(update: JsonObject) -> str:
    """The kind; several known ones joined by ``+`` (which Telegram never sends); ``empty`` when there is nothing."""
    known = [name for name in update if name in KINDS]
    return "+".join(known) or next((name for name in update if name != "update_id"), "empty")


def kind_and_item(update: JsonObject) -> tuple[str, JsonObject]:
    """The kind, and the member that carries the update."""
    kind = kind_of(update)
    return kind, obj(update.get(kind if kind in KINDS else kind.partition("+")[0]))


def service_key(message: JsonObject) -> str | None:
    """What kind of service message this is, or None for what somebody wrote."""
    # Nearly always there is none, which is seen at once.
    return None if IS_SERVICE.isdisjoint(message) else next(key for key in SERVICE_KEYS if key in message)


def sender_of(kind: str, message: JsonObject) -> str:
    """Who wrote a Message, empty when nobody can be told.

    ``sender_chat`` comes first: for a channel or an anonymous administrator ``from`` is only a stand-in. Channel posts
    and service messages may have neither; then the chat itself speaks.
    """
    sender = ident(obj(message.get("sender_chat"))) or ident(obj(message.get("from")))
    if not sender and (kind in CHANNEL_POSTS or service_key(message)):
        sender = ident(obj(message.get("chat")))
    return sender


def peer_of(kinds: str, item: JsonObject) -> str:
    """The peer of the conversation, empty for what belongs to the channel or names nobody; of an update's kind and
    item."""
    kind = kinds.partition("+")[0]
    if kind in OF_THE_CHANNEL:
        return ""
    if kind in MESSAGES:
        # A group that became a supergroup says so in both chats; it is one fact of the one that was.
        old_chat = ident(item, "migrate_from_chat_id")
        return (old_chat or _chat_peer(item)) if sender_of(kind, item) else ""
    if kind == "callback_query":
        # A button of a message that was sent inline has no chat; the private chat has the person's own id.
        sender = ident(obj(item.get("from")))
        return (_chat_peer(obj(item.get("message"))) or sender) if sender else ""
    if kind == "message_reaction":
        return _chat_peer(item) if reactor_of(item) else ""
    return _chat_peer(item) or _chat_peer(obj(item.get("message"))) or _somebody(item)


def is_fixed(item: JsonObject) -> bool:
    """Whether the update is about the very chat that it is kept under: that it became another."""
    return not MIGRATING.isdisjoint(item)


def reactor_of(item: JsonObject) -> str:
    """Who reacted: a person, or a chat for anonymous administrators."""
    return ident(obj(item.get("user"))) or ident(obj(item.get("actor_chat")))


def _chat_peer(source: JsonObject) -> str:
    chat = ident(obj(source.get("chat")))
    return peer(chat, text(source, "business_connection_id")) if chat else ""


def _somebody(item: JsonObject) -> str:
    people = (ident(obj(item.get(name))) for name in ("from", "user", "voter_chat"))
    return next(filter(None, people), "") or ident(item, "user_chat_id")
