"""Kill at each named point and go on: nothing lost, order kept, the table equal to the fold, the unknown recorded.

Model: every process is started with one failpoint, fed until it dies there, and started again without. The platforms'
journals, the log and the changelog are judged once at the end.
"""

import asyncio
from pathlib import Path

import pytest

from streams.broker import Broker
from streams.engine.failpoints import EXIT_CODE
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Sent
from tests.harness.load import Load, write_one
from tests.harness.processes import Process

pytestmark = pytest.mark.broker

POINTS = (
    ("intake", "intake.before_answer"),
    ("normalise", "normalise.after_outputs"),
    ("normalise", "normalise.before_offset"),
    ("converse", "converse.after_outputs"),
    ("converse", "converse.after_state"),
    ("converse", "converse.before_offset"),
    ("respond", "respond.after_answer"),
    ("respond", "respond.after_outputs"),
    ("send", "send.after_started"),
    ("send", "send.after_call"),
)
DEATHS_OF_SEND = sum(name == "send" for name, _ in POINTS)


class Writer:
    """Writes messages of ever new users, and of one that writes all the time."""

    def __init__(self, it: Deployment, load: Load) -> None:
        self._it = it
        self._load = load
        self._count = 0

    async def __call__(self) -> Sent:
        self._count += 1
        fakes = list(self._it.fakes.values())
        fake = fakes[self._count % len(fakes)]
        sent = await write_one(fake, f"steady on {fake.name}", self._count)
        self._load.sent.append(sent)
        return sent


@pytest.mark.timeout(240)
async def test_a_kill_at_any_named_point_loses_doubles_and_reorders_nothing(broker: Broker, tmp_path: Path) -> None:
    settings = {"instance_id": "one"}
    async with Deployment(broker.bootstrap, tmp_path, settings=settings).running() as it:
        load = Load([], users=0, messages=0, pause_s=0, seed=1)
        write = Writer(it, load)
        for name, point in POINTS:
            process = it.processes[name]
            await process.terminate()
            assert process.exits[-1] == 0, f"{name} did not end well: {process.tail()}"
            await process.start(failpoints=f"{point}=1", wait_ready=False)
            # A message that kills intake is delivered again by the platform until intake is back.
            writing = asyncio.create_task(write())
            await died(process, point)
            await process.start()
            await writing
            await write()
        verdict = await it.drained(load, timeout_s=60)
        assert verdict.accepted == len(load.sent)
        # Each platform has one conversation here, so at most that many sends were in flight when ``send`` died.
        assert DEATHS_OF_SEND <= verdict.unknown <= DEATHS_OF_SEND * len(it.fakes)
        assert verdict.failed == 0

        await it.table_equals_fold()


async def died(process: Process, point: str) -> None:
    """Wait until the process has ended at its point and nowhere else."""

    def ended() -> None:
        assert not process.is_alive, f"{process.name} never came to {point}; its log ends:\n{process.tail()}"

    await eventually(ended, timeout_s=30)
    assert await process.wait() == EXIT_CODE, process.tail()
