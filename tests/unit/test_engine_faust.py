"""How Faust is driven where it would lose, hide or forget something if it were left alone."""

from pathlib import Path
from typing import Any

from aiokafka.structs import TopicPartition

from streams.engine.core import BatchLost
from streams.engine.transport import FetchingStopped
from tests.harness.eventually import eventually
from tests.unit.engine_kafka import Kafka, assign, reading, runtime_on
from tests.unit.engine_world import Echo, World

PLACE = TopicPartition("in", 0)


async def test_a_recovery_takes_back_the_signal_of_the_one_before_it_when_it_starts(tmp_path: Path) -> None:
    """Otherwise a second recovery within five seconds ends at once, on a state that is not there yet."""
    runtime, _ = runtime_on(Kafka({PLACE: 0}), Echo(), tmp_path)
    tables: Any = runtime.app.tables
    recovery = tables.recovery
    recovery._set_recovery_started()
    recovery.signal_recovery_end.set()
    recovery._set_recovery_ended()
    recovery._set_recovery_started()
    assert not recovery.signal_recovery_end.is_set()


async def test_what_waits_for_the_agent_is_still_there_when_faust_resumes_the_flow(tmp_path: Path) -> None:
    """The seek of a new assignment comes before: records of this one may wait already, and nobody reads them again."""
    runtime, _ = runtime_on(Kafka({PLACE: 0}), Echo(), tmp_path)
    waiting: Any = runtime.app.topic("in").queue
    waiting.put_nowait("a batch")
    runtime.app.flow_control.suspend()
    runtime.app.flow_control.resume()
    assert waiting.qsize() == 1


async def test_a_batch_that_never_reached_the_runner_ends_the_process(tmp_path: Path) -> None:
    world = World(Echo(), tmp_path)
    numbers = [world.engine.number_batch() for _ in range(3)]
    world.engine.take_batch(numbers[0])
    assert not world.failures
    world.engine.take_batch(numbers[2])
    assert isinstance(world.failures[0], BatchLost)
    world.store.close()


async def test_batches_are_counted_anew_in_every_assignment(tmp_path: Path) -> None:
    world = World(Echo(), tmp_path)
    world.engine.number_batch()
    world.reads_again(0)
    world.engine.take_batch(world.engine.number_batch())
    assert not world.failures
    world.store.close()


async def test_a_consumer_that_has_stopped_fetching_ends_the_process(tmp_path: Path) -> None:
    kafka = Kafka({PLACE: 0})
    runtime, _ = runtime_on(kafka, Echo(), tmp_path)
    failures: list[BaseException] = []
    runtime.engine.on_failure = failures.append
    async with reading(runtime):
        await eventually(lambda: kafka.has_been_asked(2), interval_s=0.002)
        assert not failures
        kafka.fail_fetching()

        def ended() -> None:
            assert isinstance(failures[0] if failures else None, FetchingStopped)

        await eventually(ended, interval_s=0.002)


async def test_records_that_were_fetched_under_the_assignment_before_are_read_again(tmp_path: Path) -> None:
    """The log has no later record whose arrival would show the hole."""
    kafka = Kafka({PLACE: 2})
    kafka.holds_fetches = True
    runtime, _ = runtime_on(kafka, Echo(), tmp_path)
    async with reading(runtime):
        await kafka.is_holding.wait()
        await assign(runtime)
        # What aiokafka has in hand is past the seek: its answer moves the position once more.
        kafka.positions[PLACE] = 2
        kafka.release()

        def all_is_in_hand() -> None:
            assert runtime.engine.trackers[PLACE].next_offset == 2

        await eventually(all_is_in_hand, interval_s=0.002)
