"""The finished prefix: nothing beyond a hole is ever committed, and a hole in the fetch is read again."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.tracker import PartitionTracker


@dataclass(frozen=True)
class Fetched:
    offset: int


def fetched(*offsets: int) -> list[Fetched]:
    return [Fetched(offset) for offset in offsets]


def test_only_the_finished_prefix_is_committable() -> None:
    tracker = PartitionTracker(5)
    tracker.admit(fetched(5, 6, 7, 8))
    found = []
    for offsets in ([6, 8], [5], [7]):
        tracker.finish(offsets)
        found.append(tracker.committable)
    assert found == [None, 7, 9]


def test_an_offset_is_offered_for_commit_once() -> None:
    tracker = PartitionTracker(0)
    tracker.admit(fetched(0))
    tracker.finish([0])
    tracker.committed = tracker.committable
    assert tracker.committable is None


def test_a_hole_in_the_fetch_is_read_again_before_it_is_believed() -> None:
    tracker = PartitionTracker(10)
    assert tracker.admit(fetched(13, 14)) == ((), 10)
    records, seek_to = tracker.admit(fetched(10, 11, 12, 13))
    assert [record.offset for record in records] == [10, 11, 12, 13]
    assert seek_to is None


def test_a_hole_that_is_still_there_at_the_second_look_is_the_logs_own() -> None:
    tracker = PartitionTracker(10)
    tracker.admit(fetched(13))
    records, seek_to = tracker.admit(fetched(13))
    assert [record.offset for record in records] == [13]
    assert seek_to is None
    tracker.finish([13])
    assert tracker.committable == 14


def test_records_in_hand_are_not_admitted_twice() -> None:
    tracker = PartitionTracker(0)
    tracker.admit(fetched(0, 1, 2))
    records, _ = tracker.admit(fetched(1, 2, 3))
    assert [record.offset for record in records] == [3]
    assert tracker.admit(fetched(1, 2)) == ((), None)


@given(st.permutations(list(range(30))), st.integers(0, 30))
def test_whatever_the_order_of_finishing_the_commit_never_passes_an_unfinished_record(
    order: list[int], finished: int
) -> None:
    tracker = PartitionTracker(0)
    tracker.admit(fetched(*range(30)))
    for offset in order[:finished]:
        tracker.finish([offset])
    unfinished = set(order[finished:])
    expected = min(unfinished, default=30)
    assert (tracker.prefix_end or 0) == expected
    assert tracker.unfinished == 30 - expected
