"""What is remembered about one conversation, and its encoding. Reads and writes nothing.

``State`` is the value of the table's main key: what every event may need. What grows with the conversation lies beside
it under keys of its own (see ``memory``), so that a turn writes what is new and not the whole history.

All structs are immutable and travel as MessagePack arrays: fields are only ever appended, each with a default, so that
old values and older code go on reading.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

HISTORY_START = 10_000
"""Number of a history's first entry: below it there is room for what another conversation carries in."""

FAR_FUTURE_MS = 1 << 62
"""Stands for a lease without end in comparisons of times."""


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """A message that waits for its turn, or belongs to the open one; its text is the history entry ``seq``.

    ``at`` is the conversation's time when it came, ``received_at`` when intake accepted it, ``occurred_at`` the
    platform's clock. ``is_long``: the entry is longer than the context tells and is cut once it was answered.
    ``is_gone``: it starts no turn, because the person took it back or a human took over. ``message_id`` is the
    platform's, ``read_token`` and ``quote_token`` its words for the message where it is marked as read, or quoted, by
    one. ``in_group``: it was said where others listen and speak.
    """

    event_id: str
    seq: int
    at: int
    received_at: int
    occurred_at: int
    reply_token: str | None = None
    callback_id: str | None = None
    is_long: bool = False
    is_gone: bool = False
    message_id: str = ""
    read_token: str | None = None
    quote_token: str | None = None
    in_group: bool = False


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """The open turn: the messages that it answers in the order of their arrival."""

    id: str
    messages: tuple[Waiting, ...]
    requested_at: int
    deadline: int


class Send(msgspec.Struct, frozen=True, array_like=True):
    """A message of ours with parts that are not all settled: part id to rank (see ``sends``).

    ``is_planned`` is False while only `send` has told of it: in the log its events may overtake ours.
    """

    parts: dict[str, int]
    is_planned: bool = False


class Echo(msgspec.Struct, frozen=True, array_like=True):
    """A message of the business's own side that nobody has claimed yet; ``is_human``: the platform says so."""

    event_id: str
    message_id: str
    seq: int
    is_human: bool = False


class Orphan(msgspec.Struct, frozen=True, array_like=True):
    """An edit, deletion or reaction whose message was not seen yet; the event itself is a key of its own."""

    event_id: str
    message_id: str


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """The person is known by another identity, ``to`` (a peer), since ``at``, and so is the conversation."""

    to: str
    at: int


class Lease(msgspec.Struct, frozen=True, array_like=True):
    """A person answers, and the bot is silent, until then; None: until somebody releases."""

    until: int | None = None


class State(msgspec.Struct, frozen=True, array_like=True):
    """One conversation. Times are Unix milliseconds.

    ``now`` is the latest ``recorded_at`` of the events that changed the state. The history has entries from ``first``
    up to, without, ``next``, with holes. ``timers``: name to due time; a timer that is not here with that very time
    does nothing. ``released_at`` is the last explicit release of the bot; ``is_overdue``: the session's timer has found
    an answer owed before. ``moved``: another conversation goes on with this one; ``aliases``: further identities that
    were seen to be this person's. ``profiles``: contact to when its profile was last asked for.
    """

    now: int = 0
    session_start: int | None = None
    last_message_at: int | None = None
    last_inbound_at: int | None = None
    first: int = HISTORY_START
    next: int = HISTORY_START
    language: str = ""
    preferences: dict[str, Any] = {}
    timers: dict[str, int] = {}
    turn: Turn | None = None
    pending: tuple[Waiting, ...] = ()
    sends: dict[str, Send] = {}
    echoes: tuple[Echo, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    lease: Lease | None = None
    released_at: int = 0
    is_unreachable: bool = False
    is_overdue: bool = False
    moved: Moved | None = None
    aliases: tuple[str, ...] = ()
    profiles: dict[str, int] = {}

    def is_leased(self, now: int) -> bool:
        """Whether a person has the conversation at ``now``."""
        return self.lease is not None and now < end_of(self.lease)

    @property
    def is_blank(self) -> bool:
        """Nothing is left that any later event could need."""
        return self.session_start is None and not (
            self.timers
            or self.last_inbound_at
            or self.turn
            or self.pending
            or self.sends
            or self.echoes
            or self.orphans
            or self.lease
            or self.moved
        )


def asked_of(messages: Sequence[Waiting]) -> Waiting:
    """The one that the AI is asked about, the last by the platform's clock; the others are its context."""
    return max(messages, key=lambda message: (message.occurred_at, message.seq))


def end_of(lease: Lease) -> int:
    """When it ends by itself."""
    return FAR_FUTURE_MS if lease.until is None else lease.until


BLANK = State()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    """The value of the main key."""
    return _encoder.encode(state)


def decode_state(value: bytes | None) -> State:
    """Back again; None, the absent key, is the blank state."""
    return BLANK if value is None else _decoder.decode(value)


def with_timer(state: State, name: str, due: int | None) -> State:
    """Set, move or (None) drop a timer."""
    if state.timers.get(name) == due:
        return state
    timers = {other: at for other, at in state.timers.items() if other != name}
    if due is not None:
        timers[name] = due
    return replace(state, timers=timers)


def with_waiting(state: State, change: Callable[[Waiting], Waiting]) -> State:
    """Change the messages that wait and those of the open turn; the same state when that changes none."""
    pending = tuple(map(change, state.pending))
    if pending != state.pending:
        state = replace(state, pending=pending)
    if state.turn is not None:
        messages = tuple(map(change, state.turn.messages))
        if messages != state.turn.messages:
            state = replace(state, turn=replace(state.turn, messages=messages))
    return state
