"""brokers: each of three is killed, paused, delayed, reset and out of disk, under load; then two of three are gone.

Model: three copies of everything, two of which acknowledge; every broker stands behind a proxy, which is the only way
to it, and writes to a small tmpfs, whose space is taken away. Nothing that was accepted is lost, doubled or reordered.
With two brokers killed, or two disks full, nothing can be stored: intake answers 503 before the platform hangs up, and
no 2xx is without its record. With space again, work goes on. Needs the right to mount. Figure:
"brokers" of the table of drills.
"""

import asyncio
import time
from collections.abc import Sequence

from connectors.registry import platform_named
from streams.app import STAGES
from tests.fault.cluster import KINDS, NODES, AckWatch, Cluster, three_brokers
from tests.fault.drill_frame import Frame
from tests.fault.fleet import Fleet, drawn_platforms
from tests.harness.history import Sent

QUICK_KINDS = ("pause", "delay", "reset")
QUICK_OUTAGE = ("fill", "kill")
"""What the short form does to single nodes, and to two at once: each kind of fault comes up."""
ANSWER_SHARE_MAX = 0.8
"""Of the platform's limit, by the platform's clock: intake's own 0.75, and the way there and back."""


async def run(frame: Frame) -> None:
    """Every fault on every node, in random order; then the loss of two, in each way in which nodes are lost."""
    faults = [(kind, node) for kind in KINDS for node in range(NODES)]
    frame.random.shuffle(faults)
    outages = [("kill", "kill"), ("fill", "fill")]
    if frame.is_quick:
        faults = [(kind, frame.random.randrange(NODES)) for kind in QUICK_KINDS]
        outages = [QUICK_OUTAGE]
        frame.say(f"quick: {len(faults)} faults instead of {len(KINDS) * NODES}, one outage instead of two")
    seconds = frame.scaled("seconds of a fault", 12, 4)
    rate = frame.scaled("messages per second", 60, 20)
    platforms = drawn_platforms(frame)
    partitions = int(frame.scaled("partitions of a topic", 8, 4))
    frame.plan_faults(len(faults) + sum(map(len, outages)))
    async with three_brokers(frame.folder / "cluster") as cluster:
        fleet = Fleet(
            frame,
            static=STAGES,
            settings={"replication": NODES, "partitions": partitions},
            platforms=platforms,
            bootstrap=cluster.broker.bootstrap,
        )
        async with fleet.running():
            fleet.start_load(rate_per_s=rate, users=10)
            async with fleet.supervised(), AckWatch(lambda: len(fleet.load.sent)) as acks:
                await _strike_all(frame, fleet, cluster, acks, [(*fault, seconds) for fault in faults])
                for kinds in outages:
                    await _two_of_three_gone(frame, fleet, cluster, kinds)
                await fleet.stop_load()
                await fleet.judge(timeout_s=60)


async def _strike_all(
    frame: Frame, fleet: Fleet, cluster: Cluster, acks: AckWatch, faults: Sequence[tuple[str, int, float]]
) -> None:
    for kind, node, seconds in faults:
        await cluster.in_use(node)
        await fleet.reach(len(fleet.load.sent) + 20)
        acks.gap_s_max = 0.0
        frame.say(f"{kind} on broker {node}")
        if await cluster.strike(kind, node, seconds=seconds):
            frame.saw_fault(f"{kind} on broker {node} was seen")
        frame.measure_worst("back_at_work_s_max", await fleet.back_at_work(time.monotonic()), limit=20.0)
        frame.say(f"nothing was accepted for {acks.gap_s_max:.1f} s")
        frame.measure_worst("ack_gap_s_max", acks.gap_s_max, limit=6.0)
        frame.measure_worst(f"ack_gap_{kind}_s_max", acks.gap_s_max, limit=6.0)


async def _two_of_three_gone(frame: Frame, fleet: Fleet, cluster: Cluster, kinds: Sequence[str]) -> None:
    """Whoever is asked in the meantime answers 503 in time; what is answered 2xx all the same has to be in the log."""
    gone = frame.random.sample(range(NODES), k=len(kinds))
    for kind, node in zip(kinds, gone, strict=True):
        if await cluster.take_down(kind, node):
            frame.saw_fault(f"broker {node} is gone ({kind})")
    answers: list[int] = []
    outage = "-".join(kinds)
    writers = [
        _write_during_outage(frame, fleet, name, f"{outage}{number}", answers)
        for name in fleet.it.fakes
        for number in range(3)
    ]
    await asyncio.gather(*writers)
    wrong = [status for status in answers if status != 503]
    frame.require(not wrong, f"without a quorum intake answered {wrong}; 0 is no answer within the platform's limit")
    frame.measure("answers_without_quorum", len(answers) + frame.measures.get("answers_without_quorum", 0))
    await cluster.bring_back(gone)
    frame.measure_worst("back_after_outage_s_max", await fleet.back_at_work(time.monotonic()), limit=20.0)


async def _write_during_outage(frame: Frame, fleet: Fleet, platform: str, user: str, answers: list[int]) -> None:
    """One delivery, once. It may be stored after its 503, and is answered then; the platform would deliver it again."""
    fake = fleet.it.fakes[platform]
    text = f"{user} on {platform} #1"
    event = fake.user_message(user, text)
    began = time.monotonic()
    status = await fake.deliver(fake.body([event]))
    share = (time.monotonic() - began) / platform_named(platform).answer_within_s
    frame.measure_worst("answer_share_max", share, limit=ANSWER_SHARE_MAX)
    answers.append(status)
    fleet.load.sent.append(Sent(platform, user, 1, text, fake.native_id(event), 200 <= status < 300))
