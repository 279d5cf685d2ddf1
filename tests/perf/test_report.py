"""The bench's own arithmetic: ratios pair by pair, promises judged by their median, summaries kept."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.perf.figures import KEYS, Figure, Wanted, json_members, rounded
from tests.perf.report import Setting, row, spread, write

BESIDE = Figure(
    part="stage",
    what="one stage",
    unit="CPU µs/event",
    ours=(10.0, 30.0, 20.0),
    yardstick="quix",
    theirs=(20.0, 100.0, 80.0),
    wanted=Wanted(0.5),
    ratio_key="stage_vs_quix",
)
ALONE = Figure(
    "recovery", "records", "records/s", (4e4, 6e4), wanted=Wanted(5e4, True), value_key="recovery_records_per_s"
)
SETTING = Setting(date(2026, 11, 24), "2 cores", 0.1, 3, False, 900.0, "Kafka")


def test_a_ratio_is_the_median_over_pairs_not_the_ratio_of_medians() -> None:
    assert BESIDE.ratios == (0.5, 0.3, 0.25)
    assert json_members([BESIDE]) == {"stage_vs_quix": 0.3}


@pytest.mark.parametrize(
    ("figure", "is_good"),
    [
        (BESIDE, True),
        (replace(BESIDE, wanted=Wanted(0.29)), False),
        (replace(BESIDE, wanted=Wanted(0.29, is_minimum=True)), True),
        (replace(BESIDE, wanted=None), None),
        (ALONE, True),
        (replace(ALONE, ours=(4e4, 5e4)), False),
    ],
)
def test_a_promise_is_judged_by_the_ratio_or_by_our_own_figure_where_nothing_stands_beside(
    figure: Figure, is_good: bool | None
) -> None:
    assert figure.is_good is is_good


def test_of_figures_with_one_key_the_worst_is_told() -> None:
    worse = replace(BESIDE, ours=(20.0, 100.0, 80.0))
    low = replace(ALONE, ours=(1_000.0,))
    assert json_members([BESIDE, worse, ALONE, low]) == {"stage_vs_quix": 1.0, "recovery_records_per_s": 1_000}


def test_the_json_line_has_the_agreed_members_in_their_order() -> None:
    figures = [replace(ALONE, value_key=key) for key in reversed(KEYS)]
    assert tuple(json_members(figures)) == KEYS


@pytest.mark.parametrize(
    ("values", "text"),
    [((), ""), ((12.345,), "12.3"), ((1.0, 3.0, 2.0), "2 (1-3)"), ((81_889.2, 90_000.0), "85,945 (81,889-90,000)")],
)
def test_spread_shows_the_median_between_the_extremes(values: tuple[float, ...], text: str) -> None:
    assert spread(values) == text


def test_a_missed_promise_is_marked_in_its_row() -> None:
    assert row(BESIDE)[-2:] == ("≤ 0.5", "ok")
    assert row(replace(ALONE, ours=(1.0,)))[-2:] == ("≥ 50,000", "MISSED")


def test_a_summary_replaces_that_of_its_day_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    write([BESIDE], SETTING, path)
    write([BESIDE], replace(SETTING, day=date(2026, 11, 25)), path)
    write([ALONE], replace(SETTING, day=date(2026, 11, 25)), path)
    text = path.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## 2026-11-25", "## 2026-11-24"]
    assert text.count("one stage") == 1
    assert text.count("| records |") == 1
    assert "2 cores; load 0.1" in text


def test_figures_keep_three_digits() -> None:
    assert [rounded(value) for value in (0.12345, 12.345, 1_234.5)] == [0.123, 12.3, 1_234]
