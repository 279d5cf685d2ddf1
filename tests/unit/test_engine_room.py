"""The limit of what is in hand holds per source topic: one that is at its limit is not read on, the others are."""

from pathlib import Path

from aiokafka.structs import TopicPartition
from faust.types import TP

from streams.engine.core import Limits
from streams.engine.room import Room
from streams.engine.worker import Runtime
from tests.harness.eventually import eventually
from tests.unit.engine_kafka import FETCH_RECORDS_MAX, Kafka, assign, consumer_of, reading, runtime_on
from tests.unit.engine_world import Echo

STUCK, FLOWING = TopicPartition("stuck", 0), TopicPartition("flowing", 0)
LENGTH = 20
IN_HAND_MAX = 4


class Reader(Echo):
    reads = ("stuck", "flowing")
    has_table = False


def started(folder: Path, *, stuck: int = LENGTH) -> tuple[Kafka, Runtime]:
    kafka = Kafka({STUCK: stuck, FLOWING: LENGTH})
    runtime, _ = runtime_on(kafka, Reader(), folder, limits=Limits(inflight_records_max=IN_HAND_MAX))
    return kafka, runtime


def finish(runtime: Runtime, place: TopicPartition) -> None:
    """All that is in hand of this partition is done."""
    tracker = runtime.engine.trackers[place]
    runtime.engine.finish(runtime.engine.epoch, place, range(tracker.prefix_end or 0, tracker.next_offset))


def read_of(runtime: Runtime, place: TopicPartition) -> int:
    return runtime.engine.trackers[place].next_offset


async def test_a_topic_at_its_limit_is_not_read_on_and_the_others_are(tmp_path: Path) -> None:
    kafka, runtime = started(tmp_path)
    async with reading(runtime):

        def all_of_the_other_is_read() -> None:
            finish(runtime, FLOWING)
            assert read_of(runtime, FLOWING) == LENGTH

        await eventually(all_of_the_other_is_read, interval_s=0.002)
        assert IN_HAND_MAX <= read_of(runtime, STUCK) < IN_HAND_MAX + FETCH_RECORDS_MAX
        assert kafka.paused == {STUCK}


async def test_a_topic_is_read_on_as_soon_as_there_is_room_again(tmp_path: Path) -> None:
    kafka, runtime = started(tmp_path)
    async with reading(runtime):

        def is_paused() -> None:
            finish(runtime, FLOWING)
            assert kafka.paused == {STUCK}

        await eventually(is_paused, interval_s=0.002)
        finish(runtime, STUCK)
        assert kafka.paused == set()

        def all_is_read() -> None:
            finish(runtime, STUCK)
            assert read_of(runtime, STUCK) == LENGTH

        await eventually(all_is_read, interval_s=0.002)


async def test_nothing_is_read_while_all_topics_are_at_their_limits(tmp_path: Path) -> None:
    _, runtime = started(tmp_path)
    async with reading(runtime):

        def both_are_full() -> None:
            assert not runtime.engine.room.is_free.is_set()

        await eventually(both_are_full, interval_s=0.002)
        assert runtime.engine.inflight < 2 * (IN_HAND_MAX + FETCH_RECORDS_MAX)
        finish(runtime, STUCK)
        assert runtime.engine.room.is_free.is_set()


async def test_a_new_assignment_begins_with_room_for_every_topic(tmp_path: Path) -> None:
    kafka, runtime = started(tmp_path)
    async with reading(runtime):

        def is_paused() -> None:
            finish(runtime, FLOWING)
            assert kafka.paused == {STUCK}

        await eventually(is_paused, interval_s=0.002)
        await runtime.end_assignment()
        assert kafka.paused == set()
        assert (runtime.engine.inflight, runtime.engine.room.full) == (0, set())


async def test_room_does_not_undo_what_faust_paused_for_recovery(tmp_path: Path) -> None:
    kafka, runtime = started(tmp_path, stuck=0)
    await assign(runtime)
    consumer = consumer_of(runtime)
    runtime.engine.room.on_room = lambda topics: consumer._switch_sources("resume", topics)
    consumer.pause_partitions({TP(*STUCK)})
    assert kafka.paused == set(), "aiokafka goes on fetching what Faust has paused"
    runtime.engine.room.take("stuck", IN_HAND_MAX)
    runtime.engine.room.give_back("stuck", 1)
    assert TP(*STUCK) not in consumer._get_active_partitions()


def test_a_topic_is_told_of_once_when_it_has_room_again() -> None:
    told: list[set[str]] = []
    room = Room(("a", "b"), 4)
    room.on_room = told.append
    room.take("a", 6)
    for _ in range(3):
        room.give_back("a", 1)
    room.give_back("a", 1)
    assert told == [{"a"}]
    assert room.total == 2
