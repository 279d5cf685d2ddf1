"""Why sends ended as unknown, told apart from the log, the senders' misfortunes and the platforms' own journals.

A send is in flight from its last ``send_started`` to the event that tells its outcome. One that ends as unknown is
*at death* when a sender died or was stopped meanwhile; *by time-out* when the sender says that no answer came in time,
and the platform's journal has none in time either (a busy machine makes simulated platforms slow); *stray* otherwise.
A death does not excuse a late answer: only a sender that was stopped for longer than its patience misses a timely one.

A start that the log was not told before the death is told by whoever recovers, in one go with the outcome; such a send
is in flight from its plan. One that is told a second time has the same id, and the first copy counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.registry import decode_event
from tests.harness.topics import Stored

Incident = tuple[float, float]
"""From when to when a sender was not itself (Unix seconds)."""

LATE_ANSWER_S = 2.5
"""Somewhat less than the shortest patience of a sender, three seconds."""
CLOCK_S = 0.2
"""How late a death is noticed at most."""
TIMED_OUT = "no answer within"
INTERRUPTED = "interrupted"
OUTCOMES = frozenset({"message_sent", "message_failed", "message_unknown", "message_suppressed"})


@dataclass
class SendLife:
    """One part from its start to its outcome; times in Unix seconds, by the broker's clock."""

    text: str = ""
    started_at: float = 0.0
    told_at: float = 0.0
    outcome: str = ""
    reason: str = ""
    planned_at: float = 0.0

    @property
    def began_at(self) -> float:
        """Since when it may have been under way."""
        is_start_told_by_heir = self.reason == INTERRUPTED and self.told_at - self.started_at <= CLOCK_S
        return self.planned_at if self.planned_at and is_start_told_by_heir else self.started_at

    def overlaps(self, incident: Incident) -> bool:
        """Whether it was in flight during the incident."""
        began, ended = incident
        return bool(self.started_at) and self.began_at <= ended + CLOCK_S and began <= self.told_at + CLOCK_S


@dataclass
class Unknowns:
    """Parts by cause; ``in_flight_at_death`` counts all that were, whatever became of them."""

    at_death: list[str] = field(default_factory=list)
    by_timeout: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    in_flight_at_death: int = 0


def lives_of(log: Sequence[Stored]) -> dict[str, SendLife]:
    """Every part, by id. Of several outcomes the first counts, but an unknown one counts always: a sender that died
    between telling and remembering leaves both."""
    lives: dict[str, SendLife] = {}
    seen: set[str] = set()
    for record in log:
        event = decode_event(record.value or b"")
        if event.id in seen:
            continue
        seen.add(event.id)
        at = record.timestamp_ms / 1000
        if event.type == "message_planned":
            for part_id, part in zip(event.data.part_ids, event.data.content, strict=True):
                life = lives.setdefault(part_id, SendLife())
                life.text, life.planned_at = getattr(part.content, "text", ""), at
        elif event.type == "send_started":
            for part_id in event.data.part_ids:
                lives.setdefault(part_id, SendLife()).started_at = at
        elif event.type in OUTCOMES:
            for part_id in event.data.part_ids:
                life = lives.setdefault(part_id, SendLife())
                if not life.outcome or event.type == "message_unknown":
                    life.outcome, life.told_at, life.reason = event.type, at, getattr(event.data, "reason", "")
    return lives


def sort_unknowns(
    lives: Mapping[str, SendLife], incidents: Sequence[Incident], answered_at: Mapping[str, float]
) -> Unknowns:
    """``answered_at``: when a platform answered the call that made a text visible (Unix seconds), by text."""
    found = Unknowns()
    stops = [incident for incident in incidents if incident[1] - incident[0] > LATE_ANSWER_S]
    for part_id, life in lives.items():
        is_excused = any(map(life.overlaps, incidents))
        found.in_flight_at_death += is_excused
        if life.outcome != "message_unknown":
            continue
        is_timed_out = TIMED_OUT in life.reason
        is_answered = 0 <= answered_at.get(life.text, 0.0) - life.started_at <= LATE_ANSWER_S
        if any(map(life.overlaps, stops)) or (is_excused and not is_timed_out):
            found.at_death.append(part_id)
        elif is_timed_out and not is_answered:
            found.by_timeout.append(part_id)
        else:
            found.stray.append(f"{part_id}: {life.reason}")
    return found
