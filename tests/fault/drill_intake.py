"""intake: signed webhooks at a steady rate, then as many as it takes, beside a bare handler that does the same.

Model: every webhook is answered 2xx, its record is stored once, and the 99th percentile of the answers stays small. The
bare handler is ``tests.perf.sides.aiohttp_intake``; both are loaded in turn on the same machine. Figure: "intake load".
"""

import asyncio
import json
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.fault.drill_frame import Frame
from tests.fault.intake_setup import IntakeAlone, intake_alone
from tests.fault.webhooks import Connections, prepare
from tests.harness.processes import ROOT

PARTITIONS = 8
CONNECTIONS = 64
SATURATING_BODIES = 2_000


async def run(frame: Frame) -> None:
    """Steady first, judged; then both sides at their limit."""
    rate = frame.scaled("webhooks per second", 500, 200)
    seconds = frame.scaled("seconds", 60, 8)
    rounds = int(frame.scaled("rounds against the bare handler", 5, 2))
    async with intake_alone(frame) as intake:
        await intake.connections(CONNECTIONS).as_fast_as_possible(intake.prepare(200), seconds=1)
        webhooks = intake.prepare(int(rate * seconds))
        answers = await intake.connections(CONNECTIONS).at_rate(webhooks, rate)
        frame.say(f"{dict(answers.statuses)} at {answers.rate_per_s:.0f}/s")
        refused = sum(answers.statuses.values()) - len(answers.taken)
        frame.require(not refused, f"{refused} of {len(webhooks)} webhooks were not answered 2xx")
        frame.measure("p50_ms", answers.percentile_s(0.5) * 1000)
        frame.measure("p99_ms", answers.percentile_s(0.99) * 1000, limit=50.0)
        await _judge_steady(frame, intake, answers.taken)
        await _against_bare(frame, intake, rounds)


async def _judge_steady(frame: Frame, intake: IntakeAlone, taken: list[str]) -> None:
    # The warm-up sent its webhooks over and over, so only what the steady load sent is looked at.
    stored = await intake.stored()
    frame.accept(len(taken))
    frame.lose(len(set(taken) - stored.keys()))
    doubled = [native_id for native_id in taken if stored[native_id] > 1]
    frame.require(not doubled, f"{len(doubled)} webhooks are stored twice")


async def _against_bare(frame: Frame, intake: IntakeAlone, rounds: int) -> None:
    ours: list[float] = []
    bare: list[float] = []
    seconds = 1.5 if frame.is_quick else 4.0
    async with _bare_handler(frame, intake) as port:
        sides = (
            (ours, intake.connections(CONNECTIONS), intake.prepare(SATURATING_BODIES)),
            (bare, Connections(port, CONNECTIONS), prepare(intake.fake, SATURATING_BODIES, path="/webhook")),
        )
        for _ in range(rounds):
            for rates, connections, webhooks in sides:
                answers = await connections.as_fast_as_possible(webhooks, seconds=seconds)
                frame.require(set(answers.statuses) == {200}, f"at the limit: {dict(answers.statuses)}")
                rates.append(answers.rate_per_s)
    frame.measure("rate_per_s", statistics.median(ours))
    frame.measure("bare_rate_per_s", statistics.median(bare))
    share = statistics.median(mine / other for mine, other in zip(ours, bare, strict=True))
    frame.measure_at_least("rate_vs_bare", share, least=0.7)


@asynccontextmanager
async def _bare_handler(frame: Frame, intake: IntakeAlone) -> AsyncIterator[int]:
    topic = f"{intake.it.prefix}bare"
    admin = AIOKafkaAdminClient(bootstrap_servers=frame.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    await admin.close()
    secret = intake.fake.environment()["FAKE_LINE_CHANNEL_SECRET"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.perf.sides.aiohttp_intake", frame.bootstrap, topic, secret,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield int(json.loads(await process.stdout.readline())["port"])
    finally:
        process.kill()
        await process.wait()
