"""overload: three times as many webhooks as intake can take, then the usual rate again.

Model: whoever cannot be served is told so (429 or 503), and nothing else goes wrong: what was answered 2xx is stored,
each once; memory stays bounded; soon after, everything is as before. The limit of webhooks in hand is lowered so that a
load generator on the same machine can reach it. Figure: "overload".
"""

import asyncio
import time

from tests.fault.drill_frame import Frame
from tests.fault.intake_setup import IntakeAlone, intake_alone, judge_stored
from tests.fault.memory import memory_mb, peak_memory_mb

ALLOWED = frozenset({200, 429, 503})
IN_HAND_MAX = 200
CONNECTIONS = 600
LIMIT_WEBHOOKS = 4_000
UNBOUNDED_PER_S = 1e6
"""All are due at once: what is answered then, over few enough connections that none is refused, is the capacity."""
NORMAL_RATE_PER_S = 100
NORMAL_P99_S = 0.1
MEMORY_MB_MAX = 150.0
PROBE_S = 0.25


async def run(frame: Frame) -> None:
    """Find the limit, go to three times it, come back."""
    seconds = frame.scaled("seconds of overload", 15, 4)
    frame.plan_faults(1)
    async with intake_alone(frame, webhook_requests_max=IN_HAND_MAX) as intake:
        warm = await intake.connections(64).at_rate(intake.prepare(500), 500)
        full = await intake.connections(64).at_rate(intake.prepare(LIMIT_WEBHOOKS), UNBOUNDED_PER_S)
        limit = full.rate_per_s
        frame.measure("capacity_per_s", limit)
        before_mb = memory_mb(intake.process.pid)
        peak = asyncio.create_task(peak_memory_mb(intake.process.pid))
        webhooks = intake.prepare(int(3 * limit * seconds))
        answers = await intake.connections(CONNECTIONS).at_rate(webhooks, 3 * limit)
        peak.cancel()
        peak_mb = await peak
        frame.say(f"{dict(answers.statuses)}, {answers.rate_per_s:.0f}/s")
        refused = sum(count for status, count in answers.statuses.items() if status in (429, 503))
        if refused or answers.percentile_s(0.5) > NORMAL_P99_S:
            frame.saw_fault(
                f"overloaded: {refused} refused, half of the answers after {answers.percentile_s(0.5):.2f} s"
            )
        wrong = {status: count for status, count in answers.statuses.items() if status not in ALLOWED}
        frame.require(not wrong, f"overload was answered with {wrong}")
        frame.measure("refused", refused)
        frame.measure("memory_mb_more", peak_mb - before_mb, limit=MEMORY_MB_MAX, decides=True)
        normal_s, taken = await _normal_again(intake)
        frame.measure("normal_again_s", normal_s, limit=10.0)
        await judge_stored(frame, intake, [*warm.taken, *full.taken, *answers.taken, *taken])


async def _normal_again(intake: IntakeAlone) -> tuple[float, list[str]]:
    """Seconds until a quarter of a second at the usual rate goes as usual; gives up after 30 s. And what was taken."""
    began = time.monotonic()
    taken: list[str] = []
    while time.monotonic() - began < 30:
        webhooks = intake.prepare(int(NORMAL_RATE_PER_S * PROBE_S))
        answers = await intake.connections(8).at_rate(webhooks, NORMAL_RATE_PER_S)
        taken += answers.taken
        if set(answers.statuses) == {200} and answers.percentile_s(0.99) < NORMAL_P99_S:
            break
    return time.monotonic() - began, taken
