"""converse: reads ``iris.conversation.events``; writes it, ``iris.ai.requests``, ``iris.outbound.<platform>``,
``iris.fetch`` and ``iris.identities``.

Its table is the state of every conversation, a fold of the log. Each record is folded, what follows from it is decided
and folded at once, and written; when the stage reads its own events back they change nothing.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from connectors.interface import AnonymousReports, Platform
from connectors.registry import platforms
from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.events import EventRejected, TimerFired, wire_name
from schemas.ids import derived_id, split_conversation_id
from schemas.registry import EVENT_MODELS, SchemaError, decode_event
from schemas.replies import PlatformConfig
from streams.channels import Channels
from streams.conversation.memory import INBOUND, UUID, uuid_key
from streams.conversation.model import BLANK, State, decode_state, encode_state
from streams.conversation.moves import NO_MOVE, passed_on
from streams.conversation.policy import Limits, Policy, Rules, limits_of, policy_of
from streams.conversation.state import HANDLERS
from streams.conversation.step import advance
from streams.engine.api import Headers, Output, Poison, Record, View
from streams.engine.seeded import seeded
from streams.settings import Settings
from streams.stages.converse_outputs import Outputs
from streams.topics import Topics

REMEMBERED = frozenset(HANDLERS) - {"timer_fired"}
"""Types whose ids are remembered when they come from outside, that is, without a cause in the log: platforms deliver
again for days. A copy of what a stage wrote has no effect anyway, and a timer acts once."""

STARTS_TURN = frozenset(("message_received", "choice_made"))
"""Only from these the time of acceptance is handed on: it measures our own time, not a wait for an earlier answer."""

DECISIONS_MAX = 4_096
"""Decisions on their way through the log that are known again; one that was forgotten is folded once more, without any
effect, like every decision of another worker."""

ERROR_TEXT_CHARS_MAX = 500


class Converse:
    """Implements ``PureStage``. Raises SettingsError where a channel's policy is not one.

    ``clock`` (seconds) is read only to say in the log when a timer was noticed; nothing is decided by it.
    """

    name = "converse"
    has_table = True

    def __init__(
        self, topics: Topics, settings: Settings, channels: Channels, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.reads: tuple[str, ...] = (topics.events,)
        self._outputs = Outputs(topics)
        self._clock = clock
        self._limits = limits_of(settings)
        self._policies = {(channel.platform, channel.id): policy_of(channel) for channel in channels.all}
        self._rules = cache(self._make_rules)
        self._decided: dict[bytes, None] = {}

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        """Outputs of the records in their order; the state is written once, last, so that it vouches for all others."""
        before = state = decode_state(view.get())
        outputs: list[Output] = []
        for record in records:
            if record.value in self._decided:
                # Our own decision comes back; it was folded when it was made.
                del self._decided[record.value]
                if state.moved is None:
                    continue
            event = _decode(record, view.key)
            moved = passed_on(state, event)
            if moved is not None:
                # Not remembered here: the conversation may come back, and then it is read here after all.
                outputs.append(self._outputs.event(moved, _passed_on(record, event)))
                continue
            if _is_copy(view, event, record, self._limits):
                continue
            step = advance(state, event, view, self._rules(event.platform, event.channel))
            if event.type == "timer_fired":
                # What the engine announces and the state does not have would be announced again and again.
                view.set_timer(event.data.name, step.state.timers.get(event.data.name))
            state = step.state
            if step.events or step.commands or step.led_on or step.move is not NO_MOVE:
                made = list(self._outputs.of_step(step, _passed_on(record, event)))
                self._remember(made[: len(step.events)])
                outputs += made
            outputs += [self._outputs.stray(view, record, event_id, value) for event_id, value in step.strays.items()]
        if state is not before:
            _write(view, before, state)
        return outputs

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """`event_rejected`: every later fold skips the event, as this one did. Nothing for a key that is no
        conversation's."""
        try:
            conversation_id = record.key.decode()
            platform, channel = _owner(conversation_id)
        except ValueError:
            return []
        rejected = _event_id(record)
        data = EventRejected(
            event_id=rejected, error_class=type(error).__name__, error_text=str(error)[:ERROR_TEXT_CHARS_MAX]
        )
        own = Own(conversation_id, platform, channel, record.timestamp_ms)
        return [self._outputs.event(own.event(data, identity=derived_id(rejected, "event_rejected")), ())]

    def timer_output(self, key: bytes, name: str, due_ms: int) -> Output:
        """`timer_fired`, told again with the same id until it has been read. Its time is that of the first telling, so
        that after an outage the conversation does not go on in the past."""
        conversation_id = key.decode()
        own = Own(conversation_id, *_owner(conversation_id), max(due_ms, int(self._clock() * 1000)))
        identity = derived_id(conversation_id, f"timer:{name}", due_ms)
        return self._outputs.event(own.event(TimerFired(name=name, due_at=due_ms), identity=identity), ())

    def _remember(self, decisions: Sequence[Output]) -> None:
        """What this process has decided about a conversation, and folded, need not be read again."""
        self._decided.update((decision.value, None) for decision in decisions)
        while len(self._decided) > DECISIONS_MAX:
            del self._decided[next(iter(self._decided))]

    def _make_rules(self, platform: str, channel: str) -> Rules:
        """A channel or platform that is configured no more still has a log."""
        known = platforms().get(platform)
        policy = self._policies.get((platform, channel), Policy())
        if known is None:
            return Rules(self._limits, policy, NO_CONFIG)
        may_be_anonymous = known.may_report_anonymously if isinstance(known, AnonymousReports) else None
        can_quote = known.capabilities.get("quotes") is True
        return Rules(self._limits, policy, _config(known), can_quote=can_quote, may_be_anonymous=may_be_anonymous)


class Own(NamedTuple):
    """Where an event belongs that follows from no other: that of a timer, that of a rejection."""

    conversation_id: str
    platform: str
    channel: str
    at: int

    def event(self, data: EventRejected | TimerFired, *, identity: str) -> AnyEvent:
        """That event."""
        kind = wire_name(type(data))
        return EVENT_MODELS[kind](
            id=identity,
            type=kind,
            conversation_id=self.conversation_id,
            platform=self.platform,
            channel=self.channel,
            occurred_at=self.at,
            recorded_at=self.at,
            data=data,
        )


NO_CONFIG = PlatformConfig(max_retries=1, timeout=5.0).model_dump(mode="json")
"""For a platform that is installed no more: its log can still be folded."""


def _config(platform: Platform) -> dict[str, Any]:
    attempts = platform.attempts
    config = PlatformConfig(
        max_retries=attempts.count, timeout=attempts.timeout_s, capabilities=dict(platform.capabilities)
    )
    return config.model_dump(mode="json")


def _decode(record: Record, key: bytes) -> AnyEvent:
    """The event of a record; raises Poison where it is none, or belongs to another conversation."""
    try:
        event = decode_event(record.value)
    except SchemaError as error:
        raise Poison(str(error), record) from error
    if event.conversation_id.encode() != key:
        raise Poison(f"the event is of {event.conversation_id}, its record is keyed otherwise", record)
    return event


def _is_copy(view: View, event: AnyEvent, record: Record, limits: Limits) -> bool:
    """Whether this event was read before, or rejected; remembers it otherwise.

    The mark names the offset: a record that is read again after a crash is not a copy of itself, and its effects are
    not yet in the state, or the engine would have left it out.
    """
    if seeded("deduplication_off"):
        return False
    expires_at_ms = record.timestamp_ms + limits.memory_ms
    if event.type == "event_rejected" and UUID.fullmatch(event.data.event_id):
        view.put(uuid_key(INBOUND, event.data.event_id), b"", expires_at_ms=expires_at_ms)
    if event.causation_id is not None or event.type not in REMEMBERED:
        return False
    try:
        name, place = uuid_key(INBOUND, event.id), b"%d" % record.offset
    except ValueError as error:
        raise Poison(f"the event's id: {error}", record) from error
    seen_at = view.get(name)
    if seen_at is None:
        view.put(name, place, expires_at_ms=expires_at_ms)
    return seen_at is not None and seen_at != place


def _passed_on(record: Record, event: AnyEvent) -> Headers:
    wanted = (names.TRACEPARENT, names.RECEIVED_AT) if event.type in STARTS_TURN else (names.TRACEPARENT,)
    return tuple((name, value) for name, value in record.headers if name in wanted)


def _write(view: View, before: State, after: State) -> None:
    """Timers as the state has them, then the state itself; the blank state is the absent key."""
    for name in before.timers.keys() - after.timers.keys():
        view.set_timer(name, None)
    for name, due in after.timers.items():
        if before.timers.get(name) != due:
            view.set_timer(name, due)
    if after == BLANK:
        view.delete()
    else:
        view.put(b"", encode_state(after))


def _owner(conversation_id: str) -> tuple[str, str]:
    """(platform, channel) of a conversation id; raises ValueError where no platform has its prefix."""
    prefix, channel, _ = split_conversation_id(conversation_id)
    for name, platform in platforms().items():
        if platform.prefix == prefix:
            return name, channel
    raise ValueError(f"{conversation_id!r}: no platform has the prefix {prefix!r}")


def _event_id(record: Record) -> str:
    """The id that a record claims, or its place on the topic where nothing can be read."""
    try:
        claimed = orjson.loads(record.value).get("id")
    except (orjson.JSONDecodeError, AttributeError):
        claimed = None
    return claimed if isinstance(claimed, str) else f"{record.topic}-{record.partition}-{record.offset}"
