"""Folds what changes an earlier message: edits, deletions, reactions.

What overtakes its message waits for it, visibly, as an orphan: the event under an ``o`` key, its id in the state, a
timer beside it. When the timer fires first, the orphan leaves and ``decide`` says so in the log.
"""

from collections.abc import Callable

from msgspec.structs import replace

from schemas.envelope import AnyEvent, Event
from schemas.events import MessageDeleted, MessageEdited, ReactionChanged
from schemas.registry import decode_event, encode
from streams.conversation import history, media, wording
from streams.conversation.history import REACTIONS_MAX, Entry
from streams.conversation.memory import ORPHAN, uuid_key
from streams.conversation.model import Orphan, State, with_timer, with_waiting
from streams.conversation.reports import find_report
from streams.conversation.scope import Scope

ORPHAN_TIMER = "orphan"
ORPHANS_MAX = 16
"""Of one conversation; beyond it the oldest gives up waiting."""

AMENDMENTS = ("message_edited", "message_deleted", "reaction_changed")


def on_amendment(state: State, event: AnyEvent, scope: Scope) -> State:
    """Apply it to its message, or let it wait for one that was not seen yet."""
    amended = _amend(state, event, scope)
    if amended is not None:
        # Whether the message waits may depend on what was read already, the conversation's time may not: it goes on.
        return replace(amended)
    return wait(state, event, scope, at_most=ORPHANS_MAX)


def wait(state: State, event: AnyEvent, scope: Scope, *, at_most: int) -> State:
    """Let an event wait, visibly, for the message that it is about; beyond ``at_most`` the oldest gives up."""
    scope.memory.put(uuid_key(ORPHAN, event.id), encode(event))
    orphan = Orphan(event.id, event.data.message_id)
    due = scope.now + scope.limits.orphan_ms
    state = with_timer(replace(state, orphans=(*state.orphans, orphan)), _timer(orphan), due)
    return drop(state, state.orphans[0], scope) if len(state.orphans) > at_most else state


def adopt(state: State, message_id: str, scope: Scope) -> State:
    """A message is here: what waited for it is applied in the order of arrival."""
    for orphan in state.orphans:
        if orphan.message_id == message_id:
            value = scope.memory.get(uuid_key(ORPHAN, orphan.event_id))
            amended = None if value is None else _amend(state, decode_event(value), scope)
            state = drop(amended or state, orphan, scope)
    return state


def drop(state: State, orphan: Orphan, scope: Scope) -> State:
    """It waits no longer."""
    scope.memory.delete(uuid_key(ORPHAN, orphan.event_id))
    left = tuple(other for other in state.orphans if other.event_id != orphan.event_id)
    return with_timer(replace(state, orphans=left), _timer(orphan), None)


def on_orphan_end(state: State, event_id: str, scope: Scope) -> State:
    """Its time is over."""
    for orphan in state.orphans:
        if orphan.event_id == event_id:
            return drop(state, orphan, scope)
    return state


def _timer(orphan: Orphan) -> str:
    return f"{ORPHAN_TIMER}:{orphan.event_id}"


def _amend(state: State, event: AnyEvent, scope: Scope) -> State | None:
    """The state with the message changed; None when that message was never seen."""
    found = history.find(scope, event.data.message_id)
    if not found:
        report = find_report(scope, event.data.message_id)
        if report is None or not report.part_id:
            return None
        # One of ours, which the history has under our id; when it is there no more, there is nothing to change.
        found = history.find(scope, report.message_id) if report.message_id else []
        if not found:
            return state
    return _HANDLERS[event.type](state, event, scope, found)


Found = list[tuple[int, Entry]]


def _edit(state: State, event: Event[MessageEdited], scope: Scope, found: Found) -> State:
    """Only the words of a message can change, so of several contents it is the one that has some."""
    seq, entry = next((item for item in found if item[1].text), found[0])
    if entry.is_deleted or event.data.revision < entry.revision:
        return state
    content = event.data.content
    entry = replace(
        entry,
        text=wording.text_of(content)[: wording.MESSAGE_CHARS_MAX],
        kind=content.kind,
        revision=event.data.revision,
        **media.source_after_edit(entry, event),
    )
    is_long = len(entry.text) > scope.limits.context_chars_max
    history.put(scope, seq, entry if _is_waiting(state, seq) else history.cut(entry, scope))
    return with_waiting(state, lambda message: replace(message, is_long=is_long) if message.seq == seq else message)


def _delete(state: State, event: Event[MessageDeleted], scope: Scope, found: Found) -> State:
    """Nothing of it is told to the AI any more; before its turn it is not answered either."""
    for seq, entry in found:
        blank = Entry(entry.role, "", entry.at, message_id=entry.message_id, is_deleted=True)
        history.put(scope, seq, blank)
    gone = {seq for seq, _ in found}
    return with_waiting(
        state, lambda message: replace(message, is_gone=True, is_long=False) if message.seq in gone else message
    )


def _react(state: State, event: Event[ReactionChanged], scope: Scope, found: Found) -> State:
    seq, entry = found[0]
    data = event.data
    reactions = {who: emoji for who, emoji in entry.reactions.items() if who != data.sender_id}
    if not data.is_removed and len(reactions) < REACTIONS_MAX:
        reactions[data.sender_id] = data.emoji
    if not entry.is_deleted:
        history.put(scope, seq, replace(entry, reactions=reactions))
    return state


def _is_waiting(state: State, seq: int) -> bool:
    asked = state.turn.messages if state.turn else ()
    return any(message.seq == seq for message in (*state.pending, *asked))


_HANDLERS: dict[str, Callable[..., State]] = {
    "message_edited": _edit,
    "message_deleted": _delete,
    "reaction_changed": _react,
}
