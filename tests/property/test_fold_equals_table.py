"""Law 3, 4 and 7: whatever happened, the table of `converse` is a plain fold of the log.

Model: one conversation. People write, tap, edit, take back and react; platforms echo and report, in any order and more
than once; the AI and `send` answer commands as soon as these are written, which may be before the events that were
written with them. The stage reads in batches of any size, crashes, and reads again, from its last checkpoint or with
its table ahead of it. Assumed: what is written is in the log within seconds; a stage does not lag by a lease or a
session; nothing is reported of what is forgotten.

Anomalies looked for: a state, message, mark or report that the fold has otherwise than the table; an event that is
decided differently when the log is read again.
"""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import AnyEvent
from schemas.registry import decode_event
from tests.harness.memory_view import MemoryTable
from tests.property.fold_world import Action, World
from tests.unit.conversation_world import TOPICS

DECIDED = (
    "reply_requested",
    "message_planned",
    "human_took_over",
    "human_released",
    "conversation_expired",
    "input_ignored",
)


def check(world: World) -> None:
    """The laws, with nothing on its way."""
    world.come_to_rest()
    assert world.disagreements() == []
    theirs, mine = world.side_keys()
    # The fold never forgets what expires.
    assert mine == theirs or (world.has_forgotten and mine.keys() <= theirs.keys())
    assert replayed(world) == decided(world.events)


def decided(events: Iterable[AnyEvent]) -> dict[str, AnyEvent]:
    """The stage's own events by id. Copies of one event must be equal."""
    found: dict[str, AnyEvent] = {}
    for event in events:
        if event.type in DECIDED and event.causation_id is not None:
            assert found.setdefault(event.id, event) == event
    return found


def replayed(world: World) -> dict[str, AnyEvent]:
    """What the stage decides when it reads the whole log again, with an empty table, record by record."""
    table = MemoryTable()
    outputs = [output for record in world.log for output in table.step(world.stage, [record])]
    return decided(decode_event(output.value) for output in outputs if output.topic == TOPICS.events)


ACTIONS = st.tuples(st.integers(0, 20), st.integers(0, 999), st.integers(0, 999))


@settings(max_examples=150)
@given(st.lists(ACTIONS, max_size=60))
def test_table_is_the_fold_of_the_log(actions: list[Action]) -> None:
    world = World()
    for action in actions:
        world.act(action)
    check(world)


@pytest.mark.parametrize("seed", range(8))
def test_table_is_the_fold_of_a_long_log_at_every_rest(seed: int) -> None:
    """Later events may make up for a difference, so it is looked for after every few."""
    random = Random(seed)
    world = World()
    for _ in range(25):
        for _ in range(random.randrange(1, 14)):
            world.act((random.randrange(21), random.randrange(1000), random.randrange(1000)))
        check(world)


@pytest.mark.parametrize("seed", range(10))
def test_table_is_the_fold_of_every_short_log(seed: int) -> None:
    random = Random(1000 + seed)
    for _ in range(30):
        world = World()
        for _ in range(random.randrange(2, 16)):
            world.act((random.randrange(21), random.randrange(1000), random.randrange(1000)))
        check(world)
