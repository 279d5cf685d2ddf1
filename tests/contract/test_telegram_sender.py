"""Telegram outbound, performed: one attempt each, every failure sorted, and the token in no text at all."""

import asyncio
import logging
import traceback
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.telegram import PLATFORM
from connectors.telegram.sender import Sender
from schemas.content import ChoiceContent, MediaContent, TextContent
from schemas.outbound import Button, OutboundMessage
from tests.contract.telegram_cases import WINDOW, message, part, raw_of, record_of
from tests.fakes.telegram import GROUP, SECRET_TOKEN, TOKEN, FakeTelegram
from tests.harness.platform import closing, running

TIMEOUT_S = 5.0


fake = running(FakeTelegram)
sender = closing(lambda _: Sender())


def channel_of(base: str, token: str = TOKEN) -> Channel:
    return Channel("main", "telegram", {"bot_token": (token,), "secret_token": (SECRET_TOKEN,)}, api_base=base)


def to(fake: FakeTelegram, user: str, *words: str, **more: Any) -> OutboundMessage:
    parts = [part(TextContent(text=text), id=str(number)) for number, text in enumerate(words)]
    return message(*parts, peer=fake.known_user(user), **more)


async def send(sender: Sender, fake: FakeTelegram, planned: OutboundMessage, token: str = TOKEN) -> list[Receipt]:
    channel = channel_of(fake.base_url, token)
    calls = PLATFORM.plan(planned, WINDOW, channel)
    return [await sender.perform(call, channel, timeout_s=TIMEOUT_S) for call in calls]


async def failure(
    sender: Sender, channel: Channel, *, timeout_s: float = TIMEOUT_S, peer: str = "600000001"
) -> SendError:
    """The error of one text; nothing of it, nor of how it came about, shows the token."""
    (call,) = PLATFORM.plan(message(part(TextContent(text="hi")), peer=peer), WINDOW, channel)
    with pytest.raises(SendError) as raised:
        await sender.perform(call, channel, timeout_s=timeout_s)
    error = raised.value
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(call) + repr(channel)
    assert channel.first("bot_token") not in told
    return error


def fields_of(error: SendError) -> dict[str, Any]:
    """What the caller decides by, without what is not set."""
    names = ("retryable", "retry_after_s", "ambiguous", "channel_wide", "replan", "unreachable")
    return {name: getattr(error, name) for name in names if getattr(error, name) not in (False, None)}


# What arrives.


async def test_a_message_is_seen_and_its_ids_come_back(sender: Sender, fake: FakeTelegram) -> None:
    receipts = await send(sender, fake, to(fake, "ana", "one", "two"))
    assert fake.seen("ana") == ["one", "two"]
    assert [receipt.message_ids for receipt in receipts] == [("1",), ("2",)]
    assert [call["path"] for call in fake.journal] == [f"/bot{TOKEN}/sendMessage"] * 2


async def test_a_picture_with_a_caption_is_seen(sender: Sender, fake: FakeTelegram) -> None:
    photo = MediaContent(kind="image", url="https://files.example.com/a.jpg", caption="Map")
    await send(sender, fake, message(part(photo), peer=fake.known_user("ana")))
    assert fake.seen("ana") == ["Map"]


async def test_a_quote_names_the_message_that_it_answers(sender: Sender, fake: FakeTelegram) -> None:
    asked = fake.user_message("ana", "Hello?")
    await send(sender, fake, to(fake, "ana", "Yes", reply_to=fake.native_id(asked)))
    assert fake.journal[-1]["reply_to"] == fake.native_id(asked)


async def test_a_business_chat_is_answered_in_its_own_conversation(sender: Sender, fake: FakeTelegram) -> None:
    record = record_of(fake.body([fake.user_message("ana~BC1", "open?")]))
    await send(sender, fake, message(part(TextContent(text="yes")), peer=record.peer))
    assert fake.seen("ana~BC1") == ["yes"]
    assert fake.seen("ana") == []


async def test_a_tap_comes_back_with_its_data_and_stops_spinning(sender: Sender, fake: FakeTelegram) -> None:
    menu = part(TextContent(text="Menu"), rows=((Button(label="Buy", data="buy:1"),),))
    await send(sender, fake, message(menu, peer=fake.known_user("ana")))
    (tap,) = PLATFORM.normalise(raw_of(record_of(fake.body([fake.user_choice("ana", "buy:1")]))))  # type: ignore[misc]
    assert tap.data.content == ChoiceContent(data="buy:1", title="Buy", source="callback")
    assert fake.spinning() == [tap.data.callback_id]
    (_, seen) = await send(sender, fake, to(fake, "ana", "Bought", callback_ids=(tap.data.callback_id,)))
    assert fake.spinning() == []
    assert seen.message_ids == ("2",)
    assert fake.journal[1]["ids"] == [tap.data.callback_id]


async def test_an_album_answers_with_one_id_per_picture() -> None:
    album = {"ok": True, "result": [{"message_id": 4}, {"message_id": 5}]}
    assert await answered(200, album) == Receipt(("4", "5"))


# What goes wrong on the way.

FAULTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("rate", {"retry_after_s": 7}, {"retryable": True, "retry_after_s": 7.0}),
    ("error", {}, {"retryable": True}),
    ("error", {"status": 502}, {"retryable": True}),
    ("permanent", {}, {}),
    ("blocked", {}, {"unreachable": True}),
    ("token", {}, {"channel_wide": True}),
    ("reset", {}, {"ambiguous": True}),
    ("accept_then_reset", {}, {"ambiguous": True}),
    ("accept_then_error", {}, {"retryable": True, "ambiguous": True}),
]


@pytest.mark.parametrize(
    ("kind", "options", "expected"), FAULTS, ids=[f"{kind} {options}" for kind, options, _ in FAULTS]
)
async def test_a_failure_says_what_the_caller_can_do(
    kind: str, options: dict[str, Any], expected: dict[str, Any], sender: Sender, fake: FakeTelegram
) -> None:
    fake.faults.add(kind, times=1, **options)
    error = await failure(sender, channel_of(fake.base_url))
    assert fields_of(error) == expected
    assert len(fake.journal) == 1, "exactly one attempt"
    assert fake.journal[0]["accepted"] == kind.startswith("accept")


@pytest.mark.parametrize("kind", ["hang", "accept_then_hang"])
async def test_silence_is_ambiguous(kind: str, sender: Sender, fake: FakeTelegram) -> None:
    fake.faults.add(kind, times=1, seconds=30)
    error = await failure(sender, channel_of(fake.base_url), timeout_s=0.1)
    assert fields_of(error) == {"ambiguous": True}


async def test_no_connection_is_retryable_and_certain(sender: Sender, fake: FakeTelegram) -> None:
    await fake.stop()
    error = await failure(sender, channel_of(fake.base_url))
    assert fields_of(error) == {"retryable": True}


@pytest.mark.parametrize("token", ["700000001:AArevokedTokenOfSomebodyElse000000", "malformedTokenWithoutColon"])
async def test_a_token_that_is_not_taken_stops_the_channel(token: str, sender: Sender, fake: FakeTelegram) -> None:
    error = await failure(sender, channel_of(fake.base_url, token))
    assert fields_of(error) == {"channel_wide": True}


async def test_a_missing_token_stops_the_channel(sender: Sender, fake: FakeTelegram) -> None:
    bare = Channel("main", "telegram", {}, api_base=fake.base_url)
    (call,) = PLATFORM.plan(message(part(TextContent(text="hi"))), WINDOW, bare)
    with pytest.raises(SendError, match="bot_token is not configured") as raised:
        await sender.perform(call, bare, timeout_s=TIMEOUT_S)
    assert raised.value.channel_wide


async def test_who_never_started_the_bot_is_unreachable(sender: Sender, fake: FakeTelegram) -> None:
    fake.strangers.add("ana")
    error = await failure(sender, channel_of(fake.base_url), peer=fake.known_user("ana"))
    assert fields_of(error) == {"unreachable": True}


async def test_a_chat_that_does_not_exist_is_unreachable(sender: Sender, fake: FakeTelegram) -> None:
    error = await failure(sender, channel_of(fake.base_url), peer="nobody")
    assert fields_of(error) == {"unreachable": True}


async def test_a_migrated_group_names_its_new_chat(sender: Sender, fake: FakeTelegram) -> None:
    fake.moved[f"{GROUP}shop"] = -1000000009999
    error = await failure(sender, channel_of(fake.base_url), peer=fake.known_user(f"{GROUP}shop"))
    assert (error.code, fields_of(error)) == ("migrated", {})
    assert "-1000000009999" in error.reason
    assert error.moved_to == "-1000000009999"


async def test_one_chat_that_must_wait_halts_no_other(sender: Sender, fake: FakeTelegram) -> None:
    fake.faults.add("rate", times=1, user="ana", retry_after_s=30)
    error = await failure(sender, channel_of(fake.base_url), peer=fake.known_user("ana"))
    assert not error.channel_wide
    await send(sender, fake, to(fake, "bo", "hi"))
    assert fake.seen("bo") == ["hi"]


async def test_an_expired_tap_is_an_error_of_its_own_call_only(sender: Sender, fake: FakeTelegram) -> None:
    channel = channel_of(fake.base_url)
    answer, visible = PLATFORM.plan(to(fake, "ana", "hi", callback_ids=("1",)), WINDOW, channel)
    with pytest.raises(SendError, match="query is too old") as raised:
        await sender.perform(answer, channel, timeout_s=TIMEOUT_S)
    assert fields_of(raised.value) == {}
    await sender.perform(visible, channel, timeout_s=TIMEOUT_S)
    assert fake.seen("ana") == ["hi"]


# What answers mean that the fake does not give.


async def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Receipt:
    """The receipt for a scripted answer; raises its SendError."""

    async def answer(request: web.Request) -> web.Response:
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers=headers)
        return web.json_response(body, status=status, headers=headers)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    sender = Sender()
    async with TestServer(app) as server:
        channel = channel_of(str(server.make_url("/")))
        (call,) = PLATFORM.plan(message(part(TextContent(text="hi"))), WINDOW, channel)
        try:
            return await sender.perform(call, channel, timeout_s=TIMEOUT_S)
        finally:
            await sender.close()


def no(code: int, description: str = "Bad Request: x", **parameters: Any) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


ANSWERS: list[tuple[str, int, Any, dict[str, Any]]] = [
    ("wait inside a 400", 400, no(400, retry_after=3), {"retryable": True, "retry_after_s": 3.0}),
    ("429 without a wait", 429, no(429), {"retryable": True}),
    ("409 another client polls", 409, no(409, "Conflict: terminated by other getUpdates"), {"channel_wide": True}),
    ("413 too large", 413, no(413, "Request Entity Too Large"), {}),
    ("400 message is too long", 400, no(400, "Bad Request: message is too long"), {}),
    ("400 user is deactivated", 400, no(400, "Bad Request: user is deactivated"), {"unreachable": True}),
    ("403 kicked", 403, no(403, "Forbidden: bot was kicked from the group chat"), {"unreachable": True}),
    ("500 of the API", 500, no(500), {"retryable": True}),
    ("502 of a gateway", 502, "<html>Bad Gateway</html>", {"retryable": True, "ambiguous": True}),
    ("504 of a gateway", 504, "", {"retryable": True, "ambiguous": True}),
    ("503 of a gateway", 503, "", {"retryable": True}),
    ("200 that is no answer", 200, "<html>log in</html>", {"retryable": True, "ambiguous": True}),
    ("200 of another form", 200, [1], {"retryable": True, "ambiguous": True}),
    ("404 of another server", 404, "not here", {"channel_wide": True}),
    ("302 to a login page", 302, "", {"channel_wide": True}),
    ("422 of a proxy", 422, "", {}),
    ("error fields of odd types", 400, {"ok": False, "error_code": "x", "description": 5, "parameters": [1]}, {}),
]


@pytest.mark.parametrize(
    ("status", "body", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
async def test_an_answer_is_sorted(status: int, body: Any, expected: dict[str, Any]) -> None:
    with pytest.raises(SendError) as raised:
        await answered(status, body)
    assert fields_of(raised.value) == expected


async def test_a_gateways_retry_after_is_honoured() -> None:
    with pytest.raises(SendError) as raised:
        await answered(503, "", {"Retry-After": "9"})
    assert raised.value.retry_after_s == 9.0


async def test_a_platform_that_repeats_the_token_does_not_leak_it() -> None:
    with pytest.raises(SendError) as raised:
        await answered(400, no(400, f"Bad Request: https://api.telegram.org/bot{TOKEN}/sendMessage"))
    assert TOKEN not in str(raised.value)
    assert "***" in str(raised.value)


async def test_no_log_holds_the_token(sender: Sender, fake: FakeTelegram, caplog: pytest.LogCaptureFixture) -> None:
    fake.faults.add("reset", times=1)
    # The library logs the addresses of requests at this level, so look at what this product says.
    with caplog.at_level(logging.DEBUG):
        await failure(sender, channel_of(fake.base_url))
        await send(sender, fake, to(fake, "ana", "hi"))
    assert TOKEN not in caplog.text


async def test_calls_of_many_chats_run_beside_each_other(sender: Sender, fake: FakeTelegram) -> None:
    channel = channel_of(fake.base_url)
    fake.faults.add("hang", times=1, user="slow", seconds=30)
    slow = asyncio.create_task(failure(sender, channel, timeout_s=30, peer=fake.known_user("slow")))
    await asyncio.gather(*(send(sender, fake, to(fake, f"user{number}", "hi")) for number in range(20)))
    assert all(fake.seen(f"user{number}") == ["hi"] for number in range(20))
    assert not slow.done(), "the others did not wait for the slow one"
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


def test_a_call_without_a_secret_can_be_printed() -> None:
    channel = channel_of("http://127.0.0.1:1")
    calls: tuple[Call, ...] = PLATFORM.plan(message(part(TextContent(text="hi"))), WINDOW, channel)
    assert TOKEN not in f"{calls} {channel}"
