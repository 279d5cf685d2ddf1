"""A schedule makes the process fail once, at the named pass of the named point, also when it comes while it works."""

from pathlib import Path

import pytest

from streams.engine.failpoints import FailpointReached, Failpoints


def test_a_point_fails_at_its_pass_and_at_no_other() -> None:
    points = Failpoints("stage.here=2:raise")
    points.reach("stage.here")
    points.reach("stage.elsewhere")
    with pytest.raises(FailpointReached):
        points.reach("stage.here")
    points.reach("stage.here")


def test_without_a_schedule_nothing_is_watched() -> None:
    assert not Failpoints("").is_watched


def test_a_process_is_armed_at_work_and_counts_from_then_on(tmp_path: Path) -> None:
    schedule = tmp_path / "orders"
    points = Failpoints(f"@{schedule}")
    assert points.is_watched
    points.reach("stage.here")
    schedule.write_text("stage.here=2:raise")
    points.reach("stage.here")
    assert not schedule.exists(), "a schedule that was read does not hold for the next life"
    with pytest.raises(FailpointReached):
        points.reach("stage.here")
