"""When requests wait for company: under load, and only then."""

import pytest

from streams.engine.pace import BUSY_PER_S, LINGER_S, WINDOW_S, Pace, Spacing


class Clock:
    """Stepped by hand, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def run(pace: Pace, clock: Clock, *, per_s: int, seconds: float) -> None:
    for _ in range(int(per_s * seconds)):
        clock.now_s += 1 / per_s
        pace.count()


def test_little_traffic_never_waits() -> None:
    clock = Clock()
    pace = Pace(clock)
    run(pace, clock, per_s=BUSY_PER_S // 2, seconds=10 * WINDOW_S)
    assert not pace.is_busy


def test_much_traffic_waits_after_one_window_and_no_more_one_window_after_it_ended() -> None:
    clock = Clock()
    pace = Pace(clock)
    run(pace, clock, per_s=2 * BUSY_PER_S, seconds=2.5 * WINDOW_S)
    assert pace.is_busy
    run(pace, clock, per_s=BUSY_PER_S // 5, seconds=2.5 * WINDOW_S)
    assert not pace.is_busy


def test_a_pause_counts_as_little_traffic() -> None:
    clock = Clock()
    pace = Pace(clock)
    run(pace, clock, per_s=2 * BUSY_PER_S, seconds=2.5 * WINDOW_S)
    clock.now_s += 60
    pace.count()
    assert not pace.is_busy


def test_under_load_each_request_waits_the_same() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.linger_s() == 0
    run(pace, clock, per_s=2 * BUSY_PER_S, seconds=2.5 * WINDOW_S)
    assert [pace.linger_s(), pace.linger_s()] == [LINGER_S, LINGER_S]


def test_spaced_requests_leave_apart_and_wait_no_longer_than_that() -> None:
    clock = Clock()
    pace = Spacing(clock)
    run(pace, clock, per_s=2 * BUSY_PER_S, seconds=2.5 * WINDOW_S)
    assert pace.linger_s() == 0
    clock.now_s += LINGER_S / 3
    assert pace.linger_s() == pytest.approx(LINGER_S * 2 / 3)
    # That one left at its own time, a while after it was wanted.
    clock.now_s += LINGER_S * 2 / 3
    assert pace.linger_s() == pytest.approx(LINGER_S)
    clock.now_s += 3 * LINGER_S
    assert pace.linger_s() == 0


def test_spaced_requests_do_not_wait_with_little_traffic() -> None:
    clock = Clock()
    pace = Spacing(clock)
    run(pace, clock, per_s=BUSY_PER_S // 2, seconds=10 * WINDOW_S)
    assert [pace.linger_s(), pace.linger_s()] == [0, 0]
