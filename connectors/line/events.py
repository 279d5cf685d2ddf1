"""LINE events → events of the conversation. Pure and total: what is not understood is kept as ``unrecognised``.

Order and identity: ``webhookEventId`` is the same on a redelivery, so it is the native key.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from connectors.interface import Unprocessable
from connectors.line.content import content_of, metadata_of, place_of, sound
from connectors.shared.envelope import enveloped
from connectors.shared.messages import message_received
from connectors.shared.splitting import NUMBER, member, text_in, text_member
from schemas import events as facts
from schemas.content import ChoiceContent, UnsupportedContent
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent

PREFIX = "line_"

SECONDS_BELOW = 10**11
"""A smaller time is in seconds: in milliseconds it would lie before 1974."""
TIME_MS_MAX = 253_402_300_799_999
"""End of the year 9999, the last that RFC 3339 can write."""

OF_THE_CHANNEL = {"module", "activated", "deactivated", "botSuspended", "botResumed", "delivery"}
"""Kinds that may come without a source; every other known kind is about a person or a group."""

NativeEvent = Mapping[str, Any]
Fact = facts.EventData


def normalise(raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events of one raw event: several for members who join together, otherwise one."""
    event = raw.event
    if raw.body is not None:
        return Unprocessable("the body could not be split into events")
    if not isinstance(event, dict):
        return Unprocessable("the event is not an object")
    kind = text_in(event, "type") or ""
    reader = _FACTS.get(kind)
    if reader and not raw.peer and kind not in OF_THE_CHANNEL:
        return Unprocessable(f"a {kind} event without a sender")
    try:
        found = list(reader(event, raw)) if reader else []
    except (ValueError, KeyError, TypeError, OverflowError):
        # A member is not of the documented form (pydantic's errors are ValueErrors): kept as it came.
        found = []
    made = found or [_unrecognised(event, kind)]
    key, at = native_key(event), _occurred_at(raw)
    # The ordinal tells apart what one native event says several times of.
    events = [
        enveloped(fact, raw, prefix=PREFIX, native_key=key, ordinal=ordinal, occurred_at=at)
        for ordinal, fact in enumerate(made)
    ]
    return tuple(events)


def native_key(event: NativeEvent) -> str:
    """``webhookEventId``; without one, a digest of everything that a redelivery leaves as it was."""
    found = text_in(event, "webhookEventId")
    if found:
        return found
    stable = {name: value for name, value in event.items() if name != "deliveryContext"}
    return hashlib.sha256(orjson.dumps(stable, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _occurred_at(raw: RawEvent) -> int:
    """LINE's clock in Unix milliseconds; our own where LINE gives none that makes sense."""
    value = raw.event.get("timestamp")
    if isinstance(value, bool) or not isinstance(value, NUMBER) or not 0 < value <= TIME_MS_MAX:
        return raw.received_at
    return int(value) * 1000 if value < SECONDS_BELOW else int(value)


def _unrecognised(event: NativeEvent, kind: str) -> Fact:
    """The event as it came; ``native_kind`` goes one level down (``message/poll``), where new types appear most."""
    detail = text_member(event, kind, "type")
    native_kind = f"{kind}/{detail}" if detail else kind or "no type"
    content = UnsupportedContent(native_kind=native_kind, raw=event)
    return facts.Unrecognised(native_kind=native_kind, content=content)


# One function per kind ("Messaging API reference", Webhook event objects): the facts that it tells. It yields none, or
# raises, when a member is not as documented; ``normalise`` then keeps the event as unrecognised.


def _message(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person wrote ("Message event"); a type that does not exist yet is left to ``unrecognised``."""
    message = event["message"]
    content = content_of(message)
    if content is None:
        return
    if event.get("mode") == "standby":
        # Another module owns the chat: "Receive messages" says not to answer.
        yield _ignored("standby", event, {"message_id": text_in(message, "id")})
        return
    yield message_received(
        sound(content),
        message_id=_message_id(message),
        sender_id=_sender(event, raw),
        recipient_id=_destination(raw),
        reply_to=text_in(message, "quotedMessageId"),
        reply_token=text_in(event, "replyToken"),
        metadata=metadata_of(message) | place_of(event, message),
    )


def _edited(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person changed a message; LINE tells it in groups only. The edited message keeps its id."""
    message = event["message"]
    content = content_of(message)
    if content is not None:
        # Edits may come out of order; the greatest timestamp wins.
        revision = _occurred_at(raw)
        message_id = _message_id(message)
        sender = _sender(event, raw)
        yield facts.MessageEdited(message_id=message_id, sender_id=sender, content=sound(content), revision=revision)


def _unsend(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person took a message back ("Unsend event"): LINE asks to delete our copy."""
    yield facts.MessageDeleted(message_id=event["unsend"]["messageId"], sender_id=_sender(event, raw))


def _postback(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A tap ("Postback event"). Pickers and rich menus put what was chosen into ``params``."""
    if event.get("mode") == "standby":
        yield _ignored("standby", event, {})
        return
    params = member(event, "postback", "params")
    values = dict(params) if isinstance(params, Mapping) else {}
    source = "menu" if "newRichMenuAliasId" in values else "postback"
    yield facts.ChoiceMade(
        sender_id=_sender(event, raw),
        recipient_id=_destination(raw),
        content=ChoiceContent(data=event["postback"]["data"], source=source, values=values),
        reply_token=text_in(event, "replyToken"),
    )


def _follow(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person added the account as a friend, for the first time or again after blocking it."""
    how = "unblock" if member(event, "follow", "isUnblocked") is True else "follow"
    yield facts.ContactJoined(contact_id=raw.peer, how=how, reply_token=text_in(event, "replyToken"))


def _unfollow(_event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person blocked the account. LINE gives no reply token: nothing would arrive."""
    yield facts.ContactLeft(contact_id=raw.peer, how="unfollow")


def _join(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """The account itself was added to a group or room, so the contact is that group."""
    yield facts.ContactJoined(contact_id=raw.peer, how="join", reply_token=text_in(event, "replyToken"))


def _leave(_event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """The account was taken out of the group, or left it."""
    yield facts.ContactLeft(contact_id=raw.peer, how="leave")


def _member_joined(event: NativeEvent, _raw: RawEvent) -> Iterator[Fact]:
    """Persons joined a group that the account is in: one fact each, sharing one reply token."""
    token = text_in(event, "replyToken")
    for person in event["joined"]["members"]:
        yield facts.ContactJoined(contact_id=person["userId"], how="member", reply_token=token)


def _member_left(event: NativeEvent, _raw: RawEvent) -> Iterator[Fact]:
    """Persons left a group that the account is in: one fact each."""
    for person in event["left"]["members"]:
        yield facts.ContactLeft(contact_id=person["userId"], how="member")


def _beacon(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """A person came into the range of a beacon: the place that they came from, as a link would tell."""
    metadata = {"type": member(event, "beacon", "type"), "reply_token": text_in(event, "replyToken")}
    ref = text_member(event, "beacon", "hwid")
    yield facts.ReferralReceived(sender_id=_sender(event, raw), ref=ref, source="beacon", metadata=metadata)


def _phone_delivery(event: NativeEvent, _raw: RawEvent) -> Iterator[Fact]:
    """A notification sent to a phone number arrived; ``data`` is the tag that was sent along."""
    yield facts.DeliveryReported(status="delivered", tag=event["delivery"]["data"])


def _channel_updated(event: NativeEvent, raw: RawEvent) -> Iterator[Fact]:
    """The account was suspended or resumed, or control of a chat went to or from a module."""
    metadata = {name: event[name] for name in ("module", "chatControl") if name in event}
    yield facts.ChannelUpdated(subject=_destination(raw), change=event["type"], metadata=metadata)


def _without_effect(event: NativeEvent, _raw: RawEvent) -> Iterator[Fact]:
    """Understood, and about things that we never start: account links, memberships, tracked videos."""
    kind = event["type"]
    detail = event.get("link" if kind == "accountLink" else kind)
    yield _ignored("no_effect", event, detail if isinstance(detail, Mapping) else {})


_FACTS: dict[str, Callable[[NativeEvent, RawEvent], Iterator[Fact]]] = {
    "message": _message,
    "messageEdited": _edited,
    "unsend": _unsend,
    "postback": _postback,
    "follow": _follow,
    "unfollow": _unfollow,
    "join": _join,
    "leave": _leave,
    "memberJoined": _member_joined,
    "memberLeft": _member_left,
    "beacon": _beacon,
    "videoPlayComplete": _without_effect,
    "accountLink": _without_effect,
    "membership": _without_effect,
    "module": _channel_updated,
    "activated": _channel_updated,
    "deactivated": _channel_updated,
    "botSuspended": _channel_updated,
    "botResumed": _channel_updated,
    "delivery": _phone_delivery,
}


def _ignored(reason: str, event: NativeEvent, metadata: Mapping[str, Any]) -> Fact:
    return facts.InputIgnored(reason=reason, native_kind=event["type"], metadata=dict(metadata))


def _sender(event: NativeEvent, raw: RawEvent) -> str:
    """The person; in a group whose member has not agreed to be named, the group."""
    return text_in(event.get("source"), "userId") or raw.peer


def _message_id(message: Any) -> str:
    found = text_in(message, "id")
    if found is None:
        raise ValueError("a message without an id")
    return found


def _destination(raw: RawEvent) -> str:
    return text_in(raw.enclosing, "destination") or raw.channel
