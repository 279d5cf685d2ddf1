"""Identities on a real broker: a person who was known by phone goes on under the user id, and intake knows it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.app import STAGES
from streams.broker import Broker
from tests.fakes.whatsapp import FakeWhatsApp
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.eventually import eventually
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker

WITH_PHONE = "ann"


class Ways:
    """The same person, as webhooks may name them."""

    def __init__(self, it: Deployment) -> None:
        fake = it.fakes["whatsapp"]
        assert isinstance(fake, FakeWhatsApp)
        self.fake = fake
        phone = fake.phone_of(WITH_PHONE)
        assert phone is not None
        self.by_phone = f"wa_{CHANNEL}_{phone}"
        self.by_user_id = f"wa_{CHANNEL}_{fake.native_user(WITH_PHONE)}"

    async def say(self, text: str, *, without: tuple[str, ...] = ()) -> None:
        """Deliver a message whose body lacks these members of its person."""
        body: dict[str, Any] = orjson.loads(self.fake.body([self.fake.user_message(WITH_PHONE, text)]))
        value = body["entry"][0]["changes"][0]["value"]
        for named in (*value["messages"], *value["contacts"]):
            for name in without:
                named.pop(name, None)
        assert await self.fake.deliver(orjson.dumps(body)) == 200


async def test_person_known_by_phone_goes_on_under_the_user_id_in_every_intake(broker: Broker, tmp_path: Path) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["whatsapp"], settings={"partitions": 3})
    only_phone = ("user_id", "from_user_id")

    async def key_of_last() -> str:
        stored = await read_topic(it.bootstrap, f"{it.prefix}inbound.whatsapp")
        keys = {record.timestamp_ms: record.key for record in stored if b'"messages"' in (record.value or b"")}
        return (keys[max(keys)] or b"").decode()

    async def heard(text: str) -> None:
        assert text in ways.fake.seen(WITH_PHONE)

    async with it.running(("intake", *STAGES)):
        ways = Ways(it)
        await ways.say("one", without=only_phone)
        await eventually(lambda: heard("re: one"), timeout_s=20)
        assert await key_of_last() == ways.by_phone

        await ways.say("two")
        await eventually(lambda: heard("re: two"), timeout_s=20)

        async def is_followed() -> None:
            await ways.say("three", without=only_phone)
            assert await key_of_last() == ways.by_user_id

        await eventually(is_followed, timeout_s=20, interval_s=0.3)
        await eventually(lambda: heard("re: three"), timeout_s=20)

        await it.processes["intake"].kill()
        await it.start(["intake"])
        await ways.say("four", without=only_phone)
        assert await key_of_last() == ways.by_user_id
        await eventually(lambda: heard("re: four"), timeout_s=20)
        question = it.ai.journal[-1]["body"]
        told = [message["content"] for message in question["context"]["messages"]]
        assert told[:2] == ["one", "re: one"]
        await it.table_equals_fold()
