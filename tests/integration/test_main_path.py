"""The main path: a webhook becomes a reply, through a real broker and real processes, on every platform there is."""

from pathlib import Path

import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.load import Load
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker


async def test_every_message_of_every_platform_gets_its_one_reply_in_order(broker: Broker, tmp_path: Path) -> None:
    async with Deployment(broker.bootstrap, tmp_path).running() as it:
        fakes = list(it.fakes.values())
        load = Load(fakes, users=4, messages=5, pause_s=0.1, seed=3)
        await load.run()

        verdict = await it.drained(load)
        assert verdict.accepted == len(fakes) * 20
        assert verdict.unknown == 0
        assert await read_topic(broker.bootstrap, f"{it.prefix}dead.letters") == []
