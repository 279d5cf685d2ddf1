"""The fold: one event after another makes the state. Reads and writes the memory it is given, no clock, no I/O.

``evolve`` gives equal states when an event of our own making is read later than it was decided, or twice: the stage
applies its decisions at once and reads them back from the log, a plain fold only reads them.
"""

from collections.abc import Callable

from msgspec.structs import replace

from schemas.envelope import AnyEvent, Event
from schemas.events import ChoiceMade, ContactJoined, ContactLeft, MessageReceived, ReactionChanged
from streams.conversation import amendments, humans, lifetime, media, moves, sends, strays, turns
from streams.conversation.memory import Memory
from streams.conversation.model import BLANK, State, with_timer
from streams.conversation.policy import Limits
from streams.conversation.scope import Scope


def evolve(state: State, event: AnyEvent, memory: Memory, limits: Limits) -> State:
    """The state after an event; the very same object when the event changes nothing of it.

    Types without a handler (channel news, raw and ignored input, dead letters) are facts of the log that no later
    decision needs.
    """
    handler = HANDLERS.get(event.type)
    if handler is None or (state.moved is not None and moves.is_left(state, event)):
        return state
    now = max(state.now, event.recorded_at)
    after = handler(state, event, Scope(memory, limits, now))
    if after is state:
        return state
    if after.session_start is None:
        if after.is_blank:
            return BLANK
        after = _with_end(after, now + limits.memory_ms)
    return replace(after, now=now)


def _with_end(state: State, end: int) -> State:
    """Outside of a session a window or a send must not stay for ever."""
    is_lasting = state.last_inbound_at is not None or bool(state.sends) or state.moved is not None
    return with_timer(state, lifetime.FORGET, end) if is_lasting and lifetime.FORGET not in state.timers else state


def _on_signal(state: State, event: AnyEvent, scope: Scope) -> State:
    """Where the connector says that it opens the platform's window, it counts as if the person had written."""
    opens = event.data.metadata.get("opens_window") is True
    return turns.opened_window(state, event.occurred_at, scope) if opens else state


def _on_message(state: State, event: Event[MessageReceived] | Event[ChoiceMade], scope: Scope) -> State:
    return moves.acquainted(turns.on_message(state, event, scope), event)


def _on_reaction(state: State, event: Event[ReactionChanged], scope: Scope) -> State:
    return amendments.on_amendment(_on_signal(state, event, scope), event, scope)


def _on_contact(state: State, event: Event[ContactJoined] | Event[ContactLeft], scope: Scope) -> State:
    """Whoever blocks us, or a group that puts us out, cannot be answered until it lets us in again."""
    if event.data.how == "member":
        return state
    is_unreachable = isinstance(event.data, ContactLeft)
    if state.session_start is not None and state.is_unreachable != is_unreachable:
        state = replace(state, is_unreachable=is_unreachable)
    return state if is_unreachable else _on_signal(state, event, scope)


HANDLERS: dict[str, Callable[..., State]] = {
    "message_received": _on_message,
    "choice_made": _on_message,
    "message_edited": amendments.on_amendment,
    "message_deleted": amendments.on_amendment,
    "reaction_changed": _on_reaction,
    "media_stored": media.on_stored,
    "media_failed": media.on_failed,
    "profile_updated": turns.on_profile,
    "contact_joined": _on_contact,
    "contact_left": _on_contact,
    "referral_received": _on_signal,
    "message_echoed": humans.on_echo,
    "human_took_over": humans.on_took_over,
    "human_released": humans.on_released,
    "reply_requested": turns.on_reply_requested,
    "reply_generated": turns.on_reply_generated,
    "reply_failed": turns.on_reply_failed,
    "input_ignored": turns.on_input_ignored,
    "message_planned": sends.on_planned,
    "message_suppressed": sends.on_outcome,
    "send_started": sends.on_outcome,
    "message_sent": sends.on_outcome,
    "message_failed": sends.on_outcome,
    "message_unknown": sends.on_outcome,
    "delivery_reported": strays.on_report,
    "message_located": strays.on_located,
    "message_read": sends.on_read,
    "timer_fired": lifetime.on_timer,
    "conversation_expired": lifetime.on_expired,
    "identity_changed": moves.on_identity_changed,
    "context_carried": moves.on_carried,
}
