"""SIGTERM while a call is out: the call ends and is noted before the process does, so nothing is in doubt."""

import asyncio
from pathlib import Path

import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.load import Load, write_one

pytestmark = pytest.mark.broker

CALL_S = 1.5


async def test_a_call_that_is_out_when_the_stage_is_stopped_is_sent_and_known_to_be_sent(
    broker: Broker, tmp_path: Path
) -> None:
    settings = {"instance_id": "one", "partitions": 2}
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"], settings=settings).running() as it:
        line = it.fakes["line"]
        slow = line.faults.add("accept_then_hang", times=1, seconds=CALL_S)
        load = Load([], users=0, messages=0, pause_s=0, seed=1)
        load.sent.append(await write_one(line, "ann", 1))

        def call_is_out() -> None:
            assert slow.hits == 1

        await eventually(call_is_out, timeout_s=20, interval_s=0.01)
        send = it.processes["send"]
        stopping = asyncio.create_task(send.terminate())
        # This one arrives while the stage settles; it is read by the next process.
        load.sent.append(await write_one(line, "ben", 2))
        assert await stopping == 0, send.tail()
        await send.start()
        verdict = await it.drained(load)
        assert (verdict.accepted, verdict.unknown, verdict.failed) == (2, 0, 0)
        assert [len(line.seen(user)) for user in ("ann", "ben")] == [1, 1]
