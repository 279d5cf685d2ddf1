"""Many steps are made durable together (ADR 0005): what a checkpoint holds, when it is made, what a crash repeats."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from streams.engine import keys
from streams.engine.api import Output, Record, View
from streams.engine.core import Limits
from streams.engine.keys import Value
from streams.engine.pure import PureRunner
from streams.engine.writer import Writer
from tests.harness.eventually import eventually
from tests.unit.engine_world import Echo, World

NEVER_S = 3_600.0


class Diary(Echo):
    """Counts as ``Echo`` does, and keeps each record under a key of its own beside the main key."""

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        outputs = super().handle(view, records)
        for record in records:
            view.put(b"m" + record.value, record.value)
        return outputs


class Remembering(Echo):
    """Remembers each value for a while, and says of a second one that it is a copy."""

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        outputs = []
        for record in records:
            known = view.get(b"i" + record.value)
            outputs.append(Output("out", record.key, b"copy" if known else b"new"))
            view.put(b"i" + record.value, b"x", expires_at_ms=record.timestamp_ms + 5_000)
        return outputs


class Numbering(Echo):
    """Each output's id derives from its record and from what the state says."""

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        outputs = super().handle(view, records)
        count = view.get() or b""
        return [
            Output("out", it.key, uuid.uuid5(uuid.NAMESPACE_OID, f"{it.value!r} {count!r}").bytes) for it in outputs
        ]


Made = Callable[..., tuple[World, PureRunner]]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Made]:
    made: list[tuple[World, PureRunner]] = []

    def begin(stage: Any, *, interval_s: float = 0.01, limits: Limits | None = None) -> tuple[World, PureRunner]:
        world = World(stage, tmp_path / "state", limits=limits)
        made.append((world, PureRunner(world.engine, stage, checkpoint_interval_s=interval_s)))
        return made[-1]

    yield begin
    for world, runner in made:
        await runner.cancel()
        world.store.close()


def changed(world: World) -> list[tuple[bytes, bytes]]:
    """(conversation, name) of what stands on the changelog, in its order."""
    return [keys.split_key(key) for topic, key, _ in world.topics.written if topic == "changelog"]


async def test_beside_poison_the_kept_writes_of_a_conversation_have_its_main_key_last_on_the_changelog(
    make: Made,
) -> None:
    """The main key vouches for the others: cut off before it, the records are handled again."""
    world, runner = make(Diary())
    await runner.submit(world.records((b"ann", b"1"), (b"ann", b"!bad"), (b"ann", b"2"), (b"ben", b"3")))
    await world.done(4)
    assert changed(world) == [(b"ann", b"m1"), (b"ann", b"m2"), (b"ann", b""), (b"ben", b"m3"), (b"ben", b"")]
    assert world.topics.on("out") == [b"1", b"rejected !bad", b"2", b"3"]
    assert world.topics.on("dead") == [b"!bad"]
    state = world.store.get(b"ann", b"")
    assert state is not None
    assert (state.position, state.data) == (2, b"2")


async def test_an_id_does_not_lapse_in_a_backlog_before_its_copy_is_read(make: Made) -> None:
    """The copy and a much later record come in one fetch: the copy's own time says what has expired."""
    world, runner = make(Remembering())
    await runner.submit(world.records((b"ann", b"1"), at_ms=[1_000]))
    await runner.submit(world.records((b"ann", b"1"), (b"ann", b"2"), at_ms=[2_000, 9_000]))
    await world.done(3)
    assert world.topics.on("out") == [b"new", b"copy", b"new"]


async def test_an_id_lapses_at_its_time(make: Made) -> None:
    world, runner = make(Remembering())
    await runner.submit(world.records((b"ann", b"1"), at_ms=[1_000]))
    await runner.submit(world.records((b"ann", b"1"), at_ms=[6_000]))
    await world.done(2)
    assert world.topics.on("out") == [b"new", b"new"]


async def test_a_checkpoint_is_made_at_once_when_half_of_what_may_be_in_hand_is_in_hand(make: Made) -> None:
    world, runner = make(Echo(), interval_s=NEVER_S, limits=Limits(inflight_records_max=8))
    await runner.submit(world.records(*[(b"ann", b"x")] * 3))
    await _turns()
    assert world.committable is None
    assert changed(world) == []
    await runner.submit(world.records((b"ann", b"x")))
    await world.done(4)


async def test_what_was_saved_under_an_earlier_assignment_is_not_acknowledged_under_the_next(make: Made) -> None:
    world, runner = make(Echo())
    world.topics.holds = {"changelog"}
    await runner.submit(world.records((b"ann", b"1")))

    def state_is_on_its_way() -> None:
        assert changed(world) == [(b"ann", b"")]

    await eventually(state_is_on_its_way, interval_s=0.002)
    world.reads_again(0)
    world.records((b"ann", b"1"))
    world.topics.release()

    def is_idle() -> None:
        assert runner.is_idle

    await eventually(is_idle, interval_s=0.002)
    assert world.committable is None
    assert world.engine.inflight == 1


async def test_a_crash_between_outputs_and_state_repeats_the_step_with_equal_ids(make: Made) -> None:
    world, runner = make(Numbering())
    await runner.submit(world.records((b"ann", b"1")))
    await world.done(1)
    world.topics.holds = {"changelog"}
    for value in (b"2", b"3"):
        await runner.submit(world.records((b"ann", value)))

    def state_is_on_its_way() -> None:
        assert len(changed(world)) == 2

    await eventually(state_is_on_its_way, interval_s=0.002)
    await _turns()
    _, *first = world.topics.on("out")
    await runner.cancel()
    world.store.close()

    world, runner = make(Numbering())
    world.reads_again(1)
    for value in (b"2", b"3"):
        await runner.submit(world.records((b"ann", value)))
    await world.done(3)
    assert world.topics.on("out") == first
    assert len(set(first)) == 2


async def test_what_is_written_at_once_is_not_followed_on_the_changelog_by_the_older_value_of_the_checkpoint(
    make: Made,
) -> None:
    world, _ = make(Echo())
    world.store.lay({b"ann": {b"a": Value(1, 0, b"old"), b"b": Value(1, 0, b"kept")}})
    await world.store.apply({b"ann": {b"a": Value(1, 0, None)}}, cast(Writer, world.topics))
    await world.store.save(world.store.take_changes(), cast(Writer, world.topics))
    assert changed(world) == [(b"ann", b"a"), (b"ann", b"b")]
    assert world.topics.on("changelog") == [None, b"kept"]
    assert [name for _, name, _ in world.store.dump()] == [b"b"]


async def test_a_value_that_is_laid_while_an_older_one_is_saved_stays_and_is_saved_next(make: Made) -> None:
    world, _ = make(Echo())
    world.topics.holds = {"changelog"}
    saved = world.store.apply({b"ann": {b"a": Value(1, 0, b"one")}}, cast(Writer, world.topics))
    world.store.lay({b"ann": {b"a": Value(2, 0, b"two")}})
    world.topics.release()
    await saved
    assert world.store.get(b"ann", b"a") == Value(2, 0, b"two")
    assert world.store.take_changes() == {b"ann": {b"a": Value(2, 0, b"two")}}


async def _turns() -> None:
    """The loop comes round more often than a checkpoint takes."""
    for _ in range(20):
        await asyncio.sleep(0)
