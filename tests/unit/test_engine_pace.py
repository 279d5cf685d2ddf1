"""When requests wait for company: under load, and only then."""

from streams.engine.pace import BUSY_PER_S, WINDOW_S, Pace


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
