"""Conversations that move, on one log: what the tests of identities share."""

from collections.abc import Iterable
from typing import Any

from connectors.registry import platform_named
from schemas.content import TextContent
from schemas.envelope import AnyEvent
from schemas.events import (
    EventData,
    IdentityChanged,
    MessageReceived,
    ReplyGenerated,
    wire_name,
)
from schemas.identities import Identity
from schemas.ids import derived_id, event_id
from schemas.outbound import OutboundMessage
from schemas.registry import EVENT_MODELS, decode_command, decode_event, encode
from schemas.replies import AIAnswer, ReplyRequest
from streams.channels import Channels
from streams.conversation.fold import differences, fold
from streams.conversation.history import entries_of
from streams.conversation.model import State, decode_state
from streams.conversation.policy import limits_of
from streams.engine.api import Output, Record
from streams.settings import Settings
from streams.stages.converse import Converse
from tests.harness.memory_view import MemoryTable
from tests.unit.conversation_world import START_MS, TOPICS

OLD, NEW, LAST = "111", "US.222", "US.333"


class Town:
    """Conversations of one channel on one log, which the stage reads record by record until all has been read."""

    def __init__(self, platform: str = "line", **settings: Any) -> None:
        self.platform = platform
        self.channel = f"{platform_named(platform).prefix}shop_"
        self.limits = limits_of(Settings(**settings))
        self.stage = Converse(TOPICS, Settings(**settings), Channels(()), clock=lambda: self.now / 1000)
        self.table = MemoryTable()
        self.log: list[Record] = []
        self.outputs: list[Output] = []
        self.now = START_MS
        self._read_to = 0
        self._count = 0

    def event(self, peer: str, data: EventData, *, cause: str | None = None) -> AnyEvent:
        self._count += 1
        kind = wire_name(type(data))
        identity = derived_id(cause, kind) if cause else event_id(self.platform, "shop", kind, str(self._count))
        return EVENT_MODELS[kind](
            id=identity,
            type=kind,
            conversation_id=f"{self.channel}{peer}",
            platform=self.platform,
            channel="shop",
            occurred_at=self.now,
            recorded_at=self.now,
            causation_id=cause,
            correlation_id=cause or identity,
            data=data,
        )

    def said(
        self, peer: str, text: str, *aliases: str, message_id: str = "", metadata: dict[str, Any] | None = None
    ) -> AnyEvent:
        metadata = metadata or ({"aliases": list(aliases)} if aliases else {})
        return self.event(
            peer,
            MessageReceived(
                message_id=message_id or text,
                sender_id=peer,
                recipient_id="shop",
                content=TextContent(text=text),
                metadata=metadata,
            ),
        )

    def changed(self, peer: str, new: str, *, old: str | None = None) -> AnyEvent:
        return self.event(peer, IdentityChanged(old_identity=old or peer, new_identity=new, cause="number"))

    def replied(self, peer: str, turn_id: str, text: str = "yes") -> AnyEvent:
        answer = AIAnswer(response_text=text, user_insights={"name": f"of {peer}"})
        data = ReplyGenerated(turn_id=turn_id, content=answer, asked_at=1.0, answered_at=2.0)
        return self.event(peer, data, cause=turn_id)

    def append(self, *events: AnyEvent) -> None:
        for event in events:
            key = event.conversation_id.encode()
            self.log.append(Record(TOPICS.events, 0, len(self.log), self.now, key, encode(event)))

    def hear(self, *events: AnyEvent) -> list[AnyEvent]:
        """The stage reads these events and what follows from them; returns what it wrote to the log."""
        self.append(*events)
        began = len(self.outputs)
        while self._read_to < len(self.log):
            record = self.log[self._read_to]
            self._read_to += 1
            made = self.table.step(self.stage, [record])
            self.outputs += made
            self.append(*(decode_event(output.value) for output in made if output.topic == TOPICS.events))
        return [decode_event(out.value) for out in self.outputs[began:] if out.topic == TOPICS.events]

    def wait(self, milliseconds: int) -> None:
        end = self.now + milliseconds
        while due := list(self.table.due(end)):
            key, name, at = due[0]
            self.now = max(self.now, at)
            self.hear(decode_event(self.stage.timer_output(key, name, at).value))
        self.now = end

    def state(self, peer: str) -> State:
        return decode_state(self.table.view(f"{self.channel}{peer}".encode()).get())

    def lines(self, peer: str) -> list[str]:
        return [entry.text for _, entry in entries_of(self.table.view(f"{self.channel}{peer}".encode()))]

    @property
    def requests(self) -> list[ReplyRequest]:
        found = [output for output in self.outputs if output.topic == TOPICS.ai_requests]
        return [decode_command(output.value, ReplyRequest) for output in found]

    @property
    def messages(self) -> list[OutboundMessage]:
        found = [output for output in self.outputs if output.topic == TOPICS.outbound("line")]
        return [decode_command(output.value, OutboundMessage) for output in found]

    @property
    def identities(self) -> dict[str, str]:
        """What is on ``iris.identities`` after compaction."""
        found = [output for output in self.outputs if output.topic == TOPICS.identities]
        return {out.key.decode(): decode_command(out.value, Identity).conversation_id for out in found}

    def disagreements(self) -> list[str]:
        events = [decode_event(record.value) for record in self.log]
        return differences(self.table.dump(), fold(events, self.limits))


def places(events: Iterable[AnyEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.conversation_id.rpartition("_")[2]) for event in events]


def answered(town: Town, peer: str, text: str) -> OutboundMessage:
    """A message and its answer."""
    town.hear(town.said(peer, text))
    town.hear(town.replied(peer, town.requests[-1].id, f"re {text}"))
    return town.messages[-1]
