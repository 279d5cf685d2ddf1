"""What `context_carried` takes from one conversation to another: packed there, unpacked here. Pure.

Reads the history and the ids of the old conversation's memory, writes those of the new one's.
"""

from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict, replace

from schemas.ids import derived_id
from streams.conversation import history
from streams.conversation.history import Entry
from streams.conversation.humans import LEASE
from streams.conversation.media import MEDIA
from streams.conversation.memory import ANSWERED, INBOUND, Memory, tell, told, uuid_key
from streams.conversation.model import Lease, State, Waiting, end_of, with_timer
from streams.conversation.scope import Scope
from streams.conversation.turns import SESSION, message_id_of

SEEN_MAX = 2_000
"""Newest ids of inbound events that are carried along; older ones are known by the old conversation only."""


class Carried(msgspec.Struct, frozen=True, omit_defaults=True):
    """``data.content`` of `context_carried`. Times are Unix milliseconds. ``messages`` are ``history.Entry`` by name,
    oldest first; ``waiting`` are those that are still to be answered: place in ``messages`` and ``Waiting`` by name;
    ``awaited`` are the timers of media that their turn waits for."""

    messages: list[dict[str, Any]] = []
    waiting: list[dict[str, Any]] = []
    preferences: dict[str, Any] = {}
    language: str = ""
    session_start: int | None = None
    last_message_at: int | None = None
    last_inbound_at: int | None = None
    awaited: dict[str, int] = {}
    lease: dict[str, Any] | None = None
    aliases: list[str] = []
    seen: list[str] = []


def packed(state: State, memory: Memory) -> dict[str, Any]:
    """What another conversation can go on with. Sends and their reports stay, bound to the old identity."""
    entries = history.entries_of(memory)
    places = {seq: place for place, (seq, _) in enumerate(entries)}
    messages = waiting_of(state)
    # What waits for its message is passed on as it came, so that it must not be taken for a copy.
    passed_on = {uuid_key(INBOUND, orphan.event_id) for orphan in state.orphans}
    seen = [(int(value or b"0"), name) for name, value in memory.scan(INBOUND) if name not in passed_on]
    newest = sorted(seen)[-SEEN_MAX:]
    carried = Carried(
        messages=[_named(entry) for _, entry in entries],
        waiting=[_named(message) | {"seq": places[message.seq]} for message in messages if message.seq in places],
        preferences=state.preferences,
        language=state.language,
        session_start=state.session_start,
        last_message_at=state.last_message_at,
        last_inbound_at=state.last_inbound_at,
        awaited={name: due for name, due in state.timers.items() if name.startswith(f"{MEDIA}:")},
        lease=None if state.lease is None else asdict(state.lease),
        aliases=list(state.aliases),
        seen=[_as_uuid(name[len(INBOUND) :]) for _, name in newest],
    )
    content: dict[str, Any] = msgspec.to_builtins(carried)
    return content


def waiting_of(state: State) -> list[Waiting]:
    """Everything that is still to be answered, in the order of the history."""
    messages = (*(state.turn.messages if state.turn else ()), *state.pending)
    return sorted(messages, key=lambda message: message.seq)


def unpacked(state: State, carried: Carried, scope: Scope) -> State:
    """What is carried comes before what is here already; where both know something, this conversation counts."""
    for identity in carried.seen:
        scope.memory.put(uuid_key(INBOUND, identity), b"", expires_at_ms=scope.forget_at)
    state = _with_messages(_with_lease(state, carried.lease, scope), carried, scope)
    for name, due in carried.awaited.items():
        state = with_timer(state, name, due)
    last_inbound_at = max(state.last_inbound_at or 0, carried.last_inbound_at or 0)
    return replace(
        _with_session(state, carried, scope),
        preferences=carried.preferences | state.preferences,
        language=state.language or carried.language,
        last_inbound_at=last_inbound_at or None,
    )


def _with_messages(state: State, carried: Carried, scope: Scope) -> State:
    """The messages take the numbers below the first; a history that began before there was room takes the newest."""
    dropped = max(0, len(carried.messages) - state.first)
    first = state.first - len(carried.messages)
    is_waiting = not state.is_leased(scope.now)
    waiting = tuple(
        _waiting(message | {"seq": first + message["seq"]})
        for message in carried.waiting
        if is_waiting and message["seq"] >= dropped
    )
    for one in waiting:
        _ask_again(one, scope)
    waits = {message.seq for message in waiting}
    for seq, message in enumerate(carried.messages[dropped:], first + dropped):
        entry = _made(Entry, message)
        history.put(scope, seq, entry if seq in waits else history.cut(entry, scope))
    state = replace(state, first=first + dropped, pending=(*waiting, *state.pending))
    return history.trim(state, scope)


def _waiting(carried: dict[str, Any]) -> Waiting:
    """A group that has another id gives its messages other ids too: the old ones would name somebody else's."""
    message = _made(Waiting, carried)
    return replace(message, message_id="", quote_token=None) if message.in_group else message


def _ask_again(message: Waiting, scope: Scope) -> None:
    """Its turn is open again, also where it was closed by leaving: this conversation may have been left before."""
    answer = message_id_of(derived_id(message.event_id, "turn"))
    flags = told(scope.memory, answer)
    if flags & ANSWERED:
        tell(scope.memory, answer, flags & ~ANSWERED, expires_at_ms=scope.forget_at)


def _with_session(state: State, carried: Carried, scope: Scope) -> State:
    """The older start counts; a session that was carried ends as it would have."""
    if carried.session_start is None:
        return state
    if state.session_start is None:
        state = with_timer(
            replace(state, session_start=carried.session_start, last_message_at=carried.last_message_at),
            SESSION,
            scope.now + scope.limits.session_ms,
        )
    return replace(state, session_start=min(carried.session_start, state.session_start or carried.session_start))


def _with_lease(state: State, carried: dict[str, Any] | None, scope: Scope) -> State:
    """A person who had the conversation still has it."""
    lease = None if carried is None else _made(Lease, carried)
    if lease is None or end_of(lease) <= max(scope.now, end_of(state.lease) if state.lease else 0):
        return state
    return with_timer(replace(state, lease=lease), LEASE, lease.until)


def _as_uuid(value: bytes) -> str:
    text = value.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _named(value: Entry | Waiting) -> dict[str, Any]:
    """By name, without what may be left out and says nothing: the log is read by people too."""
    required = value.__struct_fields__[: -len(value.__struct_defaults__)]
    said = asdict(value).items()
    return {name: item for name, item in said if name in required or (item is not False and item not in (None, "", {}))}


T = TypeVar("T", Entry, Waiting, Lease)


def _made(kind: type[T], named: dict[str, Any]) -> T:
    """Back again; raises TypeError or ValidationError where it is none."""
    return msgspec.convert(msgspec.to_builtins(kind(**named)), kind)
