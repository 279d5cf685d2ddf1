"""restart: every process is restarted, one after the other, under load, as a new version is rolled out.

Model: SIGTERM finishes what is in hand, so nothing is lost, doubled or left unknown; each process ends with code 0
within 15 s. One half rolls static members, where nothing moves, the other dynamic ones, where everything does.
Figure: "rolling restart" of the table of drills.
"""

from collections.abc import Mapping

from streams.app import STAGES
from tests.fault.drill_frame import Frame
from tests.fault.fleet import Fleet, drawn_platforms


async def run(frame: Frame) -> None:
    """Static, then dynamic with two workers per stage."""
    rate = frame.scaled("messages per second", 100, 20)
    rounds = int(frame.scaled("rounds", 2, 1))
    platforms = drawn_platforms(frame)
    await _roll(frame, Fleet(frame, name="static", static=STAGES, platforms=platforms), rate, rounds)
    if frame.is_quick:
        frame.say("quick: no round with dynamic members")
    else:
        workers: Mapping[str, int] = dict.fromkeys(STAGES, 2)
        await _roll(frame, Fleet(frame, name="dynamic", workers=workers), rate, rounds=1)


async def _roll(frame: Frame, fleet: Fleet, rate_per_s: float, rounds: int) -> None:
    async with fleet.running():
        fleet.start_load(rate_per_s=rate_per_s, users=10 if frame.is_quick else 30)
        for _ in range(rounds):
            names = list(fleet.it.processes)
            frame.random.shuffle(names)
            frame.plan_faults(len(names))
            for name in names:
                await fleet.reach(len(fleet.load.sent) + rate_per_s / 2)
                await fleet.terminate(name)
                frame.saw_fault(f"{name} ended")
                await fleet.it.processes[name].start()
        await fleet.stop_load()
        verdict = await fleet.judge(timeout_s=60)
        frame.require(verdict.unknown == 0, f"{verdict.unknown} sends were given up by a restart: {verdict.details}")
