"""Health on a real broker: a revoked token is on the log, in `iris channels list` and on intake's admin port."""

import asyncio
from pathlib import Path

import aiohttp
import orjson
import pytest

from streams.app import STAGES
from streams.broker import Broker
from streams.care.control import Control, Publisher
from tests.fakes.telegram import TOKEN
from tests.harness.channels import configure, iris
from tests.harness.deployment import CHANNEL, Deployment, free_port
from tests.harness.eventually import eventually
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker


async def test_many_writes_at_once_share_one_connection_and_are_all_read_back(broker: Broker, tmp_path: Path) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["telegram"], settings={"partitions": 3})
    await it.open()
    topic = f"{it.prefix}control"
    publisher = Publisher(it.bootstrap, topic, partitions=3)
    try:
        await asyncio.gather(*(publisher.put(f"key/{number}", b"%d" % number) for number in range(20)))
        await publisher.put("key/7", None)
        assert not [task for task in asyncio.all_tasks() if "Sender" in repr(task)][1:], "one producer"
        control = Control(it.bootstrap, topic)
        await control.read_once(timeout_s=20)
        wanted = {f"key/{number}": b"%d" % number for number in range(20) if number != 7}
        assert control.values == wanted
    finally:
        await publisher.close()
        await it.close()


async def test_a_revoked_token_is_told_once_and_by_one_of_several_processes(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = f"http://127.0.0.1:{(port := free_port())}"
    settings = {"health_interval_s": 1, "partitions": 3, "admin_port": port, "admin_token": "t0ken"}
    it = Deployment(broker.bootstrap, tmp_path, platforms=["telegram"], settings=settings)

    async def told() -> list[str]:
        stored = await read_topic(it.bootstrap, f"{it.prefix}conversation.events")
        events = [orjson.loads(record.value or b"") for record in stored if b'"health"' in (record.value or b"")]
        return [event["data"]["change"] for event in events if event["type"] == "channel_updated"]

    async def has_told(*changes: str) -> None:
        assert await told() == list(changes)

    async def shown(path: str) -> str:
        headers = {"Authorization": "Bearer t0ken"}
        async with aiohttp.ClientSession() as session, session.get(f"{admin}{path}", headers=headers) as answer:
            return await answer.text()

    async def is_on_the_admin_port() -> None:
        labels = f'channel="{CHANNEL}",platform="telegram",state="bad_credentials"'
        assert f"iris_channel_health{{{labels}}} 1.0" in await shown("/metrics")
        (row,) = orjson.loads(await shown("/v1/channels"))["channels"]
        assert (row["channel"], row["health"]["state"], TOKEN in str(row)) == (CHANNEL, "bad_credentials", False)

    async with it.running(("intake", *STAGES)):
        fake = it.fakes["telegram"]
        it.processes["send-b"] = it.process("send", instance="-b", data_dir=str(tmp_path / "b"))
        await it.start(["send-b"])

        def is_asked() -> None:
            assert any("getWebhookInfo" in call["path"] for call in fake.journal)

        await eventually(is_asked, timeout_s=20)
        fault = fake.faults.add("token")
        await eventually(lambda: has_told("bad_credentials"), timeout_s=20)
        await eventually(is_on_the_admin_port)
        monkeypatch.setenv("IRIS_KAFKA_BOOTSTRAP_SERVERS", it.bootstrap)
        monkeypatch.setenv("IRIS_TOPIC_PREFIX", it.prefix)
        (tmp_path / "cli").mkdir()
        configure([fake], tmp_path / "cli", monkeypatch, id=CHANNEL)
        code, (line,), _ = await iris("channels", "list")
        assert (code, line["health"]["state"]) == (0, "bad_credentials")
        fault.left = 0
        await eventually(lambda: has_told("bad_credentials", "connected"), timeout_s=20)
        for record in await read_topic(it.bootstrap, f"{it.prefix}control"):
            assert TOKEN.encode() not in (record.value or b"")
