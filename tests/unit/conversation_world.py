"""One conversation under test: the stage `converse` on a table in memory, with the log that it reads and writes.

``Talk.hear`` appends an event to the log and lets the stage read it and everything that it wrote itself. What the stage
decided is returned, decoded. Time stands still unless a test moves ``now``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.interface import Channel
from schemas import headers
from schemas.content import ChoiceContent, Content, TextContent
from schemas.envelope import AnyEvent
from schemas.events import (
    EVENT_DATA,
    ChoiceMade,
    EventData,
    MessageEchoed,
    MessageFailed,
    MessagePlanned,
    MessageReceived,
    MessageSent,
    MessageUnknown,
    ReplyFailed,
    ReplyGenerated,
    SendStarted,
    wire_name,
)
from schemas.fetching import FetchRequest
from schemas.ids import derived_id, event_id
from schemas.outbound import OutboundMessage
from schemas.registry import EVENT_MODELS, decode_command, decode_event, encode
from schemas.replies import AIAnswer, ReplyRequest
from streams.channels import Channels
from streams.conversation.fold import differences, fold
from streams.conversation.history import Entry, entries_of
from streams.conversation.model import State, decode_state
from streams.conversation.policy import limits_of
from streams.engine.api import Output, Record
from streams.settings import Settings
from streams.stages.converse import Converse
from streams.topics import Topics
from tests.harness.memory_view import MemoryTable, MemoryView

START_MS = 1_790_000_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PERSON = "U4af"
CONVERSATION = f"line_shop_{PERSON}"
TOPICS = Topics("iris.", ("line",))


@dataclass
class Answer:
    """What the stage wrote in answer to some events."""

    outputs: list[Output] = field(default_factory=list)

    @property
    def events(self) -> list[AnyEvent]:
        return [decode_event(output.value) for output in self.outputs if output.topic == TOPICS.events]

    @property
    def requests(self) -> list[ReplyRequest]:
        outputs = [output for output in self.outputs if output.topic == TOPICS.ai_requests]
        return [decode_command(output.value, ReplyRequest) for output in outputs]

    @property
    def messages(self) -> list[OutboundMessage]:
        outputs = [output for output in self.outputs if output.topic == TOPICS.outbound("line")]
        return [decode_command(output.value, OutboundMessage) for output in outputs]

    @property
    def fetches(self) -> list[FetchRequest]:
        outputs = [output for output in self.outputs if output.topic == TOPICS.fetch]
        return [decode_command(output.value, FetchRequest) for output in outputs]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    def event(self, kind: str) -> AnyEvent:
        """The only event of that type."""
        (found,) = (event for event in self.events if event.type == kind)
        return found


class Talk:
    """The conversation; ``log`` is the topic, ``now`` what `recorded_at` of the next event will be."""

    def __init__(self, *, policy: Mapping[str, Any] | None = None, **settings: Any) -> None:
        channels = Channels((Channel("shop", "line", {}, policy=policy or {}),))
        self.stage = Converse(TOPICS, Settings(**settings), channels, clock=lambda: self.now / 1000)
        self.limits = limits_of(Settings(**settings))
        self.table = MemoryTable()
        self.log: list[Record] = []
        self.now = START_MS
        self._read_to = 0
        self._count = 0

    @property
    def view(self) -> MemoryView:
        return self.table.view(CONVERSATION.encode())

    @property
    def state(self) -> State:
        return decode_state(self.view.get())

    @property
    def history(self) -> list[Entry]:
        return [entry for _, entry in entries_of(self.view)]

    @property
    def lines(self) -> list[str]:
        return [entry.text for entry in self.history]

    def hear(self, *events: AnyEvent, at_once: bool = False) -> Answer:
        """Append events and let the stage read them, and what follows from them, until the log has been read."""
        for event in events:
            self.append(encode(event))
        answer = Answer()
        while self._read_to < len(self.log):
            size = len(self.log) - self._read_to if at_once else 1
            records = self.log[self._read_to : self._read_to + size]
            self._read_to += size
            made = self.table.step(self.stage, records)
            answer.outputs += made
            for output in made:
                if output.topic == TOPICS.events:
                    self.append(output.value)
        return answer

    def append(self, value: bytes, *, key: str = CONVERSATION) -> Record:
        """Put a record on the log; the stage does not read it yet."""
        carried = ((headers.RECEIVED_AT, b"1790000000000.5"), (headers.TRACEPARENT, b"00-1-2-01"))
        record = Record(TOPICS.events, 0, len(self.log), self.now, key.encode(), value, carried)
        self.log.append(record)
        return record

    def wait(self, milliseconds: int) -> Answer:
        """Time passes, and timers fire when they are due."""
        answer = Answer()
        end = self.now + milliseconds
        while due := list(self.table.due(end)):
            key, name, at = due[0]
            self.now = max(self.now, at)
            answer.outputs += self.hear(decode_event(self.stage.timer_output(key, name, at).value)).outputs
        self.now = end
        return answer

    def disagreements(self) -> list[str]:
        """Between the table and a plain fold of the log."""
        events = [decode_event(record.value) for record in self.log]
        return differences(self.table.dump(), fold(events, self.limits))

    # Events. Each call makes a new one.

    def event(self, data: EventData, *, occurred_at: int | None = None, cause: str | None = None) -> AnyEvent:
        self._count += 1
        kind = wire_name(type(data))
        identity = derived_id(cause, kind) if cause else event_id("line", "shop", kind, str(self._count))
        return EVENT_MODELS[kind](
            id=identity,
            type=kind,
            conversation_id=CONVERSATION,
            platform="line",
            channel="shop",
            occurred_at=self.now if occurred_at is None else occurred_at,
            recorded_at=self.now,
            causation_id=cause,
            correlation_id=cause or identity,
            data=data,
        )

    def said(self, content: str | Content, message_id: str = "", **more: Any) -> AnyEvent:
        """A person's message; ``occurred_at`` may differ from now."""
        occurred_at = more.pop("occurred_at", None)
        content = TextContent(text=content) if isinstance(content, str) else content
        fields = {"message_id": message_id or f"m{self._count}", "sender_id": PERSON, "recipient_id": "shop"} | more
        return self.event(MessageReceived(content=content, **fields), occurred_at=occurred_at)

    def tapped(self, data: str, **more: Any) -> AnyEvent:
        return self.event(
            ChoiceMade(sender_id=PERSON, recipient_id="shop", content=ChoiceContent(data=data, title="Tap"), **more)
        )

    def replied(self, turn_id: str, text: str, **more: Any) -> AnyEvent:
        """The AI's answer to a turn."""
        content = AIAnswer(response_text=text, **more)
        data = ReplyGenerated(turn_id=turn_id, content=content, asked_at=1.0, answered_at=2.0, own_ms_before_ai=3.5)
        return self.event(data, cause=turn_id)

    def gave_up(self, turn_id: str) -> AnyEvent:
        return self.event(ReplyFailed(turn_id=turn_id, reason="timeout", attempts=3), cause=turn_id)

    def started(self, message: OutboundMessage | MessagePlanned) -> AnyEvent:
        message_id, parts = parts_of(message)
        return self.event(SendStarted(message_id=message_id, part_ids=parts, attempt=1, method="push"), cause=parts[0])

    def sent(self, message: OutboundMessage | MessagePlanned, *platform_ids: str) -> AnyEvent:
        message_id, parts = parts_of(message)
        data = MessageSent(message_id=message_id, part_ids=parts, platform_message_ids=platform_ids, method="push")
        return self.event(data, cause=parts[0])

    def failed(self, message: OutboundMessage | MessagePlanned) -> AnyEvent:
        message_id, parts = parts_of(message)
        return self.event(
            MessageFailed(message_id=message_id, part_ids=parts, attempt=1, reason="blocked"), cause=parts[0]
        )

    def unknown(self, message: OutboundMessage | MessagePlanned) -> AnyEvent:
        message_id, parts = parts_of(message)
        return self.event(
            MessageUnknown(message_id=message_id, part_ids=parts, attempt=1, reason="timeout"), cause=parts[0]
        )

    def echoed(self, message_id: str, text: str = "typed by hand", **more: Any) -> AnyEvent:
        fields = {"sender_id": "shop", "recipient_id": PERSON, "content": TextContent(text=text)} | more
        return self.event(MessageEchoed(message_id=message_id, **fields))

    # Whole exchanges.

    def ask(self, text: str = "hello", **more: Any) -> ReplyRequest:
        """A message that starts a turn."""
        (request,) = self.hear(self.said(text, **more)).requests
        return request

    def answer(self, request: ReplyRequest, text: str = "how can I help?", **more: Any) -> OutboundMessage:
        """The AI's answer to it."""
        (message,) = self.hear(self.replied(request.id, text, **more)).messages
        return message

    def deliver(self, message: OutboundMessage, *platform_ids: str) -> None:
        """`send` did its work."""
        self.hear(self.started(message), self.sent(message, *platform_ids))


def parts_of(message: OutboundMessage | MessagePlanned) -> tuple[str, tuple[str, ...]]:
    """(message id, part ids) of a command or of the event about it."""
    if isinstance(message, MessagePlanned):
        return message.message_id, message.part_ids
    return message.id, tuple(part.id for part in message.parts)


def contents(request: ReplyRequest) -> list[str]:
    """The context that the AI is told, as text."""
    return [message.content for message in request.question.context.messages]


def all_types() -> Iterable[str]:
    """Every event type there is."""
    return EVENT_DATA
