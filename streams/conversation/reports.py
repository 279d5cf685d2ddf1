"""What platforms report about what we sent, under their own message ids; reads and writes ``r`` and ``w`` keys.

A report is joined with what is known by the maximum of a rank, so reports count the same in every order and however
often they come, and also before the message they are about is known to be ours.
"""

import re

import msgspec
from msgspec.structs import replace

from streams.conversation.memory import MARKS, report_key
from streams.conversation.scope import Scope

PLANNED = 0
STARTED = 1
UNKNOWN = 2
PROVEN = 3
"""The platform has it, as it told before the call's own outcome was: that is still to come."""
HELD = 4
"""Unknown, and nothing more is done about it. From here on a part is settled."""
SUPPRESSED = 5
FAILED = 6
SENT = 7
BOUNCED = 8
"""The platform took it and reports that it failed after all."""
DELIVERED = 9
READ = 10
PLAYED = 11

RANKS = {"sent": SENT, "failed": BOUNCED, "delivered": DELIVERED, "read": READ, "played": PLAYED}
"""Of a report. Sent only says that the platform has it, so a failure beats it; delivered, read and played beat a
failure in either order, because one of several devices has it, and ``Report.has_failed`` keeps both."""


TAG = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$")
"""What we send along with a part: its id, which is a UUIDv5, after whatever mark the connector puts before it."""


class Report(msgspec.Struct, frozen=True, array_like=True):
    """A platform's message: our part and message once it is known as ours, the highest rank, whether it ever failed.

    ``echoes`` are the places in the history of echoes with this id that nobody has claimed.
    """

    part_id: str = ""
    message_id: str = ""
    rank: int = PLANNED
    has_failed: bool = False
    echoes: tuple[int, ...] = ()


class Marks(msgspec.Struct, frozen=True, array_like=True):
    """Everything sent at or before these times is delivered or read (milliseconds, 0: none)."""

    delivered_to: int = 0
    read_to: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode_report = msgspec.msgpack.Decoder(Report).decode
_decode_marks = msgspec.msgpack.Decoder(Marks).decode


def part_of_tag(tag: str | None) -> str:
    """The id of our part that a tag names; empty where the tag is none of ours."""
    found = TAG.search(tag) if tag else None
    return found.group() if found else ""


def find_report(scope: Scope, platform_message_id: str) -> Report | None:
    """What is known under this id."""
    value = scope.memory.get(report_key(platform_message_id))
    return None if value is None else _decode_report(value)


def join_report(
    scope: Scope, platform_message_id: str, *, rank: int, part_id: str = "", message_id: str = ""
) -> tuple[int, ...]:
    """Add what is known; writes nothing when it says nothing new.

    Returns the places in the history of echoes that turn out to be ours by it.
    """
    known = find_report(scope, platform_message_id) or Report()
    joined = Report(
        part_id=known.part_id or part_id,
        message_id=known.message_id or message_id,
        rank=max(known.rank, rank),
        has_failed=known.has_failed or rank == BOUNCED,
        echoes=() if part_id else known.echoes,
    )
    _put_report(scope, platform_message_id, known, joined)
    return known.echoes if part_id else ()


def join_echo(scope: Scope, platform_message_id: str, seq: int) -> None:
    """Add an echo that nobody has claimed."""
    known = find_report(scope, platform_message_id) or Report()
    _put_report(scope, platform_message_id, known, replace(known, echoes=(*known.echoes, seq)))


def _put_report(scope: Scope, platform_message_id: str, known: Report, joined: Report) -> None:
    if joined != known:
        scope.memory.put(report_key(platform_message_id), _encode(joined), expires_at_ms=scope.forget_at)


def find_marks(scope: Scope) -> Marks:
    """The watermarks so far."""
    value = scope.memory.get(MARKS)
    return Marks() if value is None else _decode_marks(value)


def join_marks(scope: Scope, **times: int) -> None:
    """Move watermarks forward, never back."""
    known = find_marks(scope)
    joined = replace(known, **{name: max(getattr(known, name), at) for name, at in times.items()})
    if joined != known:
        scope.memory.put(MARKS, _encode(joined), expires_at_ms=scope.forget_at)
