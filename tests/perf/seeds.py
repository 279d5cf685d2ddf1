"""Conversations for the converse stage: a state as the stage itself makes it, cloned, and turns that go on from it.

The stage runs on a table in memory; what its table holds after so many messages is written to the changelog under as
many conversation ids as wanted, which is how a worker would find it after a restart.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.interface import Channel
from schemas import headers
from schemas.content import TextContent
from schemas.envelope import AnyEvent
from schemas.events import EventData, MessageReceived, MessageSent, ReplyGenerated, SendStarted, wire_name
from schemas.ids import derived_id, event_id
from schemas.registry import EVENT_MODELS, decode_event, encode
from schemas.replies import AIAnswer
from streams.app import BUILDERS, build_topics
from streams.channels import Channels
from streams.engine import keys
from streams.engine.api import PureStage, Record
from streams.engine.writer import WireRecord
from streams.settings import Settings
from tests.harness.memory_view import MemoryTable

PLATFORM, CHANNEL = "line", "shop"
QUESTION = "hello, where is my parcel? " * 2
ANSWER = "an answer of ordinary length, as people get them every day"
NEW_TEXT_BYTES = len(QUESTION) + len(ANSWER)
"""What a turn adds to a conversation."""
EVENTS_OF_A_TURN = 4
"""That come from outside; the stage adds its own."""


def conversation(number: int) -> bytes:
    """Id of one of the seeded conversations."""
    return f"line_shop_U{number:032d}".encode()


@dataclass(frozen=True)
class LogRecord:
    """A record for the log: key and wire form."""

    key: bytes
    wire: WireRecord


class Author:
    """Writes turns, and runs the stage on them in memory to learn the ids that it will give."""

    def __init__(self, settings: Settings) -> None:
        topics = build_topics(settings)
        self._log = topics.events
        self._stage: PureStage = BUILDERS["converse"](settings, topics, Channels((Channel(CHANNEL, PLATFORM, {}),)))

    def seed(self, messages: int, now_ms: int) -> MemoryTable:
        """A table with conversation 0 after so many messages of both sides, the last of them a minute old."""
        table = MemoryTable()
        turns = messages // 2
        for number in range(turns):
            self.turn(table, conversation(0), f"seed-{number}", now_ms - (turns - number) * 60_000)
        return table

    def turn(self, table: MemoryTable, key: bytes, name: str, now_ms: int) -> list[LogRecord]:
        """The four events of one more turn, in order; the table is that of after it. Ids follow from ``name``."""
        said = MessageReceived(
            message_id=name, sender_id="person", recipient_id=CHANNEL, content=TextContent(text=QUESTION)
        )
        received = _event(
            key, said, identity=event_id(PLATFORM, CHANNEL, "message_received", f"{key!r}{name}"), at=now_ms
        )
        (requested,) = self._step(table, received)
        answer = AIAnswer(response_text=ANSWER, response_type="text", confidence=0.9)
        seconds = now_ms / 1000
        reply = ReplyGenerated(
            turn_id=requested.data.turn_id, content=answer, asked_at=seconds, answered_at=seconds, own_ms_before_ai=5.0
        )
        replied = _event(key, reply, cause=reply.turn_id, at=now_ms)
        (planned,) = self._step(table, replied)
        message_id, parts = planned.data.message_id, planned.data.part_ids
        starting = SendStarted(message_id=message_id, part_ids=parts, attempt=1, method="push")
        started = _event(key, starting, cause=message_id, at=now_ms)
        done = MessageSent(message_id=message_id, part_ids=parts, platform_message_ids=(name,), method="push")
        sent = _event(key, done, cause=message_id, at=now_ms)
        self._step(table, started)
        self._step(table, sent)
        return [_log_record(event) for event in (received, replied, started, sent)]

    def _step(self, table: MemoryTable, event: AnyEvent) -> list[AnyEvent]:
        """The events with which the stage answers."""
        key = event.conversation_id.encode()
        offset = table.view(key).position + 1
        record = Record(self._log, 0, offset, event.recorded_at, key, encode(event), ())
        made = table.step(self._stage, [record])
        return [decode_event(output.value) for output in made if output.topic == self._log]


def clone(seed: MemoryTable, number: int) -> MemoryTable:
    """A table in which the seed's conversation is the one of that number."""
    table = MemoryTable()
    view, origin = table.view(conversation(number)), seed.view(conversation(0)).copy()
    view.values, view.names, view.timers = origin.values, origin.names, origin.timers
    return table


def changelog(seed: MemoryTable, conversations: int) -> Iterator[tuple[bytes, WireRecord]]:
    """The seed's keys under so many conversation ids, as (conversation key, changelog record). Position 0: everything
    that is written to the log afterwards is newer, but for the first record of each partition."""
    origin = seed.view(conversation(0))
    position = (headers.POSITION, b"0")
    values = [
        (name, data, [position] if expires_at is None else [position, (headers.EXPIRES_AT, b"%d" % expires_at)])
        for name, (data, expires_at) in origin.values.items()
    ]
    values += [(keys.TIMER + name.encode(), keys.pack_due(due), [position]) for name, due in origin.timers.items()]
    for number in range(conversations):
        key = conversation(number)
        for name, data, wire_headers in values:
            yield key, (keys.full_key(key, name), data, wire_headers)


def _event(key: bytes, data: EventData, *, at: int, identity: str = "", cause: str | None = None) -> AnyEvent:
    kind = wire_name(type(data))
    if cause is not None:
        identity = derived_id(cause, kind)
    return EVENT_MODELS[kind](
        id=identity,
        type=kind,
        conversation_id=key.decode(),
        platform=PLATFORM,
        channel=CHANNEL,
        occurred_at=at,
        recorded_at=at,
        causation_id=cause,
        correlation_id=cause or identity,
        data=data,
    )


def _log_record(event: AnyEvent) -> LogRecord:
    key = event.conversation_id.encode()
    wire_headers = [
        (headers.SCHEMA, f"{event.type}/{event.version}".encode()),
        (headers.CHANNEL, CHANNEL.encode()),
        (headers.RECEIVED_AT, b"%d.000" % event.recorded_at),
    ]
    return LogRecord(key, (key, encode(event), wire_headers))
