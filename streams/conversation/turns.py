"""Folds what people write and how turns open and close: messages, taps, requests, answers.

In the log our own decisions stand a little after the events that led to them, so other events may be read in between.
Every function here gives the same state in either order; the marks ``ANSWERED`` and ``PLANNED`` see to copies.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.base import format_time
from schemas.envelope import Event
from schemas.events import (
    ChoiceMade,
    InputIgnored,
    MessageReceived,
    ProfileUpdated,
    ReplyFailed,
    ReplyGenerated,
    ReplyRequested,
)
from schemas.ids import derived_id
from streams.conversation import amendments, history, media, wording
from streams.conversation.history import Entry
from streams.conversation.memory import ANSWERED, tell, told
from streams.conversation.model import State, Turn, Waiting, with_timer
from streams.conversation.reports import find_report
from streams.conversation.scope import Scope

SESSION = "session"
"""The timer that ends a session."""

PREFERENCES_BYTES_MAX = 8_192
"""Of what the AI tells about a person, encoded; a member that would go beyond it is left out."""

ID_CHARS_MAX = 512
"""Longer than any platform's ids, read tokens and quote tokens; a longer one is not kept with a waiting message."""

TOKEN_CHARS_MAX = 128
"""Longer than any platform's reply tokens; a longer one is not used."""


def message_id_of(turn_id: str) -> str:
    """The id of the message that answers a turn."""
    return derived_id(turn_id, "message")


def on_message(state: State, event: Event[MessageReceived] | Event[ChoiceMade], scope: Scope) -> State:
    """A person wrote or tapped: into the history, and into the next turn unless a human has the conversation or nobody
    asked us."""
    data = event.data
    # A tap's message id is that of the message with the button, and an edit of that one is no edit of the tap.
    message_id = data.message_id if isinstance(data, MessageReceived) else ""
    is_waiting = not state.is_leased(scope.now) and _is_for_us(data, scope)
    details = wording.details_of(data.content, data.metadata)
    text = wording.text_of(data.content)[: wording.MESSAGE_CHARS_MAX]
    entry = Entry(
        role="user",
        text=text,
        at=format_time(event.occurred_at),
        kind=data.content.kind,
        message_id=message_id,
        sender_id=data.sender_id,
        media_url=wording.media_url_of(data.content),
        details=details | {"reply_to": data.reply_to} if data.reply_to else details,
        event_id=event.id if media.is_kept(data.content) else "",
    )
    state, seq = history.append(state, entry if is_waiting else history.cut(entry, scope), scope)
    pending = state.pending
    if is_waiting:
        waiting = Waiting(
            event_id=event.id,
            seq=seq,
            at=scope.now,
            received_at=event.recorded_at,
            occurred_at=event.occurred_at,
            reply_token=data.reply_token if len(data.reply_token or "") <= TOKEN_CHARS_MAX else None,
            callback_id=data.callback_id if isinstance(data, ChoiceMade) else None,
            is_long=len(text) > scope.limits.context_chars_max,
            message_id=message_id if len(message_id) <= ID_CHARS_MAX else "",
            read_token=_token(data.metadata, "mark_as_read_token"),
            quote_token=_token(data.metadata, "quote_token"),
            in_group=data.metadata.get("in_group") is True,
        )
        pending = (*pending, waiting)
    state = replace(
        in_session(opened_window(state, event.occurred_at, scope), scope),
        pending=pending,
        language=wording.language_of(text) or state.language,
        is_unreachable=False,
        profiles=media.asked_profiles(state, data.sender_id, scope),
    )
    state = media.await_stored(state, event, scope)
    if state.orphans and message_id:
        state = amendments.adopt(state, message_id, scope)
    return history.trim(state, scope)


def _token(metadata: Mapping[str, Any], name: str) -> str | None:
    token = metadata.get(name)
    return token if isinstance(token, str) and len(token) <= ID_CHARS_MAX else None


def _is_for_us(data: MessageReceived | ChoiceMade, scope: Scope) -> bool:
    """Whether it wants an answer: not what the platform itself says, nor what the connector saw to be said to others in
    a group or on a channel (``is_addressed`` in the metadata), unless it answers a message of ours."""
    if isinstance(data, ChoiceMade):
        return True
    if data.content.kind == "system":
        return False
    if data.metadata.get("is_addressed") is not False:
        return True
    report = find_report(scope, data.reply_to) if data.reply_to else None
    return report is not None and bool(report.part_id)


def opened_window(state: State, occurred_at: int, scope: Scope) -> State:
    """The person did something that allows us to write; a platform's clock that is ahead of ours is not believed."""
    at = min(occurred_at, scope.now)
    return state if at <= (state.last_inbound_at or 0) else replace(state, last_inbound_at=at)


def in_session(state: State, scope: Scope) -> State:
    """Something was said just now: a session starts or goes on. Its timer is not moved by every message; when it fires
    it looks at the time of the last one."""
    if state.session_start is None:
        state = with_timer(replace(state, session_start=scope.now), SESSION, scope.now + scope.limits.session_ms)
    return replace(state, last_message_at=scope.now)


def on_reply_requested(state: State, event: Event[ReplyRequested], scope: Scope) -> State:
    """A turn opens with the messages that it names, unless its answer has been read before."""
    data = event.data
    if state.turn is not None and state.turn.id == data.turn_id:
        return state
    taken = tuple(message for message in state.pending if message.event_id in data.event_ids)
    if not taken:
        return state
    # What is left out of a turn that answers later messages is gone (see ``Waiting``).
    rest = tuple(message for message in state.pending if message.seq > taken[-1].seq)
    history.release(tuple(message for message in state.pending if message not in (*taken, *rest)), scope)
    state = replace(state, pending=rest)
    if told(scope.memory, message_id_of(data.turn_id)) & ANSWERED:
        history.release(taken, scope)
        return history.trim(state, scope)
    turn = Turn(data.turn_id, _newest_token_only(taken), requested_at=event.recorded_at, deadline=data.deadline)
    return replace(state, turn=turn)


def _newest_token_only(messages: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """Of a turn's reply tokens the newest lives longest, and one is enough."""
    newest = max((message.seq for message in messages if message.reply_token), default=None)
    return tuple(
        message if message.seq == newest or message.reply_token is None else replace(message, reply_token=None)
        for message in messages
    )


def on_reply_generated(state: State, event: Event[ReplyGenerated], scope: Scope) -> State:
    """The turn closes; what the answer says and what it tells about the person stay."""
    answer = event.data.content
    if _is_answered(state, event.data.turn_id, scope):
        return state
    state = close_turn(state, event.data.turn_id, scope)
    state = replace(state, preferences=_merged(state.preferences, answer.user_insights))
    text = answer.response_text.strip()
    if not text and answer.flex_content is None and answer.keyboard is None:
        return history.trim(state, scope)
    return spoken(
        state,
        Entry(
            role="assistant",
            text=text,
            at=format_time(event.occurred_at),
            kind=answer.response_type,
            message_id=message_id_of(event.data.turn_id),
            confidence=answer.confidence,
        ),
        scope,
    )


def on_reply_failed(state: State, event: Event[ReplyFailed], scope: Scope) -> State:
    """The turn closes with an apology."""
    if _is_answered(state, event.data.turn_id, scope):
        return state
    state = close_turn(state, event.data.turn_id, scope)
    text = wording.apology(wording.spoken_language(state.preferences, state.language))
    return spoken(
        state,
        Entry("assistant", text, format_time(event.occurred_at), message_id=message_id_of(event.data.turn_id)),
        scope,
    )


def spoken(state: State, entry: Entry, scope: Scope) -> State:
    """Something that the business's side says goes into the history."""
    state, _ = history.append(in_session(state, scope), history.cut(entry, scope), scope)
    return history.trim(state, scope)


def close_turn(state: State, turn_id: str, scope: Scope) -> State:
    """Mark a turn as answered, and end it if it is the open one."""
    tell(scope.memory, message_id_of(turn_id), ANSWERED, expires_at_ms=scope.forget_at)
    if state.turn is None or state.turn.id != turn_id:
        return state
    history.release(state.turn.messages, scope)
    return replace(state, turn=None)


def on_input_ignored(state: State, event: Event[InputIgnored], scope: Scope) -> State:
    """Our own decision to leave a waiting message unanswered; what a connector ignored names no event of ours."""
    event_id = event.data.metadata.get("event_id")
    dropped = tuple(message for message in state.pending if message.event_id == event_id)
    if not dropped:
        return state
    history.release(dropped, scope)
    pending = tuple(message for message in state.pending if message.event_id != event_id)
    return history.trim(replace(state, pending=pending), scope)


def on_profile(state: State, event: Event[ProfileUpdated], scope: Scope) -> State:
    """The profile's language and name count as long as nobody said otherwise."""
    profile = {"language": event.data.language, "name": event.data.content.get("name")}
    news = {name: value for name, value in profile.items() if value and name not in state.preferences}
    if state.session_start is None or not news:
        return state
    return replace(state, preferences=_merged(state.preferences, news))


def _is_answered(state: State, turn_id: str, scope: Scope) -> bool:
    """Whether an answer of this turn was read before; the open turn's was not, which saves looking."""
    if state.turn is not None and state.turn.id == turn_id:
        return False
    return bool(told(scope.memory, message_id_of(turn_id)) & ANSWERED)


def _merged(preferences: dict[str, Any], insights: dict[str, Any]) -> dict[str, Any]:
    merged = preferences
    for name, value in insights.items():
        if wording.is_storable(value):
            grown = merged | {name: value}
            merged = grown if len(msgspec.msgpack.encode(grown)) <= PREFERENCES_BYTES_MAX else merged
    return merged
