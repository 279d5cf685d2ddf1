"""crash: processes die at every named point and at random instants, and are stopped past their session, under load.

Model: everything that was accepted is answered once, in order; what a sender had in flight when it died may be unknown,
and is recorded as such (``unknown_at_death``). An answer that came too late on a busy machine makes an unknown send as
well; it is counted apart (``unknown_by_timeout``), and the full form allows none. One half of the run has two dynamic
members per stage, so that each death, SIGTERM and stop moves partitions; the other half has static ones. Faults are
counted by exit codes and by proc(5). Figures: "crash" and "back at work" of the table of drills.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streams.app import STAGES
from tests.fault.drill_frame import Frame
from tests.fault.fleet import SESSION_S, Fleet
from tests.fault.unknowns import lives_of, sort_unknowns
from tests.harness.topics import read_topic

POINTS = (
    "intake.before_answer",
    "normalise.before_outputs", "normalise.after_outputs", "normalise.before_offset",
    "converse.before_outputs", "converse.after_outputs", "converse.after_state", "converse.before_offset",
    "respond.after_answer", "respond.after_outputs", "respond.after_state",
    "send.after_started", "send.after_call", "send.after_outputs", "send.after_state",
)  # fmt: skip
RATE_PER_S = 60
"""Two cores, which the simulated platforms share with everything else, answer all sends in time at this rate."""
KILLS = 25
QUICK_KILLS = 3
PASSES_MAX = 20
"""A named point strikes at a random one of its first so many passes."""


@dataclass(frozen=True)
class Scale:
    """Of one half."""

    messages: int
    rate_per_s: float
    users: int


async def run(frame: Frame) -> None:
    """Both halves, each on topics of its own."""
    messages = int(frame.scaled("messages", 20_000, 240))
    rate = frame.scaled("messages per second", RATE_PER_S, 30)
    scale = Scale(messages // 2, rate, users=8 if frame.is_quick else 40)
    points = list(POINTS)
    frame.random.shuffle(points)
    named = points[:QUICK_KILLS] if frame.is_quick else points
    anywhere = [] if frame.is_quick else _spread(frame.random, KILLS - len(points))
    kills = [*(("at", point) for point in named), *(("kill", stage) for stage in anywhere)]
    frame.random.shuffle(kills)
    half = len(kills) // 2
    stages = frame.random.sample(STAGES, k=1) if frame.is_quick else STAGES
    moves = [*(("term", stage) for stage in stages if not frame.is_quick), *(("stop", stage) for stage in stages)]
    dynamic = kills[:half] + moves
    frame.random.shuffle(dynamic)
    frame.plan_faults(len(kills) + len(moves))
    workers = dict.fromkeys({target.partition(".")[0] for _, target in dynamic} & set(STAGES), 2)
    await _half(frame, Fleet(frame, name="dynamic", workers=workers), dynamic, scale)
    await _half(frame, Fleet(frame, name="static", is_static=True), kills[half:], scale)


def _spread(chance: random.Random, count: int) -> list[str]:
    """Stages for kills at random instants; each comes up before any comes up again."""
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(("intake", *STAGES), k=len(STAGES) + 1)
    return names[:count]


async def _half(frame: Frame, fleet: Fleet, faults: Sequence[tuple[str, str]], scale: Scale) -> None:
    async with fleet.running():
        fleet.start_load(rate_per_s=scale.rate_per_s, users=scale.users)
        for number, fault in enumerate(faults, 1):
            await fleet.reach(scale.messages * number / (len(faults) + 1))
            await _strike(frame, fleet, *fault)
        await fleet.reach(scale.messages)
        await fleet.stop_load()
        await fleet.judge(timeout_s=60)
        await _explain_unknowns(frame, fleet)


async def _strike(frame: Frame, fleet: Fleet, kind: str, target: str) -> None:
    stage = target.partition(".")[0]
    worker = frame.random.choice(fleet.workers.get(stage, [stage]))
    if kind == "term":
        await fleet.terminate(worker)
        frame.saw_fault(f"{worker} ended on SIGTERM")
        await fleet.it.processes[worker].start()
    elif kind == "stop":
        await fleet.stop_past_session(worker, SESSION_S + 2)
    else:
        act: Callable[[], Awaitable[float]] = lambda: fleet.kill(worker)  # noqa: E731
        if kind == "at":
            act = lambda: fleet.kill_at(worker, target, pass_number=frame.random.randint(1, PASSES_MAX))  # noqa: E731
        took_s = await fleet.back_at_work(await act())
        frame.say(f"back at work after {took_s:.1f} s")
        frame.measure_worst("back_at_work_s_max", took_s, limit=10.0)


async def _explain_unknowns(frame: Frame, fleet: Fleet) -> None:
    """Every unknown send has its cause, and the causes are counted apart."""
    log = await read_topic(fleet.it.bootstrap, f"{fleet.it.prefix}conversation.events")
    found = sort_unknowns(lives_of(log), fleet.sender_incidents, _answered_at(fleet))
    counts = {
        "unknown_at_death": len(found.at_death),
        "sends_in_flight_at_death": found.in_flight_at_death,
        "unknown_by_timeout": len(found.by_timeout),
    }
    for name, count in counts.items():
        limit = 0.0 if name == "unknown_by_timeout" else None
        frame.measure(name, count + frame.measures.get(name, 0), limit=limit)
    frame.require(not found.stray, f"unknown without a sender's death or a late answer: {found.stray[:5]}")


def _answered_at(fleet: Fleet) -> dict[str, float]:
    """The latest, where a text became visible more than once."""
    calls = [call for fake in fleet.it.fakes.values() for call in fake.journal if call["accepted"]]
    return {text: call["answered_at"] for call in calls for text in call["texts"]}
