"""Reports that do not say whose they are. Pure; reads and writes ``o`` and ``l`` keys of the channel's conversation.

A report goes to the conversation of what we sent along with the message, else to that of the person it names, which
``iris.identities`` may lead on; both are the connector's and intake's. One that has neither comes to the channel's own
key. There it is led to the conversation that sent the message, if that is known, or waits, visibly, as an orphan for
``orphan_ms``; then it leaves twice: as `input_ignored` in the log and as a dead letter, from where a person can look
into it.

Where a message was sent is told there by `message_located`, one more record for a message, all of a channel in one
partition: so only where the connector says that reports of such a message may be anonymous.
"""

from collections.abc import Callable, Mapping

from schemas.envelope import AnyEvent, Event
from schemas.events import DeliveryReported, MessageLocated
from schemas.ids import conversation_id, derived_id, split_conversation_id
from schemas.registry import EVENT_MODELS, decode_event
from streams.conversation import amendments, sends
from streams.conversation.memory import ORPHAN, Memory, located_key, uuid_key
from streams.conversation.model import State
from streams.conversation.policy import Rules
from streams.conversation.scope import Scope

STRAYS_MAX = 256
"""Of one channel; beyond it the oldest gives up waiting."""

LOCATED = "message_located"


def on_report(state: State, event: Event[DeliveryReported], scope: Scope) -> State:
    """A report of a conversation's message, or one that waits under the channel's key unless it is led on at once."""
    if event.data.message_id is None or not _is_channels(event):
        return sends.on_report(state, event, scope)
    if scope.memory.get(located_key(event.data.message_id)) is not None:
        return state
    return amendments.wait(state, event, scope, at_most=STRAYS_MAX)


def on_located(state: State, event: Event[MessageLocated], scope: Scope) -> State:
    """What waited for these messages waits no longer; what comes later is led on until the memory of ids ends."""
    for platform_id in event.data.platform_message_ids:
        scope.memory.put(located_key(platform_id), event.data.sent_in.encode(), expires_at_ms=scope.forget_at)
    for orphan in state.orphans:
        if orphan.message_id in event.data.platform_message_ids:
            state = amendments.drop(state, orphan, scope)
    return state


def led_on(state: State, event: AnyEvent, memory: Memory, rules: Rules) -> list[AnyEvent]:
    """Events for other conversations, from the state and memory before ``event``: a report for the one that sent its
    message, or, for the channel, where a message was sent."""
    match event.type:
        case "message_sent" if rules.may_be_anonymous is not None:
            return _located(state, event, rules.may_be_anonymous)
        case "delivery_reported" if event.data.message_id is not None and _is_channels(event):
            sent_in = memory.get(located_key(event.data.message_id))
            return [] if sent_in is None else [_of(event, sent_in.decode())]
        case "message_located":
            ids = event.data.platform_message_ids
            keys = (uuid_key(ORPHAN, orphan.event_id) for orphan in state.orphans if orphan.message_id in ids)
            found = (memory.get(key) for key in keys)
            return [_of(decode_event(value), event.data.sent_in) for value in found if value is not None]
    return []


def waiting(state: State, event: AnyEvent, memory: Memory) -> Mapping[str, bytes]:
    """Event id to event, of all that waits under a channel's key; what a step lets go of is not there afterwards. Empty
    where it was led on."""
    if not state.orphans or event.type == LOCATED or not _is_channels(event):
        return {}
    values = ((orphan.event_id, memory.get(uuid_key(ORPHAN, orphan.event_id))) for orphan in state.orphans)
    return {event_id: value for event_id, value in values if value is not None}


def _located(state: State, event: AnyEvent, may_be_anonymous: Callable[[str], bool]) -> list[AnyEvent]:
    prefix, channel, peer = split_conversation_id(event.conversation_id)
    ids = event.data.platform_message_ids
    if not ids or not may_be_anonymous(peer):
        return []
    now = max(state.now, event.recorded_at)
    located = EVENT_MODELS[LOCATED](
        id=derived_id(event.id, LOCATED),
        type=LOCATED,
        conversation_id=conversation_id(prefix, channel, ""),
        platform=event.platform,
        channel=event.channel,
        occurred_at=now,
        recorded_at=now,
        causation_id=event.id,
        correlation_id=event.correlation_id or event.id,
        data=MessageLocated(platform_message_ids=ids, sent_in=event.conversation_id),
    )
    return [located]


def _of(report: AnyEvent, identity: str) -> AnyEvent:
    """The same report, under the same id, in the conversation that it is about."""
    return report.model_copy(update={"conversation_id": identity})


def _is_channels(event: AnyEvent) -> bool:
    return not split_conversation_id(event.conversation_id)[2]
