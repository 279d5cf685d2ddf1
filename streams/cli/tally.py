"""Counts what the log says, per platform: messages received and answered, parts sent, failed or unknown, own time.

Pure: ``Tally.see`` takes events of ``iris.conversation.events`` as plain JSON objects, in any order across
conversations. Of two events with one id the first counts. Only what begins in view is counted: an outcome of a part
that was planned before we looked changes nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

IDS_MAX = 200_000
"""Remembered event ids; a copy that comes later than that many events is counted again."""
TIMES_MAX = 200_000
"""Own times kept; of a longer run the percentiles are those of its end."""

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
        counts = self.platforms.setdefault(event["platform"], Counts())
        kind, data = event["type"], event["data"]
        if kind in ASKING:
            counts.received += 1
        elif kind == "reply_requested":
            self._open_turns[data["turn_id"]] = (event["platform"], len(data["event_ids"]))
        elif kind in ("reply_generated", "reply_failed"):
            self._close_turn(data["turn_id"])
        elif kind == "message_planned":
            self._plan(counts, data)
        elif kind in OUTCOMES:
            self._settle(counts, OUTCOMES[kind], data)

    def _is_copy(self, event_id: str) -> bool:
        if event_id in self._seen:
            return True
        self._seen[event_id] = None
        if len(self._seen) > IDS_MAX:
            self._seen.popitem(last=False)
        return False

    def _close_turn(self, turn_id: str) -> None:
        _, messages = self._open_turns.pop(turn_id, ("", 0))
        if messages:
            self._answering[turn_id] = messages

    def _plan(self, counts: Counts, data: Mapping[str, Any]) -> None:
        counts.planned += len(data["part_ids"])
        self._pending_parts.update(data["part_ids"])
        # The answer stands for all messages of its turn; it counts when its first part has reached the platform.
        messages = self._answering.pop(data.get("turn_id") or "", 0)
        if messages:
            self._answering[data["message_id"]] = messages

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
