"""One platform's outage holds up no other, even when more of its messages wait than a stage may have in hand."""

from functools import partial
from pathlib import Path

import pytest

from streams.broker import Broker
from tests.fakes.base import FakePlatform
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker

IN_HAND_MAX = 4
WAITING = 3 * IN_HAND_MAX


async def test_a_platform_that_is_down_with_more_than_its_share_waiting_holds_up_no_other(
    broker: Broker, tmp_path: Path
) -> None:
    settings = {
        "inflight_records_max": IN_HAND_MAX,
        "batch_records_max": IN_HAND_MAX,
        "send_pause_s": 0.5,
        "partitions": 2,
    }
    it = Deployment(broker.bootstrap, tmp_path, platforms=["line", "telegram"], settings=settings)
    async with it.running():
        line, telegram = it.fakes["line"], it.fakes["telegram"]
        users = [f"u{number}" for number in range(WAITING)]
        outage = line.faults.add("token")
        for user in users:
            await line.say(user, "hello")

        async def all_wait() -> None:
            assert len(await read_topic(it.bootstrap, f"{it.prefix}outbound.line")) == WAITING
            assert outage.hits

        await eventually(all_wait, timeout_s=30)
        for number in range(WAITING):
            await telegram.say("ann", f"{number}")
            await eventually(partial(_has_seen, telegram, [f"re: {n}" for n in range(number + 1)]))
        assert not any(line.seen(user) for user in users)

        outage.left = 0

        def all_answered() -> None:
            assert {user: line.seen(user) for user in users} == {user: ["re: hello"] for user in users}

        await eventually(all_answered, timeout_s=30)


def _has_seen(fake: FakePlatform, texts: list[str]) -> None:
    assert fake.seen("ann") == texts
