"""The messages of a conversation, oldest first, each a key of its own; reads and writes ``m`` keys of the memory.

They are read together only to build a question and for the rare event that changes an earlier message.
"""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from streams.conversation.memory import HISTORY, Memory
from streams.conversation.model import State, Waiting
from streams.conversation.scope import Scope

REACTIONS_MAX = 16
"""People whose reaction to one message is kept; a later one's is left out."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One message. ``at`` is the platform's clock as the AI is told it (formatting it 50 times a turn would be dear);
    ``message_id`` the platform's id, of our own messages ours; ``details`` are small facts for the AI; ``reactions``:
    who to emoji; ``event_id``, where there is media to be stored, the event that brought it."""

    role: Literal["user", "assistant"]
    text: str
    at: str
    kind: str = "text"
    message_id: str = ""
    sender_id: str = ""
    confidence: float | None = None
    media_url: str | None = None
    details: dict[str, Any] = {}
    revision: int = 0
    is_deleted: bool = False
    reactions: dict[str, str] = {}
    event_id: str = ""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def entry_key(seq: int) -> bytes:
    """Sequence numbers sort as their keys do."""
    return HISTORY + seq.to_bytes(8, "big")


def append(state: State, entry: Entry, scope: Scope) -> tuple[State, int]:
    """Add a message; returns its sequence number too. The caller trims."""
    put(scope, state.next, entry)
    return replace(state, next=state.next + 1), state.next


def put(scope: Scope, seq: int, entry: Entry) -> None:
    """Write one entry."""
    scope.memory.put(entry_key(seq), _encoder.encode(entry))


def get(scope: Scope, seq: int) -> Entry | None:
    """One entry, or None in a hole."""
    value = scope.memory.get(entry_key(seq))
    return None if value is None else _decoder.decode(value)


def entries_of(memory: Memory) -> list[tuple[int, Entry]]:
    """Everything that is kept, oldest first, with its sequence numbers."""
    decode = _decoder.decode
    return [(int.from_bytes(name[1:], "big"), decode(value)) for name, value in memory.scan(HISTORY)]


def find(scope: Scope, message_id: str) -> list[tuple[int, Entry]]:
    """The entries of one message: several when it had several contents, none when it is not here (any more)."""
    return [(seq, entry) for seq, entry in entries_of(scope.memory) if entry.message_id == message_id]


def remove(scope: Scope, seq: int) -> None:
    """Leave a hole: that message was never said."""
    scope.memory.delete(entry_key(seq))


def cut(entry: Entry, scope: Scope) -> Entry:
    """The entry as the context tells it."""
    chars_max = scope.limits.context_chars_max
    return replace(entry, text=entry.text[:chars_max]) if len(entry.text) > chars_max else entry


def release(messages: tuple[Waiting, ...], scope: Scope) -> None:
    """These messages were answered or given up: from now on they are context, at a context's length."""
    for message in messages:
        entry = get(scope, message.seq) if message.is_long else None
        if entry is not None:
            put(scope, message.seq, cut(entry, scope))


def trim(state: State, scope: Scope) -> State:
    """Drop what is older than the newest message and its context, but nothing that still waits for an answer."""
    floor = state.next - 1 - scope.limits.context_messages
    for messages in (state.pending, state.turn.messages if state.turn else ()):
        if messages:
            floor = min(floor, messages[0].seq)
    if floor <= state.first:
        return state
    for seq in range(state.first, floor):
        remove(scope, seq)
    return replace(state, first=floor)


def clear(state: State, scope: Scope) -> State:
    """Forget all of it."""
    for seq in range(state.first, state.next):
        remove(scope, seq)
    return replace(state, first=state.next)
