"""The frame of the fakes: redelivery, faults with counts, control over HTTP, and the process of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.faults import Faults
from tests.fakes.line import FakeLine
from tests.harness.eventually import eventually


class Webhook:
    """A webhook that answers what the test says and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.bodies: list[dict[str, Any]] = []

    async def start(self) -> str:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/hook"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    def texts(self) -> list[str]:
        return [event["message"]["text"] for body in self.bodies for event in body["events"]]


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    made = Webhook()
    yield made
    await made.stop()


@pytest.fixture
async def fake(webhook: Webhook) -> AsyncIterator[FakeLine]:
    made = FakeLine(webhook_url=await webhook.start())
    made.redelivery_wait_s = 0.01
    await made.start()
    yield made
    await made.stop()


async def test_what_is_not_answered_with_2xx_comes_again_as_the_same_event(fake: FakeLine, webhook: Webhook) -> None:
    webhook.answers = [503, 500]
    native_id = await fake.say("ann", "hello")
    assert webhook.texts() == ["hello"] * 3
    events = [body["events"][0] for body in webhook.bodies]
    assert {event["webhookEventId"] for event in events} == {events[0]["webhookEventId"]}
    assert [event["deliveryContext"]["isRedelivery"] for event in events] == [False, True, True]
    assert [(entry["status"], entry["ids"]) for entry in fake.deliveries] == [
        (503, [native_id]),
        (500, [native_id]),
        (200, [native_id]),
    ]


async def test_the_platform_gives_up_in_the_end(fake: FakeLine, webhook: Webhook) -> None:
    webhook.answers = [503] * 10
    await fake.say("ann", "hello")
    assert len(webhook.bodies) == 1 + fake.redeliveries
    await fake.say("ann", "once", redeliver=False)
    assert len(webhook.bodies) == 2 + fake.redeliveries


async def test_a_webhook_that_cannot_be_reached_is_status_0(fake: FakeLine, webhook: Webhook) -> None:
    await webhook.stop()
    assert await fake.deliver(fake.body([]), ids=[]) == 0


async def test_duplicated_and_reordered_deliveries(fake: FakeLine, webhook: Webhook) -> None:
    fake.faults.add("duplicate_webhook", times=1)
    await fake.say("ann", "twice")
    await eventually(lambda: _equal(webhook.texts(), ["twice", "twice"]))
    fake.faults.add("reorder_webhook", times=1)
    await asyncio.gather(fake.say("ann", "one"), fake.say("ann", "two"))
    assert webhook.texts()[2:] == ["two", "one"]


def _equal(found: object, wanted: object) -> None:
    assert found == wanted


async def test_ids_are_new_for_each_event_and_each_seed() -> None:
    ids = [fake.native_id(fake.user_message("ann", "x")) for fake in (FakeLine(seed=1), FakeLine(seed=2)) for _ in "ab"]
    assert len(set(ids)) == 4


def test_faults_strike_as_often_as_they_are_told_and_are_counted() -> None:
    faults = Faults(seed=7)
    faults.add("rate", times=2, user="ann")
    assert [faults.take({"rate"}, user=user) is not None for user in ("bob", "ann", "ann", "ann")] == [
        False,
        True,
        True,
        False,
    ]
    assert faults.seen("rate") == 2
    faults.add("error", share=0.3)
    struck = [faults.take({"error"}) is not None for _ in range(1000)]
    assert 250 < sum(struck) < 350
    again = Faults(seed=7)
    again.add("error", share=0.3)
    assert [again.take({"error"}) is not None for _ in range(1000)] == struck
    with pytest.raises(ValueError, match="unknown fault"):
        faults.add("explode")


async def test_control_over_http(fake: FakeLine, webhook: Webhook) -> None:
    async with aiohttp.ClientSession(fake.base_url) as client:

        async def get(path: str) -> Any:
            async with client.get(f"/_fake/{path}") as answer:
                return await answer.json()

        async def post(path: str, body: Any) -> tuple[int, Any]:
            async with client.post(f"/_fake/{path}", json=body) as answer:
                return answer.status, await answer.json()

        assert (await post("say", {"user": "ann", "text": "hello"}))[0] == 200
        assert (await post("deliver", {"events": [fake.user_message("bob", "there")]}))[1] == {"status": 200}
        assert (await post("choose", {"user": "ann", "data": "YES"}))[0] == 200
        assert webhook.bodies[2]["events"][0]["postback"] == {"data": "YES"}
        assert (await post("faults", {"kind": "rate", "times": 1}))[0] == 200
        assert (await post("faults", {"kind": "explode"}))[0] == 400
        assert [fault["kind"] for fault in await get("faults")] == ["rate"]
        assert len(await get("deliveries")) == 3
        info = await get("info?channel=shop")
        assert (info["name"], info["channel_table"]["id"]) == ("line", "shop")
        async with client.post("/v2/bot/message/push", json={"to": "x"}) as answer:
            assert answer.status == 429
        (call,) = await get("journal")
        assert (call["status"], call["fault"], call["accepted"]) == (429, "rate", False)
        assert await get("journal?after=1") == []
        await post("reset", {})
        assert await get("journal") == []


async def test_all_fakes_in_one_process_that_ends_when_told(tmp_path: Path) -> None:
    process = await _start_fakes()
    assert process.stdout is not None
    platforms = json.loads(await process.stdout.readline())["platforms"]
    line = platforms["line"]
    assert line["channel"]["api_base"] == line["url"]
    assert set(line["environment"]) == {
        value.removeprefix("env:") for value in line["channel"].values() if value.startswith("env:")
    }
    async with aiohttp.ClientSession(line["url"]) as client, client.get("/_fake/journal") as answer:
        assert await answer.json() == []
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


async def test_the_process_ends_with_its_parent() -> None:
    """A shell starts the fakes, tells their process id and is killed."""
    parent = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        f"{sys.executable} -m tests.fakes --webhook-base http://127.0.0.1:1/webhooks --platform line & echo $!; wait",
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    await parent.stdout.readline()
    parent.kill()
    await parent.wait()
    await eventually(lambda: _gone(child))


def _gone(process_id: int) -> None:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return
    # A zombie waits for whoever inherited it to look.
    assert state == "Z", f"process {process_id} is in state {state}"


async def _start_fakes() -> asyncio.subprocess.Process:
    command = (
        sys.executable,
        "-m",
        "tests.fakes",
        "--webhook-base",
        "http://127.0.0.1:1/webhooks",
        "--channel",
        "main",
    )
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ))
