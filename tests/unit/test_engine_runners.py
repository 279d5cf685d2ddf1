"""How stages are run: outputs before state before acknowledgement, order per conversation, poison passes by."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from streams.engine.active import ActiveRunner, ActiveStepView
from streams.engine.api import Output, Record, View
from streams.engine.due import DueWatch
from streams.engine.pure import PureRunner
from streams.engine.view import StepView
from streams.engine.writer import Writer
from tests.harness.eventually import eventually
from tests.unit.engine_world import Echo, Slow, World


@pytest.fixture
async def pure(tmp_path: Path) -> AsyncIterator[tuple[World, PureRunner]]:
    world = World(Echo(), tmp_path)
    runner = PureRunner(world.engine, Echo(), checkpoint_interval_s=0.01)
    yield world, runner
    await runner.cancel()
    world.store.close()


async def test_outputs_come_before_state_and_state_before_acknowledgement(pure: tuple[World, PureRunner]) -> None:
    world, runner = pure
    world.topics.holds = {"out", "changelog"}
    await runner.submit(world.records((b"ann", b"1"), (b"ben", b"2")))

    def outputs_written() -> None:
        assert world.topics.on("out") == [b"1", b"2"]

    await eventually(outputs_written)
    assert world.topics.on("changelog") == []
    assert world.committable is None
    held, world.topics.held = world.topics.held, []
    for future in held:
        future.set_result(0)

    def state_written() -> None:
        assert world.topics.on("changelog") == [b"1", b"1"]

    await eventually(state_written)
    assert world.committable is None
    world.topics.release()
    await world.done(2)
    assert not world.failures


async def test_a_poison_record_becomes_a_dead_letter_and_the_others_of_its_batch_keep_their_effects(
    pure: tuple[World, PureRunner],
) -> None:
    world, runner = pure
    await runner.submit(world.records((b"ann", b"1"), (b"ann", b"!bad"), (b"ann", b"2"), (b"ben", b"3"), (b"", b"4")))
    await world.done(5)
    assert world.topics.on("dead") == [b"!bad", b"4"]
    assert world.topics.on("out") == [b"1", b"rejected !bad", b"2", b"3", b"rejected 4"]
    stored = world.store.get(b"ann", b"")
    assert stored is not None
    assert stored.data == b"2"


async def test_a_record_whose_effect_is_in_the_state_is_not_handled_again(pure: tuple[World, PureRunner]) -> None:
    world, runner = pure
    await runner.submit(world.records((b"ann", b"1")))
    await world.done(1)
    world.reads_again(0)
    await runner.submit(world.records((b"ann", b"1"), (b"ann", b"2")))
    await world.done(2)
    assert world.topics.on("out") == [b"1", b"2"]


async def test_what_belongs_to_an_earlier_assignment_is_neither_stored_nor_acknowledged(
    pure: tuple[World, PureRunner],
) -> None:
    world, runner = pure
    world.topics.holds = {"out"}
    await runner.submit(world.records((b"ann", b"1")))

    def written() -> None:
        assert world.topics.on("out") == [b"1"]

    await eventually(written)
    world.reads_again(0)
    world.topics.release()

    def idle() -> None:
        assert runner.is_idle

    await eventually(idle)
    assert world.topics.on("changelog") == []
    assert world.committable is None


async def test_a_systematic_failure_ends_the_process_and_acknowledges_nothing_of_it(
    pure: tuple[World, PureRunner],
) -> None:
    world, runner = pure
    await runner.submit(world.records(*((b"k%d" % n, b"?bug") for n in range(150))))

    def ended() -> None:
        assert world.failures

    await eventually(ended)
    assert world.committable is None
    assert world.topics.on("dead") == []


async def test_a_due_timer_is_announced_once_on_the_stages_own_topic_until_it_is_cancelled(tmp_path: Path) -> None:
    world = World(Echo(), tmp_path)
    view = StepView(world.store, b"ann", position=1, now_ms=0)
    view.set_timer("session", 5_000)
    await world.store.apply({b"ann": view.writes}, cast(Writer, world.topics))
    watch = DueWatch(world.engine, timer_output=Echo().timer_output, is_busy_with=lambda _, __: False)
    await watch.scan(4_999)
    assert world.topics.on("in") == []
    await watch.scan(5_000)
    await watch.scan(5_001)
    assert world.topics.on("in") == [b"timer session 5000"]
    world.store.close()


async def test_an_expired_key_becomes_a_tombstone_on_the_changelog(tmp_path: Path) -> None:
    world = World(Echo(), tmp_path)
    view = StepView(world.store, b"ann", position=1, now_ms=0)
    view.put(b"i1", b"x", expires_at_ms=700)
    view.put(b"m1", b"hello")
    await world.store.apply({b"ann": view.writes}, cast(Writer, world.topics))
    watch = DueWatch(world.engine, timer_output=None, is_busy_with=lambda _, __: False)
    await watch.scan(699)
    assert world.store.get(b"ann", b"i1") is not None
    await watch.scan(700)
    assert world.store.get(b"ann", b"i1") is None
    assert world.topics.on("changelog")[-1] is None
    assert world.store.get(b"ann", b"m1") is not None
    world.store.close()


@pytest.fixture
async def active(tmp_path: Path) -> AsyncIterator[tuple[World, ActiveRunner, Slow]]:
    stage = Slow()
    world = World(stage, tmp_path)
    runner = ActiveRunner(world.engine, stage, checkpoint_interval_s=0.01)
    yield world, runner, stage
    await runner.cancel()
    world.store.close()


async def test_a_slow_conversation_holds_back_only_itself(active: tuple[World, ActiveRunner, Slow]) -> None:
    world, runner, stage = active
    stage.gates[b"ben"] = asyncio.Event()
    stage.gates[b"ben"].set()
    await runner.submit(world.records((b"ann", b"a1"), (b"ann", b"a2"), (b"ben", b"b1"), (b"ben", b"b2")))

    def ben_is_done() -> None:
        assert "end b2" in stage.log

    await eventually(ben_is_done)
    assert "begin a2" not in stage.log
    assert world.committable is None
    stage.gates.setdefault(b"ann", asyncio.Event()).set()
    await world.done(4)
    assert [line for line in stage.log if " a" in line] == ["begin a1", "end a1", "begin a2", "end a2"]


async def test_commit_makes_outputs_and_state_durable_before_it_returns(
    active: tuple[World, ActiveRunner, Slow],
) -> None:
    world, runner, stage = active
    world.topics.holds = {"changelog"}
    await runner.submit(world.records((b"ann", b"a1")))

    def told() -> None:
        assert world.topics.on("changelog") == [b"started"]

    await eventually(told)
    assert world.topics.on("out") == [b"started a1"]
    assert list(world.store.dump()) == []
    world.topics.release()
    stage.gates.setdefault(b"ann", asyncio.Event()).set()
    await world.done(1)
    assert [value.data for _, _, value in world.store.dump()] == [b"done"]


@pytest.mark.parametrize("held", ["out", "changelog"])
async def test_an_announcement_leaves_with_its_state_and_waits_for_both(
    active: tuple[World, ActiveRunner, Slow], held: str
) -> None:
    world, runner, stage = active
    stage.announces = True
    world.topics.holds = {held}
    await runner.submit(world.records((b"ann", b"a1")))

    def both_on_their_way() -> None:
        assert world.topics.on("out") == [b"started a1"]
        assert world.topics.on("changelog") == [b"started"]

    await eventually(both_on_their_way)
    await asyncio.sleep(0.05)
    assert stage.log == ["begin a1"]
    world.topics.release()
    stage.gates.setdefault(b"ann", asyncio.Event()).set()
    await world.done(1)
    assert stage.log == ["begin a1", "announced a1", "end a1"]


async def test_nothing_is_announced_for_an_assignment_that_has_ended(
    active: tuple[World, ActiveRunner, Slow],
) -> None:
    world, _, _ = active
    [record] = world.records((b"ann", b"a1"))
    view = ActiveStepView(world.engine, record)
    view.put(b"journal", b"started")
    world.reads_again(0)
    with pytest.raises(asyncio.CancelledError):
        await view.announce([Output("out", record.key, b"started a1")])
    assert world.topics.written == []


async def test_a_passing_error_is_tried_again_and_poison_is_not(active: tuple[World, ActiveRunner, Slow]) -> None:
    world, runner, stage = active
    stage.fail_times = 1
    stage.gates[b"ann"] = asyncio.Event()
    stage.gates[b"ann"].set()
    await runner.submit(world.records((b"ann", b"a1"), (b"ann", b"!a2"), (b"ann", b"a3")))
    await world.done(3)
    assert stage.log == ["begin a1", "begin a1", "end a1", "begin !a2", "begin a3", "end a3"]
    assert world.topics.on("dead") == [b"!a2"]


async def test_a_cancelled_record_is_not_acknowledged(active: tuple[World, ActiveRunner, Slow]) -> None:
    world, runner, stage = active
    await runner.submit(world.records((b"ann", b"a1")))

    def begun() -> None:
        assert stage.log == ["begin a1"]

    await eventually(begun)
    await runner.cancel()
    assert world.committable is None
    assert runner.is_idle


async def test_a_runner_can_be_cancelled_at_the_very_moment_at_which_it_is_hurried(
    pure: tuple[World, PureRunner],
) -> None:
    """As at every stop: what was handled is made durable, and right after that the checkpoints end."""
    world, runner = pure
    await runner.submit(world.records((b"ann", b"1")))
    await asyncio.sleep(0)
    runner.settle()
    async with asyncio.timeout(1):
        await runner.cancel()
    assert runner.is_idle


async def test_a_checkpoint_writes_a_key_once_and_the_main_key_last(tmp_path: Path) -> None:
    class Diary(Echo):
        def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
            outputs = super().handle(view, records)
            view.put(b"m", records[-1].value)
            return outputs

    world = World(Diary(), tmp_path)
    runner = PureRunner(world.engine, Diary(), checkpoint_interval_s=0.01)
    world.topics.holds = {"out"}
    for number in range(3):
        await runner.submit(world.records((b"ann", b"%d" % number)))
    world.topics.release()
    await world.done(3)
    assert world.topics.on("changelog") == [b"2", b"3"]
    await runner.cancel()
    world.store.close()


async def test_what_was_handled_under_an_earlier_assignment_is_not_acknowledged_with_the_next_ones(
    pure: tuple[World, PureRunner],
) -> None:
    """A step may slip in between the end of an assignment and the next one; its state went with the old stores."""
    world, runner = pure
    await runner.submit(world.records((b"ann", b"1"), (b"ben", b"2")))
    world.reads_again(0)
    again = world.records((b"ann", b"1"), (b"ben", b"2"))
    await runner.submit(again[:1])
    await world.done(1)
