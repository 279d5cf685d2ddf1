"""Every event type of ``iris.conversation.events``: one model of ``data`` each, named in the past tense.

The wire name is the class name in snake case (``MessageReceived`` → ``message_received``); ``EVENT_DATA`` maps them.
"""

import re
from functools import cache
from typing import Any, Literal

from pydantic import Field, JsonValue

from schemas.base import Model, Timestamp
from schemas.content import ChoiceContent, Content, UnsupportedContent
from schemas.outbound import Part
from schemas.replies import AIAnswer

Metadata = dict[str, Any]


class EventData(Model):
    """Base of all ``data`` models."""


# From the platforms.


class MessageReceived(EventData):
    """``reply_token`` is LINE's; ``metadata`` holds what only one platform knows (username, thread, quote token …)."""

    message_id: str
    sender_id: str
    recipient_id: str
    content: Content
    reply_to: str | None = None
    reply_token: str | None = None
    is_forwarded: bool = False
    metadata: Metadata = Field(default_factory=dict)


class MessageEdited(EventData):
    """``message_id`` is the edited message; of several edits the greatest ``revision`` wins."""

    message_id: str
    sender_id: str
    content: Content
    revision: int = 0
    metadata: Metadata = Field(default_factory=dict)


class MessageDeleted(EventData):
    message_id: str
    sender_id: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class ReactionChanged(EventData):
    """``emoji`` is empty when the reaction was removed."""

    message_id: str
    sender_id: str
    is_removed: bool = False
    emoji: str = ""
    metadata: Metadata = Field(default_factory=dict)


class ChoiceMade(EventData):
    """A tap. ``callback_id`` must be answered on platforms whose button spins until then."""

    message_id: str | None = None
    sender_id: str
    recipient_id: str
    content: ChoiceContent
    reply_to: str | None = None
    reply_token: str | None = None
    callback_id: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class MessageRead(EventData):
    """Read: one message, or everything sent at or before ``watermark``."""

    reader_id: str
    message_id: str | None = None
    watermark: Timestamp | None = None


class ContactJoined(EventData):
    contact_id: str
    how: Literal["follow", "unblock", "join", "member", "start"]
    reply_token: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class ContactLeft(EventData):
    contact_id: str
    how: Literal["unfollow", "block", "leave", "member"]
    metadata: Metadata = Field(default_factory=dict)


class ReferralReceived(EventData):
    sender_id: str
    ref: str | None = None
    source: str | None = None
    ad_id: str | None = None
    metadata: Metadata = Field(default_factory=dict)


class MessageEchoed(EventData):
    """A message of the business's own side. ``tag`` is what we sent along, ``app_id`` who sent it.

    ``is_ours`` is True when the connector can prove it from the app id, None when only the conversation can tell.
    """

    message_id: str
    sender_id: str
    recipient_id: str
    content: Content
    tag: str | None = None
    app_id: str | None = None
    is_ours: bool | None = None
    metadata: Metadata = Field(default_factory=dict)


class DeliveryReported(EventData):
    """A report about what we sent: one message, or everything at or before ``watermark``."""

    status: Literal["sent", "delivered", "read", "played", "failed"]
    message_id: str | None = None
    watermark: Timestamp | None = None
    recipient_id: str | None = None
    tag: str | None = None
    errors: tuple[dict[str, JsonValue], ...] = ()
    metadata: Metadata = Field(default_factory=dict)


class IdentityChanged(EventData):
    old_identity: str
    new_identity: str
    cause: str


class ChannelUpdated(EventData):
    subject: str
    change: str
    metadata: Metadata = Field(default_factory=dict)


class Unrecognised(EventData):
    """Kept, never dropped: ``content.raw`` is the event as it came."""

    native_kind: str
    content: UnsupportedContent


class InputIgnored(EventData):
    """Understood, and deliberately without effect (standby, console test delivery)."""

    reason: str
    native_kind: str
    metadata: Metadata = Field(default_factory=dict)


# From us.


class ReplyRequested(EventData):
    """A turn begins: the events that it answers and the version of the policy that decided so."""

    turn_id: str
    event_ids: tuple[str, ...]
    deadline: Timestamp
    policy_version: int = 0


class ReplyGenerated(EventData):
    """The AI's answer in ``content``; times in seconds since the epoch, with fractions, for measuring our own time."""

    turn_id: str
    content: AIAnswer
    attempts: int = 1
    asked_at: float
    answered_at: float
    own_ms_before_ai: float | None = None
    source: Literal["ai", "fallback"] = "ai"


class ReplyFailed(EventData):
    turn_id: str
    reason: str
    attempts: int
    detail: str = ""


class MessagePlanned(EventData):
    """What is going to be said; ``content`` are the parts. Every part id is counted once in the books."""

    message_id: str
    turn_id: str | None = None
    part_ids: tuple[str, ...]
    content: tuple[Part, ...]
    origin: Literal["bot", "human", "system"] = "bot"
    policy_version: int = 0


class MessageSuppressed(EventData):
    message_id: str
    part_ids: tuple[str, ...]
    reason: str


class SendStarted(EventData):
    """Durable before the API call that the user can see."""

    message_id: str
    part_ids: tuple[str, ...]
    attempt: int
    method: str
    idempotency_key: str | None = None


class SendDelayed(EventData):
    message_id: str
    part_ids: tuple[str, ...]
    attempt: int
    reason: str
    retry_at: Timestamp


class MessageSent(EventData):
    """``platform_message_ids`` in part order; ``changes`` say what could not be sent as asked."""

    message_id: str
    part_ids: tuple[str, ...]
    platform_message_ids: tuple[str, ...] = ()
    attempt: int = 1
    method: str
    changes: tuple[str, ...] = ()
    own_time_ms: float | None = None


class MessageLocated(EventData):
    """Told under the channel's key, for reports that do not say whose they are: the platform's messages with these ids
    were sent in that conversation."""

    platform_message_ids: tuple[str, ...]
    sent_in: str


class MessageFailed(EventData):
    message_id: str
    part_ids: tuple[str, ...]
    attempt: int
    reason: str
    code: str | None = None
    detail: str = ""


class MessageUnknown(EventData):
    """The call may or may not have reached the user; never guessed away."""

    message_id: str
    part_ids: tuple[str, ...]
    attempt: int
    reason: str


class TimerFired(EventData):
    name: str
    due_at: Timestamp


class HumanTookOver(EventData):
    until: Timestamp | None = None
    how: str


class HumanReleased(EventData):
    how: str


class ProfileUpdated(EventData):
    contact_id: str
    content: dict[str, JsonValue]
    language: str | None = None


class MediaStored(EventData):
    """The bytes are ours: ``content`` as it was received, with our own ``url``, their ``sha256``, size and type. The
    cause is the event whose content it was."""

    message_id: str
    content: Content


class MediaFailed(EventData):
    """They are not and will not be: ``reason`` is a word of ours, ``detail`` what the platform said."""

    message_id: str
    reason: str
    detail: str = ""


class ConversationExpired(EventData):
    """Context, preferences and session are forgotten; ids and unsettled parts live on until their own horizon."""

    last_message_at: Timestamp


class ContextCarried(EventData):
    from_conversation_id: str
    content: dict[str, JsonValue]


class EventRejected(EventData):
    """The fold could not take ``event_id``; every later fold skips it too."""

    event_id: str
    error_class: str
    error_text: str


class DeadLetterRetried(EventData):
    topic: str
    partition: int
    offset: int


@cache
def wire_name(model: type[EventData]) -> str:
    """``MessageReceived`` → ``message_received``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()


EVENT_DATA: dict[str, type[EventData]] = {wire_name(model): model for model in EventData.__subclasses__()}
