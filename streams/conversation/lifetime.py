"""Folds timers and what they end: sessions, leases, waits. Reads and writes the history's keys when a session goes.

Time is the conversation's own: a timer acts because ``timer_fired`` is in the log, never because a clock says so.
"""

from collections.abc import Callable

from msgspec.structs import replace

from schemas.envelope import Event
from schemas.events import ConversationExpired, TimerFired
from streams.conversation import amendments, history, humans, media, sends
from streams.conversation.model import BLANK, State, with_timer
from streams.conversation.scope import Scope
from streams.conversation.turns import SESSION, close_turn

FORGET = "forget"
"""The timer that ends what outlives a session: window, unsettled sends."""


def on_timer(state: State, event: Event[TimerFired], scope: Scope) -> State:
    """Act on a timer that is still set for that very time; any other is stale."""
    name, _, subject = event.data.name.partition(":")
    if state.timers.get(event.data.name) != event.data.due_at:
        return state
    state = with_timer(state, event.data.name, None)
    if name == SESSION:
        return _end_session(state, scope)
    if name == FORGET:
        return _forget(state)
    return TIMERS[name](state, subject, scope) if name in TIMERS else state


TIMERS: dict[str, Callable[[State, str, Scope], State]] = {
    humans.LEASE: humans.on_lease_end,
    sends.EVIDENCE: sends.on_evidence_end,
    amendments.ORPHAN_TIMER: amendments.on_orphan_end,
    media.MEDIA: media.on_wait_end,
}


def _end_session(state: State, scope: Scope) -> State:
    """Forget an idle conversation, unless an answer is still owed.

    A turn is given up only when it was already open the last time: after an outage of our own this timer is read
    together with a backlog, and what was asked a moment ago must not count as having waited for a day.
    """
    idle_from = (state.last_message_at or 0) + scope.limits.session_ms
    if scope.now < idle_from:
        return with_timer(replace(state, is_overdue=False), SESSION, idle_from)
    if state.turn is None:
        return expire(state, scope)
    if state.is_overdue:
        state = history.trim(close_turn(state, state.turn.id, scope), scope)
    return with_timer(replace(state, is_overdue=True), SESSION, scope.now + scope.limits.session_ms)


def on_expired(state: State, event: Event[ConversationExpired], scope: Scope) -> State:
    """The record of an end that its timer brought about before; it acts by itself only where no timer did, because the
    session was shorter under the settings of its day."""
    if state.session_start is None or state.last_message_at != event.data.last_message_at:
        return state
    return state if state.turn or state.pending else expire(state, scope)


def expire(state: State, scope: Scope) -> State:
    """Context, preferences and session go; ids, window, sends and lease wait for their own end."""
    for orphan in state.orphans:
        state = amendments.drop(state, orphan, scope)
    state = replace(
        with_timer(history.clear(state, scope), SESSION, None),
        session_start=None,
        last_message_at=None,
        language="",
        preferences={},
        pending=(),
        is_unreachable=False,
        is_overdue=False,
        profiles={},
    )
    return with_timer(state, FORGET, scope.forget_at)


def _forget(state: State) -> State:
    """Nobody came back: nothing stays but the lease of a person who still has the conversation."""
    if state.session_start is not None:
        return state
    left = replace(BLANK, lease=state.lease)
    return with_timer(left, humans.LEASE, state.lease.until) if state.lease is not None else left
