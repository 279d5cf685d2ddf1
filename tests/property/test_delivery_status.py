"""Status is the maximum of a rank over the set of reports: order and repetition do not matter."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from streams.delivery.status import ORDER, SETTLED, Status, furthest

REPORTS = st.lists(st.sampled_from(ORDER))


@given(REPORTS, st.randoms())
def test_the_order_of_reports_does_not_matter(reports: list[Status], random: object) -> None:
    shuffled = sorted(reports, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert furthest(reports) == furthest(shuffled) == furthest(reports + shuffled)


@given(REPORTS, REPORTS)
def test_a_further_report_never_takes_a_part_back(before: list[Status], after: list[Status]) -> None:
    assert ORDER.index(furthest([*before, *after])) >= ORDER.index(furthest(before))


@given(st.sampled_from(["delivered", "read", "played"]), st.booleans())
def test_what_proves_delivery_beats_failed_in_either_order(proof: Status, is_first: bool) -> None:
    pair: list[Status] = [proof, "failed"] if is_first else ["failed", proof]
    assert furthest(pair) == proof


def test_every_status_has_a_rank_and_nothing_is_planned() -> None:
    assert set(ORDER) == set(get_args(Status))
    assert furthest([]) == "planned"
    assert {"planned", "started"} == set(ORDER) - SETTLED
