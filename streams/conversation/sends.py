"""Folds what becomes of our own messages: planned, started, sent, failed, unknown, and what platforms report of them.

A message stays in ``State.sends`` until each of its parts is settled and its plan was read; from then on copies of
these events have no effect, because the memory knows that it was ``PLANNED``.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from schemas.base import format_time
from schemas.envelope import Event
from schemas.events import (
    DeliveryReported,
    MessageFailed,
    MessagePlanned,
    MessageRead,
    MessageSent,
    MessageSuppressed,
    MessageUnknown,
    SendStarted,
)
from streams.conversation import amendments, history, reports, turns, wording
from streams.conversation.history import Entry
from streams.conversation.memory import PLANNED, tell, told
from streams.conversation.model import Send, State, with_timer
from streams.conversation.reports import join_marks, join_report
from streams.conversation.scope import Scope

EVIDENCE = "evidence"
"""Starts the name of the timer that ends the wait for evidence about a message."""

SENDS_MAX = 64
"""Messages of one conversation that are not settled; beyond it the state forgets the oldest, the log does not."""

RANKS = {
    "send_started": reports.STARTED,
    "message_unknown": reports.UNKNOWN,
    "message_suppressed": reports.SUPPRESSED,
    "message_failed": reports.FAILED,
    "message_sent": reports.SENT,
}

Outcome = SendStarted | MessageUnknown | MessageSuppressed | MessageFailed | MessageSent


def on_planned(state: State, event: Event[MessagePlanned], scope: Scope) -> State:
    """The parts are counted; what a person or a program says outside of a turn goes into the history here."""
    data = event.data
    known = told(scope.memory, data.message_id)
    if known & PLANNED:
        return state
    tell(scope.memory, data.message_id, known | PLANNED, expires_at_ms=scope.forget_at)
    if data.turn_id is None:
        text = "\n".join(filter(None, (wording.text_of(part.content) for part in data.content)))
        state = turns.spoken(
            state, Entry("assistant", text, format_time(event.occurred_at), message_id=data.message_id), scope
        )
    send = state.sends.get(data.message_id, Send({}))
    parts = {part: send.parts.get(part, reports.PLANNED) for part in data.part_ids}
    return _with_send(state, data.message_id, Send(parts, is_planned=True), scope)


def on_outcome(state: State, event: Event[Outcome], scope: Scope) -> State:
    """`send` tells of parts; each can only go forward."""
    data = event.data
    if isinstance(data, MessageSent):
        for part, platform_id in _pairs(data.part_ids, data.platform_message_ids):
            state = claim(state, platform_id, scope, part=part, message_id=data.message_id)
            state = amendments.adopt(state, platform_id, scope) if state.orphans else state
    return advance(state, data.message_id, data.part_ids, rank=RANKS[event.type], scope=scope)


def claim(
    state: State, platform_id: str, scope: Scope, *, part: str, message_id: str = "", rank: int = reports.SENT
) -> State:
    """A platform's message shows our part. Its echoes, if they came before, were ours: what they show is in the history
    already, and no human said it."""
    ours = join_report(scope, platform_id, rank=rank, part_id=part, message_id=message_id)
    for seq in ours:
        history.remove(scope, seq)
    left = tuple(echo for echo in state.echoes if echo.seq not in ours)
    return replace(state, echoes=left) if left != state.echoes else state


def advance(state: State, message_id: str, part_ids: Iterable[str], *, rank: int, scope: Scope) -> State:
    """Move parts forward to ``rank``; those that are further stay."""
    send = state.sends.get(message_id)
    if send is None:
        if told(scope.memory, message_id) & PLANNED:
            return state
        send = Send({})
    ranks = {part: send.parts.get(part, reports.PLANNED) for part in part_ids}
    moved = {part: _after(known, rank) for part, known in ranks.items()}
    if all(send.parts.get(part) == moved[part] for part in moved):
        return state
    state = _with_send(state, message_id, replace(send, parts=send.parts | moved), scope)
    return _with_evidence_timer(state, message_id, scope)


def _after(known: int, rank: int) -> int:
    """A part's rank after another was told."""
    if {known, rank} == {reports.UNKNOWN, reports.PROVEN}:
        # The call's outcome will not be told any more, and the evidence is there.
        return reports.SENT
    return max(known, rank)


def on_evidence_end(state: State, message_id: str, scope: Scope) -> State:
    """No evidence came; under the policy `hold` the parts stay unknown for good."""
    send = state.sends.get(message_id)
    if send is None:
        return state
    held = {part: reports.HELD if rank == reports.UNKNOWN else rank for part, rank in send.parts.items()}
    return _with_send(state, message_id, replace(send, parts=held), scope)


def on_report(state: State, event: Event[DeliveryReported], scope: Scope) -> State:
    """A platform tells of one message, by its own id or by what we sent along, or of all up to a time."""
    data = event.data
    rank = reports.RANKS[data.status]
    part = reports.part_of_tag(data.tag)
    if data.message_id is not None:
        state = claim(state, data.message_id, scope, part=part, rank=rank)
    if data.watermark is not None and rank >= reports.DELIVERED:
        join_marks(scope, **{"delivered_to" if rank == reports.DELIVERED else "read_to": data.watermark})
    return prove(state, part, scope)


def on_read(state: State, event: Event[MessageRead], scope: Scope) -> State:
    """As a report of ``read``."""
    if event.data.message_id is not None:
        join_report(scope, event.data.message_id, rank=reports.READ)
    if event.data.watermark is not None:
        join_marks(scope, read_to=event.data.watermark)
    return state


def prove(state: State, part: str, scope: Scope) -> State:
    """The platform knows our part, so its call arrived; nothing when the part is settled."""
    for message_id, send in state.sends.items():
        if part in send.parts:
            return advance(state, message_id, (part,), rank=reports.PROVEN, scope=scope)
    return state


def is_sending(state: State) -> bool:
    """A call was started and nobody knows yet how it ended."""
    ranks = (rank for send in state.sends.values() for rank in send.parts.values())
    return any(reports.PLANNED < rank < reports.HELD for rank in ranks)


def _with_send(state: State, message_id: str, send: Send, scope: Scope) -> State:
    sends = {other: known for other, known in state.sends.items() if other != message_id}
    if not send.is_planned or any(rank < reports.HELD for rank in send.parts.values()):
        sends[message_id] = send
    elif all(rank == reports.SUPPRESSED for rank in send.parts.values()):
        # Nothing of it will be said, so the AI must not believe that it was.
        for seq, _ in history.find(scope, message_id):
            history.remove(scope, seq)
    if len(sends) > SENDS_MAX:
        del sends[next(iter(sends))]
    return replace(state, sends=sends)


def _with_evidence_timer(state: State, message_id: str, scope: Scope) -> State:
    """Runs from the first unknown part on, as long as there is one."""
    name = f"{EVIDENCE}:{message_id}"
    send = state.sends.get(message_id)
    if send is None or reports.UNKNOWN not in send.parts.values():
        return with_timer(state, name, None)
    return state if name in state.timers else with_timer(state, name, scope.now + scope.limits.evidence_ms)


def _pairs(part_ids: Sequence[str], platform_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Which part each of the platform's messages shows; a part may have taken several, the last then the rest."""
    return [(part_ids[min(index, len(part_ids) - 1)], platform_id) for index, platform_id in enumerate(platform_ids)]
