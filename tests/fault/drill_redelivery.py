"""redelivery: one delivery in ten comes twice, some at the same instant, some later.

Model: the second copy of a message has no effect: one event counts, one turn, one answer. Copies are counted where they
arrive, as events that the log has twice. Figure: "redelivery" of the table of drills.
"""

import asyncio

from streams.app import STAGES
from tests.fault.drill_frame import Frame
from tests.fault.fleet import Fleet
from tests.harness.history import Sent

SHARE = 0.1


async def run(frame: Frame) -> None:
    """A load whose deliveries are doubled at random; afterwards old messages come again."""
    messages = int(frame.scaled("messages", 6_000, 300))
    rate = frame.scaled("messages per second", 100, 40)
    later = int(messages * SHARE / 2)
    frame.plan_faults(int(messages * SHARE / 2 * 0.8) + later)
    async with Fleet(frame, static=STAGES).running() as fleet:
        fakes = list(fleet.it.fakes.values())
        for fake in fakes:
            fake.faults.add("duplicate_webhook", share=SHARE / 2)
        fleet.start_load(rate_per_s=rate, users=10)
        await fleet.reach(messages)
        await fleet.stop_load()
        again = frame.random.sample(fleet.load.sent, k=later)
        await asyncio.gather(*(_deliver_again(fleet, sent) for sent in again))
        verdict = await fleet.judge()
        frame.faults_seen = verdict.repeats
        frame.say(f"{verdict.repeats} events came twice")


async def _deliver_again(fleet: Fleet, sent: Sent) -> None:
    """The same event, as the platform sends it again: same ids, same bytes but for its own mark."""
    fake = fleet.it.fakes[sent.platform]
    await fake.deliver(fleet.load.bodies[sent.text], ids=[sent.native_id])
