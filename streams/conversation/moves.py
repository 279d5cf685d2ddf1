"""A conversation moves: its person is known by another identity from now on. Pure; reads and writes the memory.

Two things make it move: the platform says so (`identity_changed`: another number or user id, a group that became a
supergroup), or a message shows another identity beside the one its conversation is named by (``aliases`` in the
metadata): then the new conversation tells the old one, by an `identity_changed` that follows from that message.

The old conversation folds `identity_changed`: it hands its context to the new one by `context_carried`, tells
``iris.identities`` where it went, and is closed. An open turn and what waits for one go along and are asked again over
there under the same turn id; an answer that comes back to the old one has no effect. Its sends stay until they are
settled, because `send` tells of them, and platforms report on them, under the key that they were sent from.

Order. From the moment at which an intake has read ``iris.identities`` it keys by the new conversation. What was
accepted under the old key before and is still on its way reaches the old conversation in its order, and is passed on in
that order, behind the context and under the same id. Between two messages of which the later was accepted under the new
key and the earlier under the old, the log has the order in which the new conversation got to read them; in one turn the
AI is told them by the platform's clock. A redelivery under the new key of what the old one has read is known: the ids
that it remembers are carried along.

A conversation that is left and returned to within the seconds of one turn may not get that turn's answer: respond knows
the turn as answered there.

Termination: a `context_carried` that is younger than a conversation's own move brings it back to life, and it is always
written before anything is passed on, so nothing is passed on in a circle.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.envelope import AnyEvent, Event
from schemas.events import ContextCarried, IdentityChanged, ReplyFailed, wire_name
from schemas.ids import conversation_id, derived_id, split_conversation_id
from schemas.registry import EVENT_MODELS, decode_event
from streams.conversation import amendments, carrying, history
from streams.conversation.carrying import Carried
from streams.conversation.lifetime import FORGET
from streams.conversation.memory import ANSWERED, CARRIED, ORPHAN, Memory, tell, told, uuid_key
from streams.conversation.model import BLANK, Moved, State
from streams.conversation.scope import Scope
from streams.conversation.sends import EVIDENCE
from streams.conversation.turns import message_id_of

PASSED_ON = frozenset(
    (
        "message_received",
        "message_edited",
        "message_deleted",
        "reaction_changed",
        "choice_made",
        "contact_joined",
        "contact_left",
        "referral_received",
        "message_echoed",
        "profile_updated",
        "media_stored",
        "media_failed",
        "media_failed",
        "human_took_over",
        "human_released",
    )
)
"""What is about the person and not about what was sent under the old identity."""

LEFT_BEHIND = frozenset(("reply_requested", "reply_generated", "reply_failed", "input_ignored"))
"""What belongs to turns that went along."""

MOVED = "moved"
"""Why a turn got no answer of its own."""

SEEN_TOGETHER = "seen_together"
"""Cause of a move that a message showed; all other causes are the platforms' own words."""

ALIASES_MAX = 16
"""Of one conversation; beyond it the oldest is forgotten and, if it is seen again, told again."""


class Move(msgspec.Struct, frozen=True):
    """What follows for others: events for the logs of other conversations; conversation id → the one that goes on."""

    events: tuple[AnyEvent, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()


NO_MOVE = Move()


def passed_on(state: State, event: AnyEvent) -> AnyEvent | None:
    """The event for the conversation that goes on with this one; None when it is to be folded here."""
    if state.moved is None:
        return None
    is_older = event.type == "context_carried" and event.recorded_at < state.moved.at
    if not is_older and event.type not in PASSED_ON:
        return None
    return event.model_copy(update={"conversation_id": _sibling(event, state.moved.to)})


def is_left(state: State, event: AnyEvent) -> bool:
    """Whether a conversation that has moved does not fold this event: it counts where the conversation went."""
    return event.type in LEFT_BEHIND or passed_on(state, event) is not None


def departure(state: State, event: AnyEvent, memory: Memory) -> Move:
    """What a move tells others, from the state and memory before ``event``: the context, what waited for its message,
    and where the conversation is to be found. Nothing to carry where a message introduced one that never was."""
    if event.type != "identity_changed" or not _departs(state, event):
        return NO_MOVE
    new = _sibling(event, event.data.new_identity)
    identities = ((event.conversation_id, new), (new, new))
    if state == BLANK and event.data.cause == SEEN_TOGETHER:
        return Move(identities=identities)
    data = ContextCarried(from_conversation_id=event.conversation_id, content=carrying.packed(state, memory))
    carried = _follow(event, data, to=new, now=max(state.now, event.recorded_at))
    values = (memory.get(uuid_key(ORPHAN, orphan.event_id)) for orphan in state.orphans)
    orphans = (decode_event(value).model_copy(update={"conversation_id": new}) for value in values if value is not None)
    return Move(events=(*_ended_turn(state, event), carried, *orphans), identities=identities)


def _ended_turn(state: State, event: AnyEvent) -> Iterable[AnyEvent]:
    """`reply_failed` of an open turn that is not asked again under its id, because other messages begin the next one:
    every turn has an outcome in the books."""
    if state.turn is None:
        return
    first = next((message for message in carrying.waiting_of(state) if not message.is_gone), None)
    if first is None or derived_id(first.event_id, "turn") != state.turn.id:
        failed = ReplyFailed(turn_id=state.turn.id, reason=MOVED, attempts=0)
        yield _follow(event, failed, to=event.conversation_id, now=max(state.now, event.recorded_at))


def introduction(before: State, after: State, event: AnyEvent) -> Move:
    """To the conversation of each identity that ``event`` showed for the first time: the person is to be found here."""
    if event.type == "context_carried" or after.aliases == before.aliases:
        return NO_MOVE
    told_to = [alias for alias in after.aliases if alias not in before.aliases]
    return Move(events=tuple(_introduction(event, alias, after.now, number) for number, alias in enumerate(told_to)))


def _introduction(event: AnyEvent, alias: str, now: int, ordinal: int) -> AnyEvent:
    data = IdentityChanged(old_identity=alias, new_identity=_peer(event), cause=SEEN_TOGETHER)
    return _follow(event, data, to=_sibling(event, alias), now=now, ordinal=ordinal)


def _departs(state: State, event: Event[IdentityChanged]) -> bool:
    """Whether the conversation's own identity changed; not so for a copy of a move, nor for an alias's change."""
    new, own = event.data.new_identity, _peer(event)
    is_done = state.moved is not None and state.moved.to == new
    return event.data.old_identity == own and bool(new) and new != own and not is_done


def acquainted(state: State, event: AnyEvent) -> State:
    """The state with the identities that a message shows beside its conversation's own."""
    aliases = event.data.metadata.get("aliases")
    return _with_aliases(state, aliases, event) if isinstance(aliases, list) else state


def on_identity_changed(state: State, event: Event[IdentityChanged], scope: Scope) -> State:
    """The conversation's own identity changed: it closes, but for its sends. Any other was an alias, and what it became
    is one too. The copy of a move changes nothing."""
    if not _departs(state, event):
        is_own = event.data.old_identity == _peer(event)
        return state if is_own else _with_aliases(state, [event.data.new_identity], event)
    if state.turn is not None:
        tell(scope.memory, message_id_of(state.turn.id), ANSWERED, expires_at_ms=scope.forget_at)
    for orphan in state.orphans:
        state = amendments.drop(state, orphan, scope)
    history.clear(state, scope)
    kept = (FORGET, EVIDENCE)
    timers = {name: due for name, due in state.timers.items() if name.partition(":")[0] in kept}
    return replace(BLANK, timers=timers, sends=state.sends, moved=Moved(event.data.new_identity, scope.now))


def on_carried(state: State, event: Event[ContextCarried], scope: Scope) -> State:
    """Another conversation goes on here; its own identity and those that it had seen are this one's aliases."""
    if told(scope.memory, event.id) & CARRIED:
        return state
    tell(scope.memory, event.id, CARRIED, expires_at_ms=scope.forget_at)
    carried = msgspec.convert(event.data.content, Carried)
    origin = split_conversation_id(event.data.from_conversation_id)[2]
    state = _with_aliases(replace(state, moved=None), [*carried.aliases, origin], event)
    return carrying.unpacked(state, carried, scope)


def _with_aliases(state: State, identities: Iterable[Any], event: AnyEvent) -> State:
    known = (*state.aliases, _peer(event))
    new = tuple(dict.fromkeys(name for name in identities if isinstance(name, str) and name and name not in known))
    return replace(state, aliases=(*state.aliases, *new)[-ALIASES_MAX:]) if new else state


def _follow(
    cause: AnyEvent, data: ContextCarried | IdentityChanged | ReplyFailed, *, to: str, now: int, ordinal: int = 0
) -> AnyEvent:
    kind = wire_name(type(data))
    return EVENT_MODELS[kind](
        # One message may be folded in two conversations, when its id was forgotten: what follows differs.
        id=derived_id(cause.id, f"{kind}:{cause.conversation_id}", ordinal),
        type=kind,
        conversation_id=to,
        platform=cause.platform,
        channel=cause.channel,
        occurred_at=now,
        recorded_at=now,
        causation_id=cause.id,
        correlation_id=cause.correlation_id or cause.id,
        data=data,
    )


def _peer(event: AnyEvent) -> str:
    return split_conversation_id(event.conversation_id)[2]


def _sibling(event: AnyEvent, peer: str) -> str:
    """The conversation of the same channel with another peer."""
    prefix, channel, _ = split_conversation_id(event.conversation_id)
    return conversation_id(prefix, channel, peer)
