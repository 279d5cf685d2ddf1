"""redelivery: one delivery in ten comes twice, some at the same instant, some later, some while intake is restarted.

Model: the second copy of a message has no effect: one event counts, one turn, one answer. Copies are counted at the
fakes, by native ids that were answered 2xx more than once. Figure: "redelivery" of the table of drills.
"""

import asyncio
from collections import Counter

from tests.fakes.base import FakePlatform
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
    async with Fleet(frame, is_static=True).running() as fleet:
        fakes = list(fleet.it.fakes.values())
        for fake in fakes:
            fake.faults.add("duplicate_webhook", share=SHARE / 2)
        fleet.start_load(rate_per_s=rate, users=10)
        await fleet.reach(messages)
        await fleet.stop_load()
        again = frame.random.sample(fleet.load.sent, k=later)
        await asyncio.gather(*(_deliver_again(fleet, sent) for sent in again))
        frame.faults_seen = sum(map(copies_taken, fakes))
        frame.say(f"{frame.faults_seen} deliveries were taken twice")
        verdict = await fleet.judge()
        frame.measure("copies_in_the_log", verdict.repeats)


async def _deliver_again(fleet: Fleet, sent: Sent) -> None:
    """The same event, as the platform sends it again: same ids, same bytes but for its own mark."""
    fake = fleet.it.fakes[sent.platform]
    body = fleet.load.bodies[sent.native_id]
    await fake.deliver(body, ids=[sent.native_id])


def copies_taken(fake: FakePlatform) -> int:
    """Deliveries answered 2xx whose message had been taken before."""
    taken = Counter(id for delivery in fake.deliveries if 200 <= delivery["status"] < 300 for id in delivery["ids"])
    return sum(count - 1 for count in taken.values())
