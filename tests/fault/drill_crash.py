"""crash: processes die at every named point and at random instants, and are stopped past their session, under load.

Model: everything that was accepted is answered once, in order; what a sender had in flight when it died may be unknown,
and is recorded as such (``unknown_at_death``). An answer that came too late on a busy machine makes an unknown send as
well; it is counted apart (``unknown_by_timeout``), and the full form allows none. One half of the run has two dynamic
members per stage, so that each death, SIGTERM and stop moves partitions; the other half has static ones. The short form
has both in one fleet. Faults are counted by exit codes and by proc(5). Figures: "crash" and "back at work" of the table
of drills.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from streams.app import STAGES
from tests.fault.drill_frame import Frame
from tests.fault.fleet import SESSION_S, Fleet, drawn_platforms
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
QUICK_NAMED = 3
PASSES_MAX = 20
"""A named point strikes at a random one of its first so many passes."""

Fault = tuple[str, str]
"""What to do, and to which stage, or at which point of one."""


@dataclass(frozen=True)
class Scale:
    """Of one fleet. A named point strikes at a random one of its first ``passes``."""

    messages: float
    rate_per_s: float
    users: int
    passes: int


async def run(frame: Frame) -> None:
    """Two fleets one after the other; in the short form one fleet, with members of both sorts."""
    points = list(POINTS)
    frame.random.shuffle(points)
    messages = frame.scaled("messages", 20_000, 100)
    rate = frame.scaled("messages per second", RATE_PER_S, 20)
    passes = int(frame.scaled("passes before a named point strikes, at most", PASSES_MAX, 5))
    if frame.is_quick:
        await _one_fleet(frame, points, Scale(messages, rate, 8, passes))
    else:
        await _both_halves(frame, points, Scale(messages / 2, rate, 40, passes))


async def _both_halves(frame: Frame, points: Sequence[str], scale: Scale) -> None:
    kills = [("at", point) for point in points]
    kills += [("kill", stage) for stage in _spread(frame.random, KILLS - len(points))]
    frame.random.shuffle(kills)
    half = len(kills) // 2
    dynamic = kills[:half] + [(move, stage) for move in ("term", "stop") for stage in STAGES]
    frame.random.shuffle(dynamic)
    workers = dict.fromkeys({_stage(target) for _, target in dynamic} & set(STAGES), 2)
    await _under_fire(frame, Fleet(frame, name="dynamic", workers=workers), [dynamic], scale)
    await _under_fire(frame, Fleet(frame, name="static", static=STAGES), [kills[half:]], scale)


async def _one_fleet(frame: Frame, points: Sequence[str], scale: Scale) -> None:
    """Three named deaths of as many stages, and one of each other fault. One stage has two dynamic members; what
    befalls them and what befalls the static ones goes on side by side, each fault when the one before is over."""
    named = list({_stage(point): point for point in points}.values())[:QUICK_NAMED]
    moving = next(point for point in named if _stage(point) in STAGES)
    stage = _stage(moving)
    dynamic = [("at", moving), ("term", stage), ("stop", stage)]
    static = [("at", point) for point in named if point != moving]
    static.append(("kill", frame.random.choice([name for name in ("intake", *STAGES) if name != stage])))
    for faults in (dynamic, static):
        frame.random.shuffle(faults)
    frame.say(
        f"quick: {len(dynamic + static)} faults instead of {KILLS + 2 * len(STAGES)}, on one fleet instead of two"
    )
    platforms = drawn_platforms(frame)
    fleet = Fleet(frame, platforms=platforms, workers={stage: 2}, static=[name for name in STAGES if name != stage])
    await _under_fire(frame, fleet, [dynamic, static], scale)


def _stage(target: str) -> str:
    return target.partition(".")[0]


def _spread(chance: random.Random, count: int) -> list[str]:
    """Stages for kills at random instants; each comes up before any comes up again."""
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(("intake", *STAGES), k=len(STAGES) + 1)
    return names[:count]


async def _under_fire(frame: Frame, fleet: Fleet, series: Sequence[Sequence[Fault]], scale: Scale) -> None:
    """Every series of faults beside the others, spread over the messages; then the judgement."""
    frame.plan_faults(sum(map(len, series)))
    chances = [random.Random(frame.random.random()) for _ in series]
    async with fleet.running():
        fleet.start_load(rate_per_s=scale.rate_per_s, users=scale.users)
        async with asyncio.TaskGroup() as group:
            for faults, chance in zip(series, chances, strict=True):
                group.create_task(_strike_all(frame, fleet, faults, scale, chance))
        await fleet.reach(scale.messages)
        await fleet.stop_load()
        await fleet.judge(timeout_s=60)
        await _explain_unknowns(frame, fleet)


async def _strike_all(frame: Frame, fleet: Fleet, faults: Sequence[Fault], scale: Scale, chance: random.Random) -> None:
    for number, (kind, target) in enumerate(faults, 1):
        await fleet.reach(scale.messages * number / (len(faults) + 1))
        worker = chance.choice(fleet.workers.get(_stage(target), [_stage(target)]))
        await _strike(frame, fleet, kind, worker, point=target, pass_number=chance.randint(1, scale.passes))


async def _strike(frame: Frame, fleet: Fleet, kind: str, worker: str, *, point: str, pass_number: int) -> None:
    if kind == "term":
        await fleet.terminate(worker)
        frame.saw_fault(f"{worker} ended on SIGTERM")
        await fleet.it.processes[worker].start()
    elif kind == "stop":
        await fleet.stop_past_session(worker, SESSION_S + 2)
    else:
        is_named = kind == "at"
        died = await (fleet.kill_at(worker, point, pass_number=pass_number) if is_named else fleet.kill(worker))
        took_s = await fleet.back_at_work(died)
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
