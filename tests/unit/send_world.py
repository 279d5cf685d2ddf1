"""The platform of a `send` under test, which follows a script, and the stage put together with it.

The platform keeps a journal of all calls and of what the user saw. It honours idempotency keys as the real ones do: a
repeat under a known key shows nothing new.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import SendError
from connectors.interface import (
    Accepted,
    Attempts,
    Call,
    Challenge,
    Channel,
    Field,
    Receipt,
    Unprocessable,
    WebhookRequest,
    Window,
)
from schemas.content import TemplateContent, TextContent
from schemas.envelope import AnyEvent
from schemas.ids import derived_id
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage, Part
from schemas.registry import encode
from streams.channels import Channels
from streams.delivery.courier import World
from streams.engine.api import Record
from streams.settings import Settings
from streams.stages.send import Send
from streams.topics import Topics
from tests.harness.shelf import Shelf
from tests.unit.send_view import START_S, MemoryView, SteppedClock, Table

TOKEN_LIFE_S = 50.0

TIMEOUT = SendError("no answer within 5 s", code="timeout", ambiguous=True)
BUSY = SendError("internal error", code="500", retryable=True)
BAD = SendError("bad parameter", code="100")
REVOKED = SendError("token revoked", code="190", channel_wide=True)


@dataclass
class ScriptedPlatform:
    """Plans ``packing`` parts per call, one call per ``|`` of a text; takes a reply token for the first call.

    A part whose text is empty is covered by no call.
    """

    name: str = "example"
    prefix: str = "ex_"
    answer_within_s: float = 5.0
    reply_token_life_s: float = TOKEN_LIFE_S
    fields: tuple[Field, ...] = ()
    attempts: Attempts = field(default_factory=lambda: Attempts(3, 5.0))
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    has_keys: bool = False
    packing: int = 1
    version: int = 1

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        raise AssertionError("not asked for when sending")

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        raise AssertionError("not asked for when sending")

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        raise AssertionError("not asked for when sending")

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        assert message.parts or message.callback_ids, "there is nothing to plan"
        pieces = [(part.id, text) for part in message.parts for text in _text(part).split("|") if text]
        calls = [
            Call("typing", "POST", "https://example.test/typing", {}, {"tap": callback}, (), is_visible=False)
            for callback in message.callback_ids
        ]
        for start in range(0, len(pieces), self.packing):
            taken = pieces[start : start + self.packing]
            token = window.reply_token if start == 0 else None
            body = {"to": message.peer, "texts": [text for _, text in taken], "token": token, "version": self.version}
            body |= {"quote": message.reply_to} if message.reply_to else {}
            key = derived_id(taken[0][0], f"key:{start}") if self.has_keys and token is None else None
            calls.append(
                Call(
                    name="push" if token is None else "reply",
                    method="POST",
                    url="https://example.test/send",
                    headers={"Authorization": "Bearer {secret:token}"},
                    body=body,
                    part_ids=tuple(dict.fromkeys(part_id for part_id, _ in taken)),
                    idempotency_key=key,
                    changes=("no colours",) if "colour" in str(taken) else (),
                    uses_reply_token=token is not None,
                )
            )
        return tuple(calls)


def _text(part: Part) -> str:
    if isinstance(part.content, TemplateContent):
        return f"[{part.content.name}]"
    assert isinstance(part.content, TextContent)
    return part.content.text


@dataclass(frozen=True)
class Made:
    """One call as the platform saw it."""

    at_s: float
    call: Call
    channel: str


Act = Receipt | SendError | BaseException | Callable[[Call], Awaitable[Receipt]] | None


class ScriptedSender:
    """Answers call after call by its script, then takes everything. ``seen`` are the texts in front of the user.

    An ambiguous ``SendError`` in the script shows the message or not, as ``is_seen_when_ambiguous`` says.
    """

    def __init__(self, clock: SteppedClock) -> None:
        self.script: list[Act] = []
        self.by_peer: dict[str, list[Act]] = {}
        self.by_channel: dict[str, SendError] = {}
        self.made: list[Made] = []
        self.unseen: list[Call] = []
        self.seen: list[str] = []
        self.before: Callable[[Call], None] = lambda _call: None
        self.is_seen_when_ambiguous = True
        self.is_closed = False
        self._clock = clock
        self._keys: dict[str, tuple[Call, Receipt]] = {}

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        assert timeout_s == (5.0 if call.is_visible else 2.0)
        self.before(call)
        if not call.is_visible:
            self.unseen.append(call)
            raise SendError("the tap is too old")
        self.made.append(Made(self._clock.now_s, call, channel.id))
        await asyncio.sleep(0)
        script = self.by_peer.get(call.body["to"], self.script)
        act = script.pop(0) if script else None
        return await self._act(self.by_channel.get(channel.id, act), call)

    async def _act(self, act: Act, call: Call) -> Receipt:
        if isinstance(act, BaseException):
            is_ambiguous = act.ambiguous if isinstance(act, SendError) else True
            if is_ambiguous and self.is_seen_when_ambiguous:
                self.show(call)
            raise act
        if callable(act):
            return await act(call)
        return self.show(call, act)

    def show(self, call: Call, receipt: Receipt | None = None) -> Receipt:
        """The user sees the call's texts, once per idempotency key."""
        if call.idempotency_key in self._keys:
            first, known = self._keys[call.idempotency_key]
            assert first == call, "a repeat under the same key must be the identical call"
            return known
        self.seen.extend(call.body["texts"])
        receipt = receipt or Receipt(tuple(f"m:{text}" for text in call.body["texts"]))
        if call.idempotency_key is not None:
            self._keys[call.idempotency_key] = (call, receipt)
        return receipt

    async def close(self) -> None:
        self.is_closed = True

    @property
    def texts(self) -> list[list[str]]:
        """The texts of every call that was made."""
        return [made.call.body["texts"] for made in self.made]

    @property
    def times_s(self) -> list[float]:
        """When the calls were made, from the first on."""
        return [made.at_s - self.made[0].at_s for made in self.made]


class Stand:
    """A stage with its world. ``restart`` is what a crash leaves: the same table and platform, a new process."""

    def __init__(self, platform: ScriptedPlatform | None = None, *, channels: Sequence[str] = ("shop",)) -> None:
        self.platform = platform or ScriptedPlatform()
        self.clock = SteppedClock()
        self.table = Table()
        self.sender = ScriptedSender(self.clock)
        self.media = Shelf()
        self.channels = Channels(tuple(Channel(name, self.platform.name, {"token": ("s3cret",)}) for name in channels))
        self.settings = Settings(send_concurrency=2)
        self.topics = Topics("iris.", [self.platform.name])
        self.stage = self._stage()

    def restart(self) -> None:
        """A new process takes over."""
        self.table.crash_at = lambda _point: False
        self.sender.before = lambda _call: None
        self.stage = self._stage()

    async def deliver(self, message: OutboundMessage) -> None:
        """Hand a record to the stage and finish it as the engine does; time passes as it must."""
        await self.clock.run(self.handle(message))

    async def handle(self, message: OutboundMessage) -> None:
        """The same without moving the time."""
        await self.stage.start()
        view = MemoryView(self.table, message.conversation_id.encode())
        outputs = await self.stage.handle(view, [self.record(message)])
        await view.commit(outputs)

    def record(self, message: OutboundMessage) -> Record:
        """The record of a message."""
        topic = self.topics.outbound(self.platform.name)
        key = message.conversation_id.encode()
        return Record(topic, 0, 0, int(START_S * 1000), key, encode(message), (("traceparent", b"00-aa-bb-01"),))

    def statuses(self, message: OutboundMessage) -> dict[str, str]:
        """How the durable journal says that each part ended, by its text."""
        parts = self.table.journal(message).parts
        return {_text(part): parts[part.id] for part in message.parts if part.id in parts}

    def _stage(self) -> Send:
        world = World(self.clock, steady=self.clock, sleep=self.clock.sleep, jitter=lambda: 0.0)
        return Send(
            self.topics,
            self.settings,
            self.channels,
            lambda _name: self.sender,
            download=self.media,
            world=world,
            platforms=lambda _name: self.platform,
        )


def message_of(
    *texts: str, id: str = "message", peer: str = "U1", channel: str = "shop", **more: Any
) -> OutboundMessage:
    """A message whose parts are these texts."""
    return OutboundMessage(
        id=id,
        conversation_id=f"ex_{channel}_{peer}",
        platform="example",
        channel=channel,
        peer=peer,
        parts=tuple(Part(id=f"{id}-{text}", content=TextContent(text=text)) for text in texts),
        causation_id="cause",
        correlation_id="turn",
        created_at=int(START_S * 1000),
        **more,
    )
