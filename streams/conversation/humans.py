"""Folds the business's own people: echoes of what they type in the platform's app, and the lease that silences the bot.

An echo that nobody can claim at once is kept with its place in the history. It leaves as ours when `message_sent` names
it, or as a human's when ``decide`` says so with a `human_took_over` that has the echo as its cause.
"""

from msgspec.structs import replace

from schemas.base import format_time
from schemas.envelope import Event
from schemas.events import HumanReleased, HumanTookOver, MessageEchoed
from streams.conversation import amendments, history, media, reports, sends, turns, wording
from streams.conversation.history import Entry
from streams.conversation.memory import TAKEN_OVER, tell, told
from streams.conversation.model import FAR_FUTURE_MS, Echo, Lease, State, end_of, with_timer, with_waiting
from streams.conversation.reports import find_report, join_echo
from streams.conversation.scope import Scope

LEASE = "lease"
"""The timer that gives the conversation back to the bot; also how a `human_released` says that it did."""

ECHO = "echo"
"""How a `human_took_over` of our own decision says why."""


def on_echo(state: State, event: Event[MessageEchoed], scope: Scope) -> State:
    """Ours by proof, by tag or by its id: nothing but evidence. Else it is kept until that can be told."""
    data = event.data
    part = reports.part_of_tag(data.tag)
    if part:
        return sends.prove(sends.claim(state, data.message_id, scope, part=part), part, scope)
    report = find_report(scope, data.message_id)
    if data.is_ours or (data.is_ours is None and report is not None and report.part_id):
        return state
    entry = Entry(
        role="assistant",
        text=wording.text_of(data.content),
        at=format_time(event.occurred_at),
        kind=data.content.kind,
        message_id=data.message_id,
        media_url=wording.media_url_of(data.content),
        event_id=event.id if media.is_kept(data.content) else "",
    )
    join_echo(scope, data.message_id, state.next)
    # Where a move passed both on, the takeover may come before its echo: then there is nothing left to decide.
    if not told(scope.memory, event.id) & TAKEN_OVER:
        echo = Echo(event.id, data.message_id, seq=state.next, is_human=data.is_ours is False)
        state = replace(state, echoes=(*state.echoes, echo))
    state = turns.spoken(state, entry, scope)
    return amendments.adopt(state, data.message_id, scope) if state.orphans else state


def on_took_over(state: State, event: Event[HumanTookOver], scope: Scope) -> State:
    """A lease begins or grows; what waited for the bot is the human's now. Its cause, an echo, is settled.

    Between our decision and its record a release or the end of the lease may have been read: then it leaves behind only
    what it did in its own time.
    """
    if event.data.how == ECHO and event.causation_id is not None:
        if told(scope.memory, event.causation_id) & TAKEN_OVER:
            return _without_echo(state, event.causation_id)
        tell(scope.memory, event.causation_id, TAKEN_OVER, expires_at_ms=scope.forget_at)
    begun, until = event.recorded_at, event.data.until
    is_over = begun < state.released_at
    end = state.released_at if is_over else FAR_FUTURE_MS if until is None else until
    if event.data.how == ECHO:
        handed_over = tuple(message for message in state.pending if message.at < end)
        history.release(handed_over, scope)
        left = tuple(message for message in state.pending if message.at >= end)
        state = history.trim(replace(state, pending=left), scope) if handed_over else state
    else:
        # A request that was decided before may yet name some of them, so they stay, and start no turn of their own.
        state = with_waiting(state, lambda message: replace(message, is_gone=True) if message.at < end else message)
    state = _without_echo(state, event.causation_id)
    if is_over or end <= scope.now or (state.lease is not None and end <= end_of(state.lease)):
        # Whether it lengthens the lease depends on what was read already, the conversation's time must not.
        return replace(state)
    return with_timer(replace(state, lease=Lease(until)), LEASE, until)


def _without_echo(state: State, event_id: str | None) -> State:
    left = tuple(echo for echo in state.echoes if echo.event_id != event_id)
    return state if len(left) == len(state.echoes) else replace(state, echoes=left)


def on_released(state: State, event: Event[HumanReleased], scope: Scope) -> State:
    """Somebody gives the conversation back; the record of a lease that ran out changes nothing more."""
    if event.data.how == LEASE or event.recorded_at <= state.released_at:
        return state
    return with_timer(replace(state, lease=None, released_at=event.recorded_at), LEASE, None)


def on_lease_end(state: State, _: str, scope: Scope) -> State:
    """The human's time is over."""
    return replace(state, lease=None) if state.lease is not None and end_of(state.lease) <= scope.now else state
