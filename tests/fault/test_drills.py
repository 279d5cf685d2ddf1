"""The short forms of the drills that need no cluster of their own; the full ones are `make drills`.

Each is judged by its own report: what was lost, doubled or reordered, and whether it saw the faults that it planned.
Figures of time are not judged here: the machine that runs the tests may be busy.
"""

from pathlib import Path

import pytest

from streams.broker import Broker
from tests.fault.drill import drill_named
from tests.fault.drill_frame import Frame, as_line, run_drill
from tests.harness.history import Verdict

pytestmark = pytest.mark.broker

SEED = 7


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["crash", "zombie", "restart", "recovery", "badinput", "forgery", "slow"])
async def test_the_quick_form_of_a_drill_passes(name: str, broker: Broker, tmp_path: Path) -> None:
    frame = Frame(name, seed=SEED, is_quick=True, bootstrap=broker.bootstrap, folder=tmp_path)
    report = await run_drill(drill_named(name), frame)
    assert report["passed"], as_line(report)


def frame_of(tmp_path: Path, *, is_quick: bool = False) -> Frame:
    return Frame("any", seed=1, is_quick=is_quick, bootstrap="", folder=tmp_path)


def test_a_drill_that_saw_too_few_of_its_faults_has_not_passed(tmp_path: Path) -> None:
    frame = frame_of(tmp_path)
    frame.plan_faults(10)
    for number in range(8):
        frame.saw_fault(f"fault {number}")
    assert not frame.report()["passed"]
    frame.saw_fault("the ninth")
    assert frame.report()["passed"]


def test_one_lost_message_fails_a_drill(tmp_path: Path) -> None:
    frame = frame_of(tmp_path)
    frame.judge(Verdict(accepted=10, lost=1))
    report = frame.report()
    assert (report["accepted"], report["lost"], report["passed"]) == (10, 1, False)


def test_a_figure_of_time_fails_the_full_form_only(tmp_path: Path) -> None:
    for is_quick in (False, True):
        frame = frame_of(tmp_path, is_quick=is_quick)
        frame.measure("back_at_work_s_max", 11.0, limit=10.0)
        assert frame.report()["passed"] == is_quick


def test_two_runs_of_one_seed_draw_the_same_chances(tmp_path: Path) -> None:
    assert frame_of(tmp_path).random.random() == frame_of(tmp_path).random.random()
