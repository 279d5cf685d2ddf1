"""`send` under crashes at any durable step, with a platform that fails in every way.

Model: random messages of several parts, a random script of the platform, and a crash after any output, any state and
any call, again and again. Anomalies: *lost* (a part that never ends, or ended as failed though the user saw it),
*doubled* (a text shown twice), *reordered* (texts of one message out of order), *guessed* (sent though never shown),
*ambiguous ids* (two different events under one id).
"""

import asyncio
import random
from collections import defaultdict
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import SendError
from connectors.interface import Call, Receipt
from schemas.outbound import OutboundMessage
from streams.delivery.status import Status, furthest
from tests.unit.send_view import START_S, Crash
from tests.unit.send_world import ScriptedPlatform, Stand, message_of

ENDS: dict[str, Status] = {
    "message_sent": "sent",
    "message_failed": "failed",
    "message_unknown": "unknown",
    "message_suppressed": "suppressed",
}


FATES: dict[str, SendError | Crash] = {
    "busy": SendError("busy", retryable=True),
    "wait": SendError("wait", retryable=True, retry_after_s=3.0),
    "timeout": SendError("timeout", ambiguous=True),
    "crash": Crash(),
    "down": SendError("down", channel_wide=True),
    "spent": SendError("Invalid reply token", replan=True),
    "bad": SendError("bad"),
    "blocked": SendError("blocked", unreachable=True),
}
KINDS = ("ok",) * 7 + ("busy", "wait", "timeout", "timeout", "crash", "down", "spent", "bad")


class Weather:
    """What the platform does and when the process dies, from one seed. What the platform refuses for good it refuses
    for good: a call that was bad stays bad, and nobody unblocks us."""

    def __init__(self, seed: int, stand: Stand, *, crash_share: float) -> None:
        self._random = random.Random(seed)
        self._stand = stand
        self._crash_share = crash_share
        self._bad: set[str] = set()
        self._is_blocked = False
        self.is_calm = False

    async def act(self, call: Call) -> Receipt:
        """The fate of one call."""
        kind = "ok" if self.is_calm else self._random.choice(KINDS)
        if self._is_blocked or (not self.is_calm and self._random.random() < 0.02):
            kind = "blocked"
        if not self._bad.isdisjoint(call.body["texts"]):
            kind = "bad"
        if kind == "bad":
            self._bad.update(call.body["texts"])
        self._is_blocked = self._is_blocked or kind == "blocked"
        if kind == "ok" or (kind == "spent" and not call.uses_reply_token):
            return self._stand.sender.show(call)
        if kind in ("timeout", "crash") and self._stand.sender.is_seen_when_ambiguous:
            self._stand.sender.show(call)
        raise FATES[kind]

    def crashes(self, _point: str) -> bool:
        """Whether the process dies at this point."""
        return not self.is_calm and self._random.random() < self._crash_share


async def ride_out(stand: Stand, message: OutboundMessage, weather: Weather) -> None:
    """Deliver, and after every crash again in a new process, until the record is done; the last lives are calm."""
    for life in range(100):
        weather.is_calm = life >= 60
        stand.table.crash_at = weather.crashes
        stand.sender.script = [weather.act] * 400
        try:
            await stand.deliver(message)
        except Crash:
            stand.restart()
        else:
            return
    raise AssertionError("the message is never done")


def final_statuses(stand: Stand) -> dict[str, Status]:
    """What the log adds up to, part by part, first copy of each id."""
    reports: dict[str, list[Status]] = defaultdict(list)
    for kind, status in ENDS.items():
        for event in stand.table.events(kind):
            for part_id in event.data.part_ids:
                reports[part_id].append(status)
    return {part_id: furthest(found) for part_id, found in reports.items()}


# A part of pipes only has no piece to send: no call covers it.
SHAPES = ("{n}", "{n}a|{n}b", "{n}a|{n}b|{n}c", "{pipes}")
MESSAGES = st.lists(st.sampled_from(SHAPES), min_size=1, max_size=5).map(
    lambda shapes: [shape.format(n=number, pipes="|" * (number + 1)) for number, shape in enumerate(shapes)]
)


def pieces_of(text: str) -> list[str]:
    """What the platform shows of a part, call by call."""
    return [piece for piece in text.split("|") if piece]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=MESSAGES,
    seed=st.integers(0, 2**32),
    has_keys=st.booleans(),
    packing=st.integers(1, 3),
    has_token=st.booleans(),
    is_seen=st.booleans(),
    crash_share=st.sampled_from([0.0, 0.1, 0.3]),
)
def test_nothing_is_lost_doubled_reordered_or_guessed(
    texts: list[str], seed: int, has_keys: bool, packing: int, has_token: bool, is_seen: bool, crash_share: float
) -> None:
    stand = Stand(ScriptedPlatform(has_keys=has_keys, packing=packing))
    stand.sender.is_seen_when_ambiguous = is_seen
    message = message_of(*texts, reply_token="token" if has_token else None, reply_token_at=int(START_S * 1000))
    stand.sender.before = partial(assert_announced, stand)
    asyncio.run(ride_out(stand, message, Weather(seed, stand, crash_share=crash_share)))

    seen = stand.sender.seen
    pieces = [piece for text in texts for piece in pieces_of(text)]
    assert len(seen) == len(set(seen)), "doubled"
    assert seen == [piece for piece in pieces if piece in seen], "reordered"

    statuses = final_statuses(stand)
    assert set(statuses) == {part.id for part in message.parts}, "lost: a part never ended"
    for part, text in zip(message.parts, texts, strict=True):
        is_whole = all(piece in seen for piece in pieces_of(text))
        status = statuses[part.id]
        assert status != "sent" or is_whole, "guessed: told as sent, and yet not shown"
        assert status != "failed" or not is_whole, "lost: told as failed, and yet shown"
        assert (status == "suppressed") == (not pieces_of(text))
    assert_ids_are_unique(stand)
    assert_starts_are_told(stand, message)
    assert stand.table.journal(message).parts.keys() == statuses.keys()


def assert_ids_are_unique(stand: Stand) -> None:
    """Copies of one id are of one type and about the same parts."""
    known: dict[str, tuple[str, object]] = {}
    for event in stand.table.log:
        about = (event.type, getattr(event.data, "part_ids", None))
        assert known.setdefault(event.id, about) == about


def assert_announced(stand: Stand, call: Call) -> None:
    """The log knows of this call already."""
    assert call.part_ids in {event.data.part_ids for event in stand.table.events("send_started")}


def assert_starts_are_told(stand: Stand, message: OutboundMessage) -> None:
    """Whatever the journal calls a start stands on the log too, though a crash may have kept the journal only."""
    told = {(event.data.part_ids, event.data.attempt) for event in stand.table.events("send_started")}
    steps = [step for step in stand.table.journal(message).steps if step.attempt]
    assert {(step.part_ids, step.attempt) for step in steps} <= told


def test_every_call_was_announced_first() -> None:
    stand = Stand(ScriptedPlatform(packing=2))
    message = message_of("a", "b", "c")
    announced: list[tuple[str, ...]] = []

    def look(call: Call) -> None:
        announced.append(stand.table.events("send_started")[-1].data.part_ids)
        assert announced[-1] == call.part_ids

    stand.sender.before = look
    asyncio.run(stand.deliver(message))
    assert announced == [("message-a", "message-b"), ("message-c",)]
