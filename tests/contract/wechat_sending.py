"""What the tests of WeChat's sender share: ways to send and to fail, and a server that answers what a test says."""

import traceback
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.wechat import PLATFORM
from connectors.wechat.sender import Sender
from schemas.content import TextContent
from schemas.outbound import Part
from tests.contract.wechat_kit import WINDOW, message, part
from tests.fakes.wechat import APP_ID, APP_SECRET, TOKEN, TOKEN_PATH, FakeWeChat

TIMEOUT_S = 5.0
HI = part(TextContent(text="hi"))


def channel_of(base: str, *, secret: str = APP_SECRET, app_id: str = APP_ID, id: str = "main") -> Channel:
    """The fake's account as a channel."""
    values = {"token": (TOKEN,), "app_id": (app_id,), "app_secret": (secret,)}
    return Channel(id, "wechat", values, api_base=base)


def plan(fake: FakeWeChat, *parts: Part, user: str = "ann") -> tuple[Call, ...]:
    """The calls for one message."""
    return PLATFORM.plan(message(*parts or (HI,), peer=fake.known_user(user)), WINDOW, channel_of(fake.base_url))


async def send(sender: Sender, fake: FakeWeChat, *parts: Part, user: str = "ann") -> list[Receipt]:
    """The receipts of one message."""
    channel = channel_of(fake.base_url)
    return [await sender.perform(call, channel, timeout_s=TIMEOUT_S) for call in plan(fake, *parts, user=user)]


async def failure(
    sender: Sender, fake: FakeWeChat, *, channel: Channel | None = None, timeout_s: float = TIMEOUT_S, user: str = "ann"
) -> SendError:
    """The error of one text; nothing of it, nor of how it came about, shows a secret."""
    channel = channel or channel_of(fake.base_url)
    (call,) = PLATFORM.plan(message(HI, peer=fake.known_user(user)), WINDOW, channel)
    with pytest.raises(SendError) as raised:
        await sender.perform(call, channel, timeout_s=timeout_s)
    error = raised.value
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error)) + repr(call) + repr(channel)
    assert APP_SECRET not in told
    assert "fakeWeChatAccessToken" not in told
    return error


def fields_of(error: SendError) -> dict[str, Any]:
    """What the caller decides by, without what is not set."""
    names = ("retryable", "retry_after_s", "ambiguous", "channel_wide", "replan", "unreachable")
    values = {name: getattr(error, name) for name in names}
    return {name: value for name, value in values.items() if value is not False and value is not None}


async def answered(status: int, body: Any, *, token: tuple[int, Any] | None = None, parts: Part = HI) -> Receipt:
    """The receipt for a scripted answer; raises its SendError."""

    def made(status: int, body: Any) -> web.Response:
        return (
            web.Response(status=status, text=body) if isinstance(body, str) else web.json_response(body, status=status)
        )

    async def give(_request: web.Request) -> web.Response:
        return made(*(token or (200, {"access_token": "t0ken", "expires_in": 7200})))

    async def answer(_request: web.Request) -> web.Response:
        return made(status, body)

    app = web.Application()
    app.router.add_post(TOKEN_PATH, give)
    app.router.add_post("/{path:.*}", answer)
    sender = Sender()
    async with TestServer(app) as server:
        channel = channel_of(str(server.make_url("")))
        (call,) = PLATFORM.plan(message(parts), WINDOW, channel)
        try:
            return await sender.perform(call, channel, timeout_s=TIMEOUT_S)
        finally:
            await sender.close()
