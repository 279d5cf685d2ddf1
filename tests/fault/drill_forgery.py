"""forgery: signatures that are left out, made up, changed or of another body, over every channel.

Model: whoever cannot prove to be the platform is told 401 or 403 and leaves no trace: no record, no error of ours; and
honest messages before, between and after are taken. Figure: "forgery" of the table of drills.
"""

import itertools

from streams.app import build_topics
from tests.fault.drill_frame import Frame
from tests.fault.forgeries import forged
from tests.fault.raw_http import statuses_of
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.topics import read_topic

REFUSED = frozenset({401, 403})
ROUNDS = 4


async def run(frame: Frame) -> None:
    """Forgeries in rounds, platform by platform, with an honest message before and after each round."""
    it = Deployment(frame.bootstrap, frame.folder / "intake", seed=frame.seed)
    each = int(frame.scaled("forgeries", 10_000, 1_500)) // len(it.fakes) + 1
    frame.plan_faults(each * len(it.fakes))
    async with it.running(["intake"]):
        for _ in range(ROUNDS):
            await _honest(frame, it)
            for name in it.fakes:
                await _forge(frame, it, name, each // ROUNDS + 1)
        await _honest(frame, it)
        await _judge(frame, it)


async def _forge(frame: Frame, it: Deployment, name: str, count: int) -> None:
    endless = forged(it.fakes[name], f"/webhooks/{name}/{CHANNEL}", frame.random)
    found = await statuses_of(it.port, list(itertools.islice(endless, count)))
    refused = sum(found[status] for status in REFUSED)
    frame.faults_seen += refused
    frame.say(f"{name}: {dict(found)}")
    frame.measures["forgeries"] = frame.measures.get("forgeries", 0) + count
    frame.measures["server_errors"] = frame.measures.get("server_errors", 0) + sum(
        times for status, times in found.items() if status >= 500
    )
    frame.require(refused == count, f"{name} answered {count - refused} forgeries with {dict(found)}")


async def _honest(frame: Frame, it: Deployment) -> None:
    for name, fake in it.fakes.items():
        status = await fake.deliver(fake.body([fake.user_message("ann", "honest")]))
        frame.require(status == 200, f"an honest message on {name} was answered with {status}")
    frame.accept(len(it.fakes))


async def _judge(frame: Frame, it: Deployment) -> None:
    """On each topic are the honest messages and nothing else."""
    topics = build_topics(it.product_settings)
    stored = {name: len(await read_topic(it.bootstrap, topics.inbound(name))) for name in it.fakes}
    frame.measures["stored"] = sum(stored.values())
    frame.lose(sum(max(0, ROUNDS + 1 - count) for count in stored.values()))
    frame.require(set(stored.values()) == {ROUNDS + 1}, f"records on the topics: {stored}, wanted {ROUNDS + 1} each")
