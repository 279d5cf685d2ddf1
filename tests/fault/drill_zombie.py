"""zombie: a worker is stopped in the midst of a step, deposed, and continued: nothing it writes is believed.

Model: one worker of a stage stops (SIGSTOP, by a failpoint that hits the worst instant) for longer than its session; a
second one takes its partitions over and every partition works again. The first, continued, goes on in the midst of its
step. Anomaly: a batch on the changelog behind one of a later owner's epoch, read from the batches themselves; or a
table that is no fold of the log. The zombie then ends with a reason or rejoins. Figure: "zombie".
"""

import asyncio
import time

from streams.app import STAGES_WITH_TABLE, build_topics
from tests.fault.drill_frame import Frame
from tests.fault.fleet import SESSION_S, Fleet, drawn_platforms
from tests.harness.batches import Batch, read_batches, stale
from tests.harness.eventually import eventually
from tests.harness.processes import Process

STAGES = ("converse", "send", "respond", "normalise")
WORST = {"send": "send.after_started"}
"""Where a stage stops, if not between outputs and state: right before a call that its successor gives up as unknown."""
PASSES_MAX = 10


async def run(frame: Frame) -> None:
    """One zombie per stage, one after the other, under load."""
    stages = STAGES[: int(frame.scaled("stages with a zombie", len(STAGES), 1))]
    rate = frame.scaled("messages per second", 60, 20)
    stopped_s = frame.scaled("seconds stopped", 20, SESSION_S + 2)
    frame.plan_faults(len(stages))
    async with Fleet(frame, workers=dict.fromkeys(stages, 2), platforms=drawn_platforms(frame)).running() as fleet:
        fleet.start_load(rate_per_s=rate, users=8)
        ended = 0
        for stage in stages:
            ended += not await _raise_the_dead(frame, fleet, stage, stopped_s)
        await fleet.stop_load()
        await fleet.judge(timeout_s=60)
        frame.measure("zombies_ended", ended)
        await _expect_no_stale_write(frame, fleet)


async def _raise_the_dead(frame: Frame, fleet: Fleet, stage: str, stopped_s: float) -> bool:
    """Stop one worker of the stage, let it be deposed, continue it; whether it lived on."""
    worker = frame.random.choice(fleet.workers[stage])
    before = await _owners(fleet, stage)
    process = fleet.it.processes[worker]
    process.arm(f"{WORST.get(stage, f'{stage}.after_outputs')}={frame.random.randint(1, PASSES_MAX)}:stop")
    await eventually(lambda: _require_stopped(process), timeout_s=60)
    began, since = time.time(), time.monotonic()
    frame.say(f"{worker} is stopped")
    took_s = await fleet.back_at_work(since)
    frame.measure(f"{stage}_taken_over_s", took_s)
    await asyncio.sleep(max(0.0, stopped_s - (time.monotonic() - since)))
    was_deposed = process.is_stopped and (stage not in STAGES_WITH_TABLE or await _owners(fleet, stage) != before)
    lived_on = await fleet.resume(worker)
    fleet.note(stage, began, time.time())
    if was_deposed:
        frame.saw_fault(f"{worker} was deposed, then continued, and {'rejoined' if lived_on else 'ended'}")
    await fleet.back_at_work(time.monotonic())
    return lived_on


def _require_stopped(process: Process) -> None:
    assert process.is_stopped, f"{process.name} never came to its failpoint:\n{process.tail()}"


async def _batches(fleet: Fleet, stage: str) -> list[Batch]:
    return await read_batches(fleet.it.bootstrap, build_topics(fleet.it.product_settings).changelog(stage))


async def _owners(fleet: Fleet, stage: str) -> dict[int, int]:
    """The newest epoch of each changelog partition."""
    if stage not in STAGES_WITH_TABLE:
        return {}
    return {batch.partition: batch.epoch for batch in await _batches(fleet, stage)}


async def _expect_no_stale_write(frame: Frame, fleet: Fleet) -> None:
    found = [batch for stage in STAGES_WITH_TABLE for batch in stale(await _batches(fleet, stage))]
    frame.measure("stale_writes", len(found), limit=0, decides=True)
