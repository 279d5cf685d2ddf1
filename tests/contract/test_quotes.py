"""Quotes on every platform that has them: from the webhook of a message to the call that answers it."""

from typing import Any

import pytest

from connectors.interface import Call, Window
from schemas.envelope import AnyEvent
from schemas.events import ReplyGenerated
from schemas.ids import derived_id
from schemas.outbound import OutboundMessage
from schemas.registry import EVENT_MODELS, decode_command, encode
from schemas.replies import AIAnswer, ReplyRequest
from streams.channels import Channels
from streams.engine.api import Output, Record
from streams.settings import Settings
from streams.stages.converse import Converse
from streams.topics import Topics
from tests.contract.specimens import CHANNEL, RECEIVED_AT, Specimen, specimens
from tests.harness.memory_view import MemoryTable

QUOTES = {
    "messenger": ("reply_to", "mid"),
    "instagram": ("reply_to", "mid"),
    "whatsapp": ("context", "message_id"),
    "line": ("messages", 0, "quoteToken"),
    "telegram": ("reply_parameters", "message_id"),
}
"""Where each platform's request says it; WeChat has none ("No receipts, reactions, edits or quotes")."""


class Chat:
    """A conversation on one platform, from webhook bodies to calls."""

    def __init__(self, name: str) -> None:
        self.specimen: Specimen = specimens()[name]
        self.topics = Topics("iris.", (name,))
        self.stage = Converse(self.topics, Settings(), Channels((self.specimen.channel,)))
        self.table = MemoryTable()
        self.offset = 0

    def said(self, *native: dict[str, Any]) -> list[Output]:
        """What converse makes of a body with these."""
        records = self.specimen.accept(self.specimen.request(self.specimen.fake.body(list(native)))).records
        events = [event for record in records for event in self.specimen.events(self.specimen.raw(record))]
        return [output for event in events for output in self.step(event)]

    def step(self, event: AnyEvent) -> list[Output]:
        self.offset += 1
        key = event.conversation_id.encode()
        return self.table.step(
            self.stage, [Record(self.topics.events, 0, self.offset, RECEIVED_AT, key, encode(event))]
        )

    def requests(self, outputs: list[Output]) -> list[ReplyRequest]:
        return [decode_command(out.value, ReplyRequest) for out in outputs if out.topic == self.topics.ai_requests]

    def answered(self, request: ReplyRequest) -> tuple[Call, ...]:
        """The calls that answer it."""
        data = ReplyGenerated(turn_id=request.id, content=AIAnswer(response_text="yes"), asked_at=1.0, answered_at=2.0)
        event = EVENT_MODELS["reply_generated"](
            id=derived_id(request.id, "reply_generated"),
            type="reply_generated",
            conversation_id=request.conversation_id,
            platform=self.specimen.platform.name,
            channel=CHANNEL,
            occurred_at=RECEIVED_AT,
            recorded_at=RECEIVED_AT,
            causation_id=request.id,
            correlation_id=request.correlation_id,
            data=data,
        )
        outbound = self.topics.outbound(self.specimen.platform.name)
        (message,) = (decode_command(out.value, OutboundMessage) for out in self.step(event) if out.topic == outbound)
        window = Window(RECEIVED_AT, None, message.last_inbound_at)
        return self.specimen.platform.plan(message, window, self.specimen.channel)


def quote_in(name: str, call: Call) -> Any:
    found: Any = call.body
    for step in QUOTES[name]:
        found = found[step] if isinstance(step, int) else (found or {}).get(step)
    return found


def in_group(name: str, fake: Any) -> tuple[dict[str, Any], Any]:
    """A message to us in a group, and what a quote of it names."""
    if name == "telegram":
        native = fake.user_message("ann", "/ask", group="group: shop", entities=[BOT_COMMAND])
        return native, native["message"]["message_id"]
    if name == "line":
        mention = {"mentionees": [{"index": 0, "length": 4, "type": "user", "isSelf": True}]}
        native = fake.user_message("ann", "@bot who?", mention=mention)
        native["source"] |= {"type": "group", "groupId": "C" + "1" * 32}
        return native, native["message"]["quoteToken"]
    native = fake.user_message("ann", "who?") | {"group_id": "GROUP1"}
    return native, native["id"]


BOT_COMMAND = {"type": "bot_command", "offset": 0, "length": 4}


@pytest.mark.parametrize("name", ["line", "telegram", "whatsapp"])
def test_in_a_group_the_answer_quotes_what_it_answers(name: str) -> None:
    chat = Chat(name)
    native, expected = in_group(name, chat.specimen.fake)
    (request,) = chat.requests(chat.said(native))
    assert quote_in(name, chat.answered(request)[0]) == expected


@pytest.mark.parametrize("name", QUOTES)
def test_in_a_chat_of_two_it_does_so_only_where_the_person_wrote_on(name: str) -> None:
    chat = Chat(name)
    fake: Any = chat.specimen.fake
    first = fake.user_message("ann", "hello")
    (request,) = chat.requests(chat.said(first))
    assert quote_in(name, chat.answered(request)[0]) is None
    second, third = fake.user_message("ann", "and"), fake.user_message("ann", "or")
    (request,) = chat.requests(chat.said(second))
    chat.said(third)
    expected = second["message"]["quoteToken"] if name == "line" else fake.native_id(second)
    assert str(quote_in(name, chat.answered(request)[0])) == expected


def test_wechat_has_none_and_nobody_is_told_so_again_and_again() -> None:
    chat = Chat("wechat")
    fake = chat.specimen.fake
    (request,) = chat.requests(chat.said(fake.user_message("ann", "hello")))
    chat.said(fake.user_message("ann", "and"))
    assert [call.changes for call in chat.answered(request)] == [()]
