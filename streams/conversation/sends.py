"""Folds what becomes of our own messages: planned, started, sent, failed, unknown, and what platforms report of them.

A message stays in ``State.sends`` until each of its parts is settled and its plan was read; from then on copies of
these events have no effect, because the memory knows that it was ``PLANNED``.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

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
        state = turns.spoken(state, Entry("assistant", text, event.occurred_at, message_id=data.message_id), scope)
    send = state.sends.get(data.message_id, Send({}))
    parts = {part: send.parts.get(part, reports.PLANNED) for part in data.part_ids}
    return _with_send(state, data.message_id, Send(parts, is_planned=True), scope)


def on_outcome(state: State, event: Event[Outcome], scope: Scope) -> State:
    """`send` tells of parts; each can only go forward."""
    data = event.data
    if isinstance(data, MessageSent):
        for part, platform_id in _pairs(data.part_ids, data.platform_message_ids):
            join_report(scope, platform_id, rank=reports.SENT, part_id=part, message_id=data.message_id)
            state = amendments.adopt(state, platform_id, scope) if state.orphans else state
        state = _claim_echoes(state, data.platform_message_ids, scope)
    return advance(state, data.message_id, data.part_ids, rank=RANKS[event.type], scope=scope)


def advance(state: State, message_id: str, part_ids: Iterable[str], *, rank: int, scope: Scope) -> State:
    """Move parts forward to ``rank``; those that are further stay."""
    send = state.sends.get(message_id)
    if send is None:
        if told(scope.memory, message_id) & PLANNED:
            return state
        send = Send({})
    parts = send.parts | {part: max(rank, send.parts.get(part, reports.PLANNED)) for part in part_ids}
    if parts == send.parts:
        return state
    state = _with_send(state, message_id, replace(send, parts=parts), scope)
    return _with_evidence_timer(state, message_id, scope)


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
        join_report(scope, data.message_id, rank=rank, part_id=part)
    if data.watermark is not None and rank >= reports.DELIVERED:
        join_marks(scope, **{"delivered_to" if rank == reports.DELIVERED else "read_to": data.watermark})
    return advance_part(state, part, rank=rank, scope=scope)


def on_read(state: State, event: Event[MessageRead], scope: Scope) -> State:
    """As a report of ``read``."""
    if event.data.message_id is not None:
        join_report(scope, event.data.message_id, rank=reports.READ)
    if event.data.watermark is not None:
        join_marks(scope, read_to=event.data.watermark)
    return state


def advance_part(state: State, part: str, *, rank: int, scope: Scope) -> State:
    """The same for one part of whatever message has it; nothing when that is settled."""
    for message_id, send in state.sends.items():
        if part in send.parts:
            return advance(state, message_id, (part,), rank=rank, scope=scope)
    return state


def is_sending(state: State) -> bool:
    """A call was started and nobody knows yet how it ended."""
    return any(
        rank in (reports.STARTED, reports.UNKNOWN) for send in state.sends.values() for rank in send.parts.values()
    )


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


def _claim_echoes(state: State, platform_ids: Sequence[str], scope: Scope) -> State:
    """Echoes that waited for this outcome were ours: what they show is in the history already."""
    ours = tuple(echo for echo in state.echoes if echo.message_id in platform_ids)
    if not ours:
        return state
    for echo in ours:
        history.remove(scope, echo.seq)
    return replace(state, echoes=tuple(echo for echo in state.echoes if echo not in ours))
