"""The large half of a conversation's state: keys of their own beside the main one.

======  ==============================================  =============================================================
prefix  then                                            value
======  ==============================================  =============================================================
``m``   sequence number, 8 bytes big-endian             one message of the history (``history.Entry``)
``i``   UUID of an inbound event, 16 bytes              offset at which it was first read; expires
``t``   UUID of a message of ours or an echo, 16 bytes  what the log has told of it (``ANSWERED`` …); expires
``t``   UUID of a `context_carried`, 16 bytes           ``CARRIED``, once it is folded; expires
``r``   hash of a platform's message id, 8 bytes        what was reported about it (``sends.Report``); expires
``w``                                                   watermarks of delivery and reading (``sends.Marks``); expires
``o``   UUID of an edit, deletion or reaction           the event that waits for its message
``l``   hash of a platform's message id, 8 bytes        under a channel's key: the conversation that sent it; expires
======  ==============================================  =============================================================

``Memory`` is the part of ``streams.engine.api.View`` that the fold uses; ``DictMemory`` serves folds without an engine.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Protocol

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

HISTORY = b"m"
INBOUND = b"i"
TOLD = b"t"
REPORT = b"r"
MARKS = b"w"
ORPHAN = b"o"
LOCATED = b"l"

ANSWERED = 1
PLANNED = 2
TAKEN_OVER = 4
CARRIED = 8


class Memory(Protocol):
    """Keys of one conversation; names never start with 0xff."""

    def get(self, name: bytes = b"") -> bytes | None:
        """The value, or None when absent or expired."""
        ...

    def scan(self, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        """(name, value) of every live key under ``prefix``, in byte order."""
        ...

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        """Set a key."""
        ...

    def delete(self, name: bytes = b"") -> None:
        """Remove a key."""
        ...


class DictMemory:
    """A ``Memory`` in a dictionary. Nothing expires: a fold that is made anew may remember what a table can forget."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def get(self, name: bytes = b"") -> bytes | None:
        return self._values.get(name)

    def scan(self, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        for name in sorted(name for name in self._values if name.startswith(prefix)):
            yield name, self._values[name]

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        self._values[name] = value

    def delete(self, name: bytes = b"") -> None:
        self._values.pop(name, None)


def uuid_key(prefix: bytes, identity: str) -> bytes:
    """``prefix`` + the 16 bytes of a UUID; raises ValueError on anything else."""
    if not UUID.fullmatch(identity):
        raise ValueError(f"{identity!r} is no UUID")
    return prefix + bytes.fromhex(identity.replace("-", ""))


def report_key(platform_message_id: str) -> bytes:
    """The key of what is known about a message under the platform's own id, which may be long."""
    return REPORT + _hash(platform_message_id)


def located_key(platform_message_id: str) -> bytes:
    """The key of where a message was sent, under the platform's own id."""
    return LOCATED + _hash(platform_message_id)


def _hash(platform_message_id: str) -> bytes:
    return hashlib.blake2b(platform_message_id.encode(), digest_size=8).digest()


def told(memory: Memory, message_id: str) -> int:
    """What the log has told of a message: ``ANSWERED``, ``PLANNED``; of an echo: ``TAKEN_OVER``."""
    value = memory.get(uuid_key(TOLD, message_id))
    return value[0] if value else 0


def tell(memory: Memory, message_id: str, flags: int, *, expires_at_ms: int) -> None:
    """Remember it, so that a copy, or an event that was overtaken, has no second effect."""
    memory.put(uuid_key(TOLD, message_id), bytes((flags,)), expires_at_ms=expires_at_ms)
