"""Deterministic identities: events, commands and conversations.

The same cause always gives the same id, so a crash that repeats work writes the same records again and the first of
them in the log counts.
"""

import re
from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("5b1f3c52-6a0e-5d43-9c55-1f4e0a7a9b10")
"""Root of every UUIDv5 that this product derives; changing it would make every known event new."""

_ROOT = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""RFC 9562, "UUID Variant": the two upper bits of the octet are 10."""

CHANNEL_ID = re.compile(r"[a-z0-9-]{1,40}")


def event_id(platform: str, channel: str, kind: str, native_key: str, ordinal: int = 0) -> str:
    """Id of an event that a platform sent: ``native_key`` is the platform's own (composed) key of that fact."""
    return _uuid5(f"{platform}|{channel}|{kind}|{native_key}|{ordinal}")


def derived_id(cause_id: str, kind: str, ordinal: int = 0) -> str:
    """Id of an event or command that follows from another: its cause, what it is, and which of several."""
    return _uuid5(f"{cause_id}|{kind}|{ordinal}")


def _uuid5(name: str) -> str:
    """The text of ``uuid.uuid5(NAMESPACE, name)`` in a third of its time: ids are made ten times a turn."""
    named = _ROOT.copy()
    named.update(name.encode())
    digest = named.hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"


def conversation_id(prefix: str, channel: str, peer: str) -> str:
    """``prefix`` (with its underscore) + channel id + ``_`` + peer; an empty peer names the channel itself."""
    if not CHANNEL_ID.fullmatch(channel):
        raise ValueError(f"channel id {channel!r} must match [a-z0-9-]{{1,40}}")
    return f"{prefix}{channel}_{peer}"


def split_conversation_id(value: str) -> tuple[str, str, str]:
    """Back to (prefix, channel, peer); raises ValueError on anything else."""
    head, _, rest = value.partition("_")
    channel, separator, peer = rest.partition("_")
    if not separator or not CHANNEL_ID.fullmatch(channel):
        raise ValueError(f"{value!r} is no conversation id: expected prefix_channel_peer")
    return f"{head}_", channel, peer
