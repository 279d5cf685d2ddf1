"""Decisions: what follows from an event. Pure; reads the state before and after it, makes events and messages.

Ids derive from the cause, times from the conversation's own `now`, so that the same log always leads to the same
decisions, byte for byte.
"""

from dataclasses import dataclass, field

from schemas.envelope import AnyEvent
from schemas.events import (
    ConversationExpired,
    EventData,
    HumanReleased,
    HumanTookOver,
    InputIgnored,
    MessagePlanned,
    MessageSuppressed,
    ReplyFailed,
    ReplyRequested,
    wire_name,
)
from schemas.ids import derived_id, split_conversation_id
from schemas.outbound import OutboundMessage, Part
from schemas.registry import EVENT_MODELS
from schemas.replies import AIAnswer
from streams.conversation import media, wording
from streams.conversation.amendments import AMENDMENTS
from streams.conversation.humans import ECHO, LEASE
from streams.conversation.model import State, Turn
from streams.conversation.policy import Rules
from streams.conversation.quotes import quoted
from streams.conversation.reply import parts_of
from streams.conversation.sends import is_sending
from streams.conversation.turns import message_id_of

ECHOES_MAX = 16
"""Unclaimed echoes of one conversation; beyond it the oldest counts as a human's."""

PENDING_OVERFLOW = "pending_overflow"
ORPHANED = "orphan"
ABANDONED = "abandoned"
"""Reasons told in the log."""

_TYPES: dict[type[EventData], str] = {
    model: wire_name(model)
    for model in (
        ConversationExpired,
        HumanReleased,
        HumanTookOver,
        InputIgnored,
        MessagePlanned,
        MessageSuppressed,
        ReplyFailed,
        ReplyRequested,
    )
}


@dataclass(slots=True)
class Decision:
    """Events for the log, in order, and messages to be sent."""

    events: list[AnyEvent] = field(default_factory=list)
    messages: list[OutboundMessage] = field(default_factory=list)


def decide(before: State, after: State, event: AnyEvent, rules: Rules) -> Decision:
    """What follows from an event, but for the next turn (``begin_turn``), which also depends on this."""
    case = _Case(before, after, event, rules, now=max(before.now, event.recorded_at))
    if event.type in ("reply_generated", "reply_failed"):
        case.answer()
    elif event.type == "timer_fired":
        case.end()
    if after.echoes:
        case.judge_echoes()
    if before.orphans and event.type in ("timer_fired", "delivery_reported", *AMENDMENTS):
        case.give_up_orphans()
    case.bound_pending()
    return case.made


def begin_turn(state: State, event: AnyEvent, rules: Rules) -> AnyEvent | None:
    """The request for an answer to all that waits; None while a turn is open or nothing waits, as under a lease, and
    for a moment while the media that it would ask about is on its way to us."""
    now = max(state.now, event.recorded_at)
    waiting = [message for message in state.pending if not message.is_gone]
    if state.turn is not None or not waiting or media.is_awaited(state, waiting):
        return None
    first = waiting[0].event_id
    data = ReplyRequested(
        turn_id=derived_id(first, "turn"),
        event_ids=tuple(message.event_id for message in waiting),
        deadline=now + rules.limits.turn_ms,
        policy_version=rules.policy.version,
    )
    return _follow(event, data, now=now, correlation_id=first)


@dataclass(slots=True)
class _Case:
    """One event with the state on both sides of it, and what is made of it."""

    before: State
    after: State
    event: AnyEvent
    rules: Rules
    now: int
    made: Decision = field(default_factory=Decision)

    def answer(self) -> None:
        """The open turn's answer, or an apology, as a message; what must not be sent now is told as suppressed."""
        turn, event = self.before.turn, self.event
        if turn is None or turn.id != event.data.turn_id:
            return
        has_failed = event.type == "reply_failed"
        answer = AIAnswer(response_text=wording.apology(self.language)) if has_failed else event.data.content
        message_id = message_id_of(turn.id)
        parts = parts_of(answer, message_id=message_id)
        if not parts:
            return
        part_ids = tuple(part.id for part in parts)
        planned = MessagePlanned(
            message_id=message_id,
            turn_id=turn.id,
            part_ids=part_ids,
            content=parts,
            origin="system" if has_failed else "bot",
            policy_version=self.rules.policy.version,
        )
        self.tell(planned, correlation_id=turn.messages[0].event_id)
        reason = "human" if self.after.is_leased(self.now) else "unreachable" if self.after.is_unreachable else None
        if reason is None:
            self.made.messages.append(self.message(turn, parts))
        else:
            suppressed = MessageSuppressed(message_id=message_id, part_ids=part_ids, reason=reason)
            self.tell(suppressed, correlation_id=turn.messages[0].event_id)

    def message(self, turn: Turn, parts: tuple[Part, ...]) -> OutboundMessage:
        """The command for `send`."""
        event = self.event
        with_token = next((message for message in turn.messages if message.reply_token), None)
        has_answer = event.type == "reply_generated"
        policy = self.rules.policy
        newest = next((message for message in reversed(turn.messages) if message.message_id), None)
        read = newest if policy.mark_read else None
        quote = quoted(turn, self.after, self.rules)
        return OutboundMessage(
            id=message_id_of(turn.id),
            conversation_id=event.conversation_id,
            platform=event.platform,
            channel=event.channel,
            peer=split_conversation_id(event.conversation_id)[2],
            parts=parts,
            reply_to=quote.message_id if quote else None,
            quote_token=quote.quote_token if quote else None,
            reply_token=with_token.reply_token if with_token else None,
            reply_token_at=with_token.received_at if with_token else None,
            callback_ids=tuple(message.callback_id for message in turn.messages if message.callback_id),
            typing=policy.typing,
            mark_read=read.message_id if read else None,
            read_token=read.read_token if read else None,
            last_inbound_at=self.after.last_inbound_at,
            origin="bot" if has_answer else "system",
            causation_id=event.id,
            correlation_id=turn.messages[0].event_id,
            created_at=self.now,
            received_at=max(message.received_at for message in turn.messages),
            own_ms_before_ai=event.data.own_ms_before_ai if has_answer else None,
            answered_at=event.data.answered_at if has_answer else None,
            language=self.language,
        )

    def end(self) -> None:
        """A timer ended something: say so in the log."""
        before, after = self.before, self.after
        if before.turn is not None and after.turn is None:
            failed = ReplyFailed(turn_id=before.turn.id, reason=ABANDONED, attempts=0)
            self.tell(failed, correlation_id=before.turn.messages[0].event_id)
        if before.session_start is not None and after.session_start is None:
            self.tell(ConversationExpired(last_message_at=before.last_message_at or before.session_start))
        if before.lease is not None and after.lease is None:
            self.tell(HumanReleased(how=LEASE))

    def judge_echoes(self) -> None:
        """While a call of ours is under way an echo may be its own; only otherwise is it a human's."""
        may_be_ours = is_sending(self.after)
        until = self.now + self.rules.policy.lease_ms
        for number, echo in enumerate(self.after.echoes, 1):
            is_kept = number > len(self.after.echoes) - ECHOES_MAX
            if echo.is_human or not may_be_ours or not is_kept:
                took_over = _follow(self.event, HumanTookOver(until=until, how=ECHO), now=self.now)
                # It follows from the echo, even where the outcome of a send decided that it does.
                update = {
                    "id": derived_id(echo.event_id, took_over.type),
                    "causation_id": echo.event_id,
                    "correlation_id": echo.event_id,
                }
                self.made.events.append(took_over.model_copy(update=update))

    def give_up_orphans(self) -> None:
        """What left without having found its message."""
        left = {orphan.event_id for orphan in self.after.orphans}
        for orphan in self.before.orphans:
            if orphan.event_id not in left:
                self.ignore(ORPHANED, orphan.event_id)

    def bound_pending(self) -> None:
        """The oldest messages leave a turn that has grown too long."""
        for message in self.after.pending[: max(0, len(self.after.pending) - self.rules.limits.pending_messages_max)]:
            self.ignore(PENDING_OVERFLOW, message.event_id)

    @property
    def language(self) -> str | None:
        """The person's, as far as it is known."""
        return wording.spoken_language(self.after.preferences, self.after.language)

    def ignore(self, reason: str, event_id: str) -> None:
        """An event that has no effect, and why."""
        self.tell(InputIgnored(reason=reason, native_kind=self.event.type, metadata={"event_id": event_id}))

    def tell(self, data: EventData, *, correlation_id: str | None = None) -> None:
        """Add an event to the log; its place among the others makes its id."""
        ordinal = len(self.made.events)
        self.made.events.append(_follow(self.event, data, now=self.now, correlation_id=correlation_id, ordinal=ordinal))


def _follow(
    cause: AnyEvent, data: EventData, *, now: int, correlation_id: str | None = None, ordinal: int = 0
) -> AnyEvent:
    """An event that follows from another; without a turn of its own it belongs to that of its cause."""
    kind = _TYPES[type(data)]
    return EVENT_MODELS[kind](
        id=derived_id(cause.id, kind, ordinal),
        type=kind,
        conversation_id=cause.conversation_id,
        platform=cause.platform,
        channel=cause.channel,
        occurred_at=now,
        recorded_at=now,
        causation_id=cause.id,
        correlation_id=correlation_id or cause.correlation_id or cause.id,
        data=data,
    )
