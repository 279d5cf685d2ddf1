"""WeChat's access tokens: one for all, renewed in time, replaced when refused, never a reason to say "unknown"."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.errors import SendError
from connectors.interface import Channel
from connectors.shared.http import HttpClient
from connectors.wechat.sender import Sender
from connectors.wechat.tokens import Tokens
from tests.contract.wechat_sending import TIMEOUT_S, answered, channel_of, failure, fields_of, send
from tests.fakes.wechat import SEND_PATH, TOKEN_PATH, FakeWeChat
from tests.harness.platform import Clock, closing, running

fake = running(FakeWeChat)
sender = closing(lambda _: Sender())


def tokens_asked(fake: FakeWeChat) -> list[bool]:
    """Whether force was used, for every time that a token was asked for."""
    return [call["body"]["force_refresh"] for call in fake.journal if call["path"] == TOKEN_PATH]


async def test_one_token_serves_all_messages(sender: Sender, fake: FakeWeChat) -> None:
    await asyncio.gather(*(send(sender, fake, user=f"user{number}") for number in range(20)))
    assert tokens_asked(fake) == [False]
    assert all(fake.seen(f"user{number}") == ["hi"] for number in range(20))


async def test_channels_have_tokens_of_their_own(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake)
    error = await failure(sender, fake, channel=channel_of(fake.base_url, id="other", app_id="wxother"))
    assert (error.code, fields_of(error)) == ("40013", {"channel_wide": True})
    assert tokens_asked(fake) == [False, False]


async def test_a_token_that_somebody_replaced_costs_one_free_attempt(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake)
    fake.tokens.replace()
    error = await failure(sender, fake)
    assert (error.code, fields_of(error)) == ("40001", {"retryable": True, "retry_after_s": 0.0})
    await send(sender, fake)
    assert fake.seen("ann") == ["hi", "hi"]
    assert tokens_asked(fake) == [False, False], "no force: the new token is there already"


async def test_an_expired_token_is_replaced_the_same_way(sender: Sender, fake: FakeWeChat, clock: Clock) -> None:
    await send(sender, fake)
    clock.now_s += 7200
    assert (await failure(sender, fake)).code == "42001"
    await send(sender, fake)
    assert tokens_asked(fake) == [False, False]


async def test_a_sender_never_forces_even_a_token_that_keeps_being_given_out(sender: Sender, fake: FakeWeChat) -> None:
    """Force cuts every other process off: the process that keeps the channels' health does it, see its tests."""
    await send(sender, fake)
    fake.tokens.break_current()
    assert (await failure(sender, fake)).retryable
    assert (await failure(sender, fake)).channel_wide, "the channel pauses until that process has replaced the token"
    assert not any(tokens_asked(fake))


async def test_a_second_refusal_in_a_row_stops_the_channel(sender: Sender, fake: FakeWeChat) -> None:
    fake.faults.add("token", times=2, path=SEND_PATH)
    assert (await failure(sender, fake)).retryable
    error = await failure(sender, fake)
    assert (error.code, fields_of(error)) == ("40001", {"channel_wide": True})
    await send(sender, fake)
    assert fake.seen("ann") == ["hi"], "the probe gets through once the token is good again"


async def test_a_token_that_is_refused_again_and_again_stays_the_channels_fault(
    sender: Sender, fake: FakeWeChat
) -> None:
    fake.faults.add("token", times=5, path=SEND_PATH)
    kinds = [(await failure(sender, fake)).channel_wide for _ in range(5)]
    assert kinds == [False, True, True, True, True]
    assert tokens_asked(fake).count(True) == 0


@pytest.fixture
async def tokens(clock: Clock) -> AsyncIterator[Tokens]:
    client = HttpClient()
    yield Tokens(client, clock=clock)
    await client.close()


async def _refused(tokens: Tokens, channel: Channel) -> None:
    tokens.refuse(channel, await tokens.get(channel, timeout_s=TIMEOUT_S))


async def test_force_waits_30_s_and_for_another_day_after_20(tokens: Tokens, fake: FakeWeChat, clock: Clock) -> None:
    channel = channel_of(fake.base_url)
    for wait_s, forced in [(0, 1), (29, 1), (1, 2), (30, 3), *((30, number) for number in range(4, 21)), (30, 20)]:
        clock.now_s += wait_s
        await _refused(tokens, channel)
        await tokens.force(channel, timeout_s=TIMEOUT_S)
        assert tokens_asked(fake).count(True) == forced
    clock.now_s += 86_400
    await _refused(tokens, channel)
    await tokens.force(channel, timeout_s=TIMEOUT_S)
    assert tokens_asked(fake).count(True) == 21


async def test_force_is_not_used_on_a_token_that_somebody_replaced(tokens: Tokens, fake: FakeWeChat) -> None:
    channel = channel_of(fake.base_url)
    await _refused(tokens, channel)
    fake.tokens.replace()
    await tokens.force(channel, timeout_s=TIMEOUT_S)
    assert not any(tokens_asked(fake))


async def test_a_refusal_after_success_is_a_first_one_again(sender: Sender, fake: FakeWeChat) -> None:
    for _ in range(3):
        await send(sender, fake)
        fake.tokens.replace()
        assert not (await failure(sender, fake)).channel_wide


async def test_of_many_calls_with_a_dead_token_none_stops_the_channel(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake)
    fake.tokens.replace()
    errors = await asyncio.gather(*(failure(sender, fake, user=f"user{number}") for number in range(10)))
    assert not any(error.channel_wide for error in errors)
    await send(sender, fake)
    assert tokens_asked(fake) == [False, False]


async def test_a_token_is_renewed_before_it_ends(fake: FakeWeChat, clock: Clock) -> None:
    client = HttpClient()
    tokens = Tokens(client, clock=clock)
    channel = channel_of(fake.base_url)
    first = await tokens.get(channel, timeout_s=TIMEOUT_S)
    clock.now_s += 7200 - 120 - 1
    assert await tokens.get(channel, timeout_s=TIMEOUT_S) is first
    clock.now_s += 1
    second = await tokens.get(channel, timeout_s=TIMEOUT_S)
    assert second.value != first.value
    fake.tokens.check(first.value)
    await client.close()


async def test_a_late_refusal_of_an_old_token_leaves_the_new_one_alone(fake: FakeWeChat, clock: Clock) -> None:
    client = HttpClient()
    tokens, channel = Tokens(client, clock=clock), channel_of(fake.base_url)
    first = await tokens.get(channel, timeout_s=TIMEOUT_S)
    fake.tokens.replace()
    assert not tokens.refuse(channel, first)
    second = await tokens.get(channel, timeout_s=TIMEOUT_S)
    tokens.confirm(channel, second)
    assert not tokens.refuse(channel, first)
    assert await tokens.get(channel, timeout_s=TIMEOUT_S) is second
    # What was refused long ago says nothing about the token of the next two hours.
    clock.now_s += 7200
    assert not tokens.refuse(channel, await tokens.get(channel, timeout_s=TIMEOUT_S))
    await client.close()


@pytest.mark.parametrize("life_s", [100, 1])
async def test_a_token_with_a_short_life_is_not_asked_for_every_time(life_s: int, clock: Clock) -> None:
    asked = 0

    async def give(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({"access_token": f"t{asked}", "expires_in": life_s})

    app = web.Application()
    app.router.add_post(TOKEN_PATH, give)
    client = HttpClient()
    async with TestServer(app) as server:
        tokens = Tokens(client, clock=clock)
        channel = channel_of(str(server.make_url("")))
        values = [(await tokens.get(channel, timeout_s=TIMEOUT_S)).value for _ in range(3)]
        assert values == ["t1"] * 3
    await client.close()


TOKEN_FAULTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("token", {}, {"channel_wide": True}),
    ("token", {"code": 40164}, {"channel_wide": True}),
    ("token", {"code": 40001}, {"channel_wide": True}),
    ("token", {"code": 45009}, {"channel_wide": True}),
    ("token", {"code": 45011}, {"retryable": True, "retry_after_s": 60.0}),
    ("token", {"code": -1}, {"retryable": True}),
]


@pytest.mark.parametrize(
    ("kind", "options", "expected"), TOKEN_FAULTS, ids=[str(options) for _, options, _ in TOKEN_FAULTS]
)
async def test_a_token_that_is_not_given_is_never_ambiguous(
    kind: str, options: dict[str, Any], expected: dict[str, Any], sender: Sender, fake: FakeWeChat
) -> None:
    fake.faults.add(kind, times=1, path=TOKEN_PATH, **options)
    assert fields_of(await failure(sender, fake)) == expected
    assert [call["path"] for call in fake.journal] == [TOKEN_PATH], "nothing was sent"


@pytest.mark.parametrize(
    ("status", "body"), [(500, ""), (502, "<html>"), (200, "<html>"), (200, {"access_token": ""}), (503, "")]
)
async def test_a_broken_answer_to_the_token_is_retryable_and_certain(status: int, body: Any) -> None:
    with pytest.raises(SendError) as raised:
        await answered(200, {"errcode": 0}, token=(status, body))
    assert fields_of(raised.value) == {"retryable": True}


async def test_a_hanging_token_ends_within_the_attempt(fake: FakeWeChat, sender: Sender) -> None:
    stuck = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response:
        await stuck.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post(TOKEN_PATH, hang)
    async with TestServer(app) as server:
        channel = channel_of(str(server.make_url("")))
        errors = await asyncio.gather(*(failure(sender, fake, channel=channel, timeout_s=0.2) for _ in range(3)))
        assert [fields_of(error) for error in errors] == [{"retryable": True}] * 3
        stuck.set()


async def test_token_and_message_share_one_time_limit(fake: FakeWeChat, sender: Sender) -> None:
    stuck = asyncio.Event()

    async def give_late(_request: web.Request) -> web.Response:
        asyncio.get_running_loop().call_later(0.8, late.set)
        await late.wait()
        return web.json_response({"access_token": "t0ken", "expires_in": 7200})

    async def hang(_request: web.Request) -> web.Response:
        await stuck.wait()
        return web.Response()

    late = asyncio.Event()
    app = web.Application()
    app.router.add_post(TOKEN_PATH, give_late)
    app.router.add_post(SEND_PATH, hang)
    async with TestServer(app) as server:
        began = asyncio.get_running_loop().time()
        error = await failure(sender, fake, channel=channel_of(str(server.make_url(""))), timeout_s=1.0)
        assert fields_of(error) == {"ambiguous": True}
        assert asyncio.get_running_loop().time() - began < 1.6, "1.0 in all, not 1.0 for each"
        stuck.set()


@pytest.mark.parametrize("name", ["app_id", "app_secret"])
async def test_a_missing_credential_stops_the_channel(name: str, sender: Sender, fake: FakeWeChat) -> None:
    bare = channel_of(fake.base_url, **{name.replace("app_secret", "secret"): ""})
    error = await failure(sender, fake, channel=bare)
    assert fields_of(error) == {"channel_wide": True}
    assert name in error.reason
