"""Layout of a table: how keys and values look on the changelog and in the local store.

Changelog key = 2 bytes length of the conversation key, the conversation key, the name inside the conversation; so all
keys of a conversation are neighbours. Changelog value = what the stage wrote. Timers are ordinary keys under ``TIMER``.
Local value = 8 bytes source position, 8 bytes expiry (0: never), then the changelog value. Keys that start with two
0xff bytes are local only: indexes by due time, and how far the changelog was applied.
"""

import struct
from typing import NamedTuple

KEY_BYTES_MAX = 4_096
"""Of a conversation key; a longer one is poison. Well below 0xffff, which keeps local keys apart."""
NAME_BYTES_MAX = 4_096

TIMER = b"\xffT"
"""Prefix of the names under which the timers of a conversation are kept; stages may not use names with 0xff first."""
LOCAL = b"\xff\xff"
APPLIED = LOCAL + b"applied"
EXPIRY_INDEX = LOCAL + b"x"
TIMER_INDEX = LOCAL + b"t"

_HEAD = struct.Struct(">QQ")
_LENGTH = struct.Struct(">H")
_DUE = struct.Struct(">Q")


class Value(NamedTuple):
    """A stored value; ``data`` None is a tombstone (only on its way to the changelog)."""

    position: int
    expires_at_ms: int
    data: bytes | None


def full_key(conversation: bytes, name: bytes) -> bytes:
    """The changelog's key; raises ValueError when it is too long."""
    if len(conversation) > KEY_BYTES_MAX or len(name) > NAME_BYTES_MAX:
        raise ValueError(f"a key of {len(conversation)} + {len(name)} bytes is over the limit of {KEY_BYTES_MAX} each")
    return _LENGTH.pack(len(conversation)) + conversation + name


def split_key(key: bytes) -> tuple[bytes, bytes]:
    """Back to (conversation key, name)."""
    end = 2 + _LENGTH.unpack_from(key)[0]
    return key[2:end], key[end:]


def is_timer(key: bytes) -> bool:
    """Whether a full key is that of a timer."""
    return TIMER in key and split_key(key)[1].startswith(TIMER)


def pack(value: Value) -> bytes:
    """The local form of a value that is not a tombstone."""
    assert value.data is not None
    return _HEAD.pack(value.position, value.expires_at_ms) + value.data


def unpack(raw: bytes) -> Value:
    """Back from the local form."""
    position, expires_at_ms = _HEAD.unpack_from(raw)
    return Value(position, expires_at_ms, raw[16:])


def due_key(index: bytes, due_ms: int, key: bytes) -> bytes:
    """Entry of a due-time index: sorts by time."""
    return index + _DUE.pack(due_ms) + key


def split_due(index: bytes, entry: bytes) -> tuple[int, bytes]:
    """(due time in ms, full key) of an index entry."""
    start = len(index)
    return _DUE.unpack_from(entry, start)[0], entry[start + 8 :]


def pack_due(due_ms: int) -> bytes:
    """Value of a timer key."""
    return _DUE.pack(due_ms)


def unpack_due(data: bytes) -> int:
    """Due time of a timer key, in ms."""
    return int(_DUE.unpack(data)[0])
