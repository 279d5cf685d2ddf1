"""The history checker: what was accepted, what the log says, what the users saw; do the three agree?

Model: every accepted message is one event of its conversation, in exactly one turn; every turn has exactly one answer
or failure; every answer is planned once; every part ends in exactly one outcome; a part that was sent was seen once, in
the order of the conversation. Messages are told apart by their texts, which the load makes unique. Vocabulary
(Jepsen's): *lost* accepted, but neither delivered nor recorded as failed or unknown; *doubled inside* one fact twice in
the log under different ids; *doubled outside* a text seen twice; *reordered* out of the order of acceptance; *unseen*
told as sent, but the user never saw it. The residual is what the books leave open. Detected from the topics and the
fakes' journals alone, after a drain.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.envelope import AnyEvent
from schemas.events import (
    MessageFailed,
    MessagePlanned,
    MessageSent,
    MessageSuppressed,
    MessageUnknown,
    ReplyFailed,
    ReplyGenerated,
    ReplyRequested,
)
from schemas.registry import decode_event
from tests.harness.topics import Stored

DETAILS_MAX = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a simulated user wrote: ``number`` counts within the user's conversation from 1."""

    platform: str
    user: str
    number: int
    text: str
    native_id: str
    is_accepted: bool


@dataclass(slots=True)
class Verdict:
    """Counts of anomalies; ``details`` name the first of them."""

    accepted: int = 0
    lost: int = 0
    doubled_inside: int = 0
    doubled_outside: int = 0
    reordered: int = 0
    unseen: int = 0
    unknown: int = 0
    failed: int = 0
    residual: int = 0
    repeats: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, doubled, reordered or unseen, and the books balance. Unknown sends are told apart."""
        anomalies = (self.lost, self.doubled_inside, self.doubled_outside, self.reordered, self.unseen, self.residual)
        return not any(anomalies)

    def note(self, text: str) -> None:
        """Keep a detail, as long as there are not too many."""
        if len(self.details) < DETAILS_MAX:
            self.details.append(text)

    def expect_clean(self) -> None:
        """Raises AssertionError with the details."""
        assert self.is_clean, f"{self}"


class Log:
    """The log as the fold sees it: first copy of each id, in order per conversation."""

    def __init__(self, records: Iterable[Stored]) -> None:
        self.events: list[AnyEvent] = []
        self.repeats = 0
        seen: set[str] = set()
        for record in records:
            assert record.value is not None, "the log has no tombstones"
            event = decode_event(record.value)
            if event.id in seen:
                self.repeats += 1
                continue
            seen.add(event.id)
            self.events.append(event)

    def of(self, *types: str) -> list[AnyEvent]:
        """Events of these types, in order."""
        return [event for event in self.events if event.type in types]


def check(sent: Sequence[Sent], records: Iterable[Stored], seen: Mapping[tuple[str, str], Sequence[str]]) -> Verdict:
    """Judge a finished, drained run. ``seen`` maps (platform, user) to the texts that became visible, in order."""
    verdict = Verdict(accepted=sum(message.is_accepted for message in sent))
    log = Log(records)
    verdict.repeats = log.repeats
    received = _check_received(sent, log, verdict)
    turn_of = _check_turns(received.values(), log, verdict)
    parts = _Parts(log, verdict)
    for message in sent:
        if message.is_accepted and message.text in received:
            _check_outcome(message, turn_of.get(received[message.text].id), parts, verdict)
    _check_seen(sent, parts, seen, verdict)
    return verdict


def _check_received(sent: Sequence[Sent], log: Log, verdict: Verdict) -> dict[str, AnyEvent]:
    """Every accepted message is exactly one event, and each conversation's are in order; text → event."""
    received: dict[str, AnyEvent] = {}
    numbers = {message.text: message.number for message in sent}
    last: dict[str, int] = defaultdict(int)
    for event in log.of("message_received"):
        text = getattr(event.data.content, "text", "")
        if text in received:
            verdict.doubled_inside += 1
            verdict.note(f"{text!r} is two events: {received[text].id} and {event.id}")
            continue
        received[text] = event
        number = numbers.get(text, 0)
        if number < last[event.conversation_id]:
            verdict.reordered += 1
            verdict.note(f"{event.conversation_id}: message {number} after {last[event.conversation_id]}")
        last[event.conversation_id] = max(number, last[event.conversation_id])
    for message in sent:
        if message.is_accepted and message.text not in received:
            verdict.lost += 1
            verdict.note(f"accepted, but not in the log: {message.text!r}")
    return received


def _check_turns(received: Iterable[AnyEvent], log: Log, verdict: Verdict) -> dict[str, str]:
    """Every received message is in exactly one turn; event id → turn id."""
    turn_of: dict[str, str] = {}
    for event in log.of("reply_requested"):
        assert isinstance(event.data, ReplyRequested)
        for event_id in event.data.event_ids:
            if event_id in turn_of:
                verdict.doubled_inside += 1
                verdict.note(f"event {event_id} is in turns {turn_of[event_id]} and {event.data.turn_id}")
            turn_of[event_id] = event.data.turn_id
    answered = Counter(
        event.data.turn_id
        for event in log.of("reply_generated", "reply_failed")
        if isinstance(event.data, ReplyGenerated | ReplyFailed)
    )
    for turn_id in set(turn_of.values()):
        if answered[turn_id] != 1:
            verdict.residual += answered[turn_id] == 0
            verdict.doubled_inside += max(0, answered[turn_id] - 1)
            verdict.note(f"turn {turn_id} has {answered[turn_id]} answers")
    for event in received:
        if event.id not in turn_of:
            verdict.note(f"received, but in no turn: {event.conversation_id} {event.id}")
    return turn_of


class _Parts:
    """Planned parts with their outcomes, and how parts belong to turns and texts."""

    def __init__(self, log: Log, verdict: Verdict) -> None:
        self.of_turn: dict[str, list[str]] = {}
        self.outcomes: dict[str, set[str]] = defaultdict(set)
        self.text: dict[str, str] = {}
        for event in log.of("message_planned"):
            self._plan(event, verdict)
        for event in log.of("message_sent", "message_failed", "message_unknown", "message_suppressed"):
            data = event.data
            assert isinstance(data, MessageSent | MessageFailed | MessageUnknown | MessageSuppressed)
            for part_id in data.part_ids:
                self.outcomes[part_id].add(event.type)
        for part_id in self.text:
            self._count(part_id, verdict)

    def _plan(self, event: AnyEvent, verdict: Verdict) -> None:
        data = event.data
        assert isinstance(data, MessagePlanned)
        turn_id = data.turn_id or event.id
        if turn_id in self.of_turn:
            verdict.doubled_inside += 1
            verdict.note(f"turn {turn_id} was planned twice")
        self.of_turn[turn_id] = list(data.part_ids)
        for part_id, part in zip(data.part_ids, data.content, strict=True):
            self.text[part_id] = getattr(part.content, "text", "")

    def _count(self, part_id: str, verdict: Verdict) -> None:
        outcomes = self.outcomes[part_id]
        verdict.unknown += "message_unknown" in outcomes
        verdict.failed += outcomes == {"message_failed"}
        if not outcomes:
            verdict.residual += 1
            verdict.note(f"part {part_id} ({self.text[part_id]!r}) has no outcome")
        elif {"message_sent", "message_failed"} <= outcomes:
            verdict.doubled_inside += 1
            verdict.note(f"part {part_id} was told as sent and as failed")


def _check_outcome(message: Sent, turn_id: str | None, parts: _Parts, verdict: Verdict) -> None:
    """The message's turn ended in parts that each have an outcome."""
    who = f"{message.platform} {message.user} #{message.number}"
    if turn_id is None or turn_id not in parts.of_turn:
        verdict.lost += 1
        verdict.note(f"never answered: {who} (turn {turn_id})")
        return
    if not all(parts.outcomes[part_id] for part_id in parts.of_turn[turn_id]):
        verdict.lost += 1
        verdict.note(f"answer without outcome: {who}")


def _check_seen(
    sent: Sequence[Sent], parts: _Parts, seen: Mapping[tuple[str, str], Sequence[str]], verdict: Verdict
) -> None:
    """What the users saw: every sent part once, nothing twice, in order."""
    visible = Counter(text for texts in seen.values() for text in texts)
    # Answers are unique by the load's texts; an apology is not, so each text may be seen as often as it was planned.
    planned = Counter(parts.text.values())
    for text, count in visible.items():
        if count > max(1, planned[text]):
            verdict.doubled_outside += count - max(1, planned[text])
            verdict.note(f"seen {count} times, planned {planned[text]} times: {text!r}")
    for part_id, text in parts.text.items():
        if "message_sent" in parts.outcomes[part_id] and not visible[text]:
            verdict.unseen += 1
            verdict.note(f"told as sent, but never seen: {text!r}")
    number_of = {f"re: {message.text}": message.number for message in sent}
    for who, texts in seen.items():
        last = 0
        for text in dict.fromkeys(texts):
            number = number_of.get(text, 0)
            if 0 < number < last:
                verdict.reordered += 1
                verdict.note(f"{who}: the answer to {number} was seen after that to {last}")
            last = max(last, number)
