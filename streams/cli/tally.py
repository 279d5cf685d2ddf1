"""Counts what the log says, per platform: messages received and answered, parts sent, failed or unknown, own time.

Pure: ``Tally.see`` takes events of ``iris.conversation.events`` as plain JSON objects, in any order: what a stage
writes in answer to a command may stand before the event that tells of the command. Of two events with one id the first
counts. Only what begins in view is counted: an outcome of a part that was planned before we looked changes nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

IDS_MAX = 200_000
"""Remembered event ids; a copy that comes later than that many events is counted again."""
TIMES_MAX = 200_000
"""Own times kept; of a longer run the percentiles are those of its end."""

EARLY_MAX = 10_000
"""Turns and messages whose end was seen before their beginning; of older ones we have missed the beginning."""

ASKING = frozenset({"message_received", "choice_made"})
OUTCOMES = {
    "message_sent": "sent",
    "message_failed": "failed",
    "message_unknown": "unknown",
    "message_suppressed": "suppressed",
}


@dataclass(slots=True)
class Counts:
    """One platform. ``received`` and ``replied`` count messages of people, the others parts of ours; ms of own time."""

    received: int = 0
    replied: int = 0
    planned: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    suppressed: int = 0
    own_ms: deque[float] = field(default_factory=lambda: deque(maxlen=TIMES_MAX))

    @property
    def pending(self) -> int:
        """Parts that were planned and have no outcome yet."""
        return self.planned - self.sent - self.failed - self.unknown - self.suppressed


class Tally:
    """The counts so far; own times only while ``is_timing``."""

    def __init__(self) -> None:
        self.platforms: dict[str, Counts] = {}
        self.is_timing = True
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._open_turns: dict[str, tuple[str, int]] = {}
        self._answering: dict[str, int] = {}
        self._pending_parts: set[str] = set()
        self._early: OrderedDict[str, list[Mapping[str, Any]]] = OrderedDict()

    @property
    def open_turns(self) -> int:
        """Turns that were requested and neither answered nor given up."""
        return len(self._open_turns)

    @property
    def residual(self) -> int:
        """What the books do not account for yet: open turns and pending parts."""
        return self.open_turns + len(self._pending_parts)

    def see(self, event: Mapping[str, Any]) -> None:
        """Count one event of the log."""
        if self._is_copy(event["id"]):
            return
        self._count(event)

    def _count(self, event: Mapping[str, Any]) -> None:
        counts = self.platforms.setdefault(event["platform"], Counts())
        kind, data = event["type"], event["data"]
        if kind in ASKING:
            counts.received += 1
        elif kind == "reply_requested":
            self._open_turns[data["turn_id"]] = (event["platform"], len(data["event_ids"]))
            self._take_early(data["turn_id"])
        elif kind in ("reply_generated", "reply_failed"):
            self._close_turn(event, data["turn_id"])
        elif kind == "message_planned":
            self._plan(counts, event, data)
        elif kind in OUTCOMES:
            if self._pending_parts.isdisjoint(data["part_ids"]):
                self._keep_early(data["message_id"], event)
            else:
                self._settle(counts, OUTCOMES[kind], data)

    def _keep_early(self, subject: str, event: Mapping[str, Any]) -> None:
        self._early.setdefault(subject, []).append(event)
        if len(self._early) > EARLY_MAX:
            self._early.popitem(last=False)

    def _take_early(self, subject: str) -> None:
        for event in self._early.pop(subject, ()):
            self._count(event)

    def _is_copy(self, event_id: str) -> bool:
        if event_id in self._seen:
            return True
        self._seen[event_id] = None
        if len(self._seen) > IDS_MAX:
            self._seen.popitem(last=False)
        return False

    def _close_turn(self, event: Mapping[str, Any], turn_id: str) -> None:
        turn = self._open_turns.pop(turn_id, None)
        if turn is None:
            self._keep_early(turn_id, event)
            return
        self._answering[turn_id] = turn[1]
        self._take_early(turn_id)

    def _plan(self, counts: Counts, event: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        turn_id = data.get("turn_id")
        if turn_id and turn_id not in self._answering:
            self._keep_early(turn_id, event)
            return
        counts.planned += len(data["part_ids"])
        self._pending_parts.update(data["part_ids"])
        # The answer stands for all messages of its turn; it counts when its first part has reached the platform.
        messages = self._answering.pop(turn_id or "", 0)
        if messages:
            self._answering[data["message_id"]] = messages
        self._take_early(data["message_id"])

    def _settle(self, counts: Counts, outcome: str, data: Mapping[str, Any]) -> None:
        parts = [part for part in data["part_ids"] if part in self._pending_parts]
        self._pending_parts.difference_update(parts)
        setattr(counts, outcome, getattr(counts, outcome) + len(parts))
        messages = self._answering.pop(data["message_id"], 0)
        if outcome != "sent" or not parts:
            return
        counts.replied += messages
        own_ms = data.get("own_time_ms")
        if own_ms is not None and self.is_timing:
            counts.own_ms.append(own_ms)


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of all do not exceed, to 0.1; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
