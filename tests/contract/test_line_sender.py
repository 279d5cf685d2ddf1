"""LINE calls over HTTP against the fake: one attempt each, every answer sorted by what may be done next."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt, Window
from connectors.line import PLATFORM
from connectors.line.sender import Sender, error_of
from connectors.shared.http import RATE_WAIT_S, Answer
from schemas.content import TextContent
from schemas.outbound import OutboundMessage, Part
from tests.fakes.line import FakeLine

TIMEOUT_S = 0.5


class World:
    """The fake, a channel for it and a sender; ``now`` is the fake's clock in seconds."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.fake = FakeLine(clock=lambda: self.now)
        self.sender = Sender()

    async def start(self) -> None:
        url = await self.fake.start()
        values = {"channel_secret": (self.fake.channel_secret,), "access_token": (self.fake.access_token,)}
        self.channel = Channel("shop", "line", values, api_base=url)

    async def stop(self) -> None:
        await self.sender.close()
        await self.fake.stop()

    def token(self, user: str = "ann") -> str:
        return str(self.fake.user_message(user, "hi")["replyToken"])

    def calls(self, *texts: str, token: str | None = None, user: str = "ann") -> tuple[Call, ...]:
        peer = self.fake.known_user(user)
        message = OutboundMessage(
            id="m1",
            conversation_id=f"line_shop_{peer}",
            platform="line",
            channel="shop",
            peer=peer,
            parts=tuple(Part(id=f"p{number}", content=TextContent(text=text)) for number, text in enumerate(texts)),
            causation_id="c",
            correlation_id="c",
            created_at=0,
        )
        return PLATFORM.plan(message, Window(0, reply_token=token), self.channel)

    async def perform(self, call: Call, channel: Channel | None = None) -> Receipt:
        return await self.sender.perform(call, channel or self.channel, timeout_s=TIMEOUT_S)

    async def refused(self, call: Call, channel: Channel | None = None) -> SendError:
        with pytest.raises(SendError) as caught:
            await self.perform(call, channel)
        error = caught.value
        for text in (str(error), repr(error), str(vars(error)), repr(error.__cause__), repr(channel or self.channel)):
            assert self.fake.access_token not in text
        return error


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    yield made
    await made.stop()


def verdict(error: SendError) -> dict[str, Any]:
    """The fields that are set."""
    names = ("retryable", "ambiguous", "channel_wide", "replan", "unreachable")
    return {name: True for name in names if getattr(error, name)}


async def test_a_reply_and_a_push_reach_the_user_in_order_with_the_platforms_ids(world: World) -> None:
    calls = world.calls(*(f"text {number}" for number in range(7)), token=world.token())
    receipts = [await world.perform(call) for call in calls]
    assert world.fake.seen("ann") == [f"text {number}" for number in range(7)]
    assert [len(receipt.message_ids) for receipt in receipts] == [5, 2]
    assert [entry["key"] for entry in world.fake.journal] == [None, calls[1].idempotency_key]


async def test_a_spent_token_asks_for_another_plan(world: World) -> None:
    token = world.token()
    await world.perform(world.calls("first", token=token)[0])
    error = await world.refused(world.calls("second", token=token)[0])
    assert (verdict(error), error.code) == ({"replan": True}, "invalid_reply_token")
    assert world.fake.seen("ann") == ["first"]


async def test_an_expired_token_asks_for_another_plan_and_the_push_arrives(world: World) -> None:
    token = world.token()
    world.now += 61
    assert verdict(await world.refused(world.calls("late", token=token)[0])) == {"replan": True}
    await world.perform(world.calls("late")[0])
    assert world.fake.seen("ann") == ["late"]


async def test_a_token_within_the_life_that_we_count_on_is_taken(world: World) -> None:
    token = world.token()
    world.now += PLATFORM.reply_token_life_s
    (call,) = world.calls("in time", token=token)
    await world.perform(call)
    assert world.fake.seen("ann") == ["in time"]
    assert [entry["key"] for entry in world.fake.journal] == [None], "a push, which has a key, is not free"


async def test_a_push_repeated_with_its_key_is_a_success_and_seen_once(world: World) -> None:
    (call,) = world.calls("once")
    first = await world.perform(call)
    assert await world.perform(call) == first
    assert world.fake.seen("ann") == ["once"]
    assert [entry["status"] for entry in world.fake.journal] == [200, 409]


async def test_after_24_hours_the_same_key_is_a_new_message(world: World) -> None:
    (call,) = world.calls("again")
    await world.perform(call)
    world.now += 24 * 3600
    await world.perform(call)
    assert world.fake.seen("ann") == ["again", "again"]


@pytest.mark.parametrize("fault", ["accept_then_reset", "accept_then_error", "accept_then_hang"])
async def test_a_push_that_was_accepted_unseen_is_repeated_safely(world: World, fault: str) -> None:
    world.fake.faults.add(fault, times=1)
    (call,) = world.calls("once")
    assert verdict(await world.refused(call)) == {"ambiguous": True, "retryable": True}
    assert len((await world.perform(call)).message_ids) == 1
    assert world.fake.seen("ann") == ["once"]


@pytest.mark.parametrize(
    "fault", ["accept_then_reset", "accept_then_error", "accept_then_hang", "hang", "reset", "error"]
)
async def test_a_reply_without_a_clear_answer_is_ambiguous_and_has_no_key_to_repeat_it_with(
    world: World, fault: str
) -> None:
    world.fake.faults.add(fault, times=1)
    assert verdict(await world.refused(world.calls("?", token=world.token())[0])) == {"ambiguous": True}
    assert world.fake.seen("ann") == (["?"] if fault.startswith("accept") else [])


async def test_a_refused_connection_was_not_sent(world: World) -> None:
    await world.fake.stop()
    assert verdict(await world.refused(world.calls("x", token="t")[0])) == {"retryable": True}


async def test_the_two_kinds_of_429(world: World) -> None:
    world.fake.faults.add("rate", times=1)
    rate = await world.refused(world.calls("x")[0])
    assert (verdict(rate), rate.retry_after_s) == ({"retryable": True}, RATE_WAIT_S)
    world.fake.monthly_quota = 0
    quota = await world.refused(world.calls("x")[0])
    assert (verdict(quota), quota.code) == ({}, "monthly_limit")
    await world.perform(world.calls("free", token=world.token())[0])
    assert world.fake.seen("ann") == ["free"]


async def test_a_revoked_token_concerns_the_whole_channel(world: World) -> None:
    values = {**world.channel.values, "access_token": ("revoked-access-token",)}
    error = await world.refused(world.calls("x")[0], replace(world.channel, values=values))
    assert (verdict(error), error.code) == ({"channel_wide": True}, "401")
    assert "revoked-access-token" not in str(error)


async def test_a_bad_request_is_permanent_and_says_what_is_wrong(world: World) -> None:
    (call,) = world.calls("x")
    error = await world.refused(replace(call, body={**call.body, "messages": [{"type": "text", "text": ""}]}))
    assert verdict(error) == {}
    assert "messages[0].text: May not be empty" in error.reason


async def test_a_retry_key_on_a_reply_is_refused_so_none_is_sent(world: World) -> None:
    (call,) = world.calls("x", token=world.token())
    assert "X-Line-Retry-Key" not in call.headers
    keyed = replace(call, headers={**call.headers, "X-Line-Retry-Key": "123e4567-e89b-12d3-a456-426614174000"})
    error = await world.refused(keyed)
    assert (verdict(error), error.code) == ({}, "400")


def test_a_secret_in_the_platforms_answer_does_not_get_into_the_error() -> None:
    channel = Channel("shop", "line", {"access_token": ("an-access-token",)})
    echo = Answer(400, {}, {"message": "bad an-access-token", "details": [{"message": "an-access-token"}]}, "")
    error = error_of(echo, Call("push", "POST", "", {}, {}, ("p1",)), channel)
    assert error.reason == "push: 400 bad *** (: ***)"


async def test_calls_of_many_users_go_side_by_side(world: World) -> None:
    calls = [world.calls(f"to {number}", user=f"user {number}")[0] for number in range(30)]
    await asyncio.gather(*(world.perform(call) for call in calls))
    assert [world.fake.seen(f"user {number}") for number in range(30)] == [[f"to {number}"] for number in range(30)]
