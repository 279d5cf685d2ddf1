"""What a process shows of the channels: to whom, and what of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from connectors.interface import Channel
from schemas.control import ChannelHealth, HealthState, health_key
from schemas.registry import encode
from streams.admin import add_view, admin_application, listen
from streams.care.status import METRIC, ChannelStatus

SHOP, BAR = Channel("shop", "telegram", {"bot_token": ("700:tok",)}), Channel("bar", "line", {})
SINCE_MS = 1_790_000_000_123
TOKEN = "t0p-secret"


def state(known: dict[str, bytes], channel: Channel, state: HealthState) -> None:
    record = ChannelHealth(state=state, detail=f"why {state}", since=SINCE_MS)
    known[health_key(channel.platform, channel.id)] = encode(record)


def test_rows_tell_the_state_and_since_when_or_that_nothing_is_known() -> None:
    known: dict[str, bytes] = {}
    state(known, SHOP, "limited")
    state(known, Channel("gone", "line", {}), "connected")
    health = {"state": "limited", "detail": "why limited", "since": "2026-09-21T14:13:20.123Z"}
    assert ChannelStatus((SHOP, BAR), known).rows() == [
        {"platform": "telegram", "channel": "shop", "health": health},
        {"platform": "line", "channel": "bar", "health": None},
    ]


def test_the_metric_is_one_for_the_last_known_state_and_follows_it() -> None:
    known: dict[str, bytes] = {}
    registry = CollectorRegistry()
    registry.register(ChannelStatus((SHOP, BAR), known))

    def value(channel: Channel, state: str) -> float | None:
        labels = {"platform": channel.platform, "channel": channel.id, "state": state}
        return registry.get_sample_value(METRIC, labels)

    assert value(SHOP, "connected") is None
    turns: list[tuple[HealthState, HealthState]] = [("connected", "limited"), ("limited", "connected")]
    for now, before in turns:
        state(known, SHOP, now)
        assert (value(SHOP, now), value(SHOP, before), value(BAR, now)) == (1.0, 0.0, None)
    known[health_key("telegram", "shop")] = b'{"of": "another version"}'
    assert value(SHOP, "limited") is None


@pytest.fixture(params=[TOKEN, "", None])
async def port(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    app = admin_application(lambda: "")
    token = None if request.param is None else SecretStr(request.param)
    add_view(app, "/v1/channels", lambda: {"channels": []}, token)
    runner = await listen(app, "127.0.0.1", 0, variable="IRIS_ADMIN_PORT")
    yield runner.addresses[0][1]
    await runner.cleanup()


async def ask(port: int, authorization: str | None) -> tuple[int, dict[str, object]]:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/v1/channels", headers=headers) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.parametrize("port", [TOKEN], indirect=True)
async def test_v1_answers_to_the_token_only(port: int) -> None:
    assert await ask(port, f"Bearer {TOKEN}") == (200, {"channels": []})
    for wrong in (None, "", "Bearer ", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN[:-1]}", "Bearer \udcff"):
        code, body = await ask(port, wrong)
        assert (code, TOKEN in str(body)) == (401, False), wrong


@pytest.mark.parametrize("port", ["", None], indirect=True)
@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer None"])
async def test_v1_is_closed_where_no_token_is_set(port: int, authorization: str | None) -> None:
    code, body = await ask(port, authorization)
    assert (code, body) == (403, {"error": "/v1/channels is closed: set IRIS_ADMIN_TOKEN and restart"})
