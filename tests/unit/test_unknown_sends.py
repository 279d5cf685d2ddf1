"""The crash drill tells sends that a death left in doubt from those whose answer came late, and from neither."""

from typing import Any

import pytest

from schemas.events import MessageSent, MessageUnknown, SendStarted
from schemas.registry import encode
from tests.fault.unknowns import SendLife, lives_of, sort_unknowns
from tests.harness.topics import Stored
from tests.unit.conversation_world import Talk

DEATH = (100.0, 100.0)
STOP = (100.0, 108.0)
LATE = "send_message: may have been sent: no answer within 3 s"


@pytest.mark.parametrize(
    ("life", "incidents", "answered_at", "cause"),
    [
        (("x", 99, 103, "interrupted"), [DEATH], 99.5, "at_death"),
        (("x", 99, 99.5, "interrupted"), [DEATH], 99.2, "stray"),
        (("x", 101, 103, "interrupted"), [DEATH], 101.5, "stray"),
        (("x", 99, 103, "interrupted"), [], 99.5, "stray"),
        (("x", 99, 102, LATE), [], 102.5, "by_timeout"),
        (("x", 99, 102, LATE), [], 0, "by_timeout"),
        (("x", 99, 102, LATE), [], 99.5, "stray"),
        (("x", 99, 102, LATE), [DEATH], 102.5, "by_timeout"),
        (("x", 99, 109, LATE), [STOP], 99.5, "at_death"),
    ],
)
def test_an_unknown_send_has_one_cause(
    life: tuple[str, float, float, str], incidents: list[tuple[float, float]], answered_at: float, cause: str
) -> None:
    text, started_at, told_at, reason = life
    lives = {"part": SendLife(text, started_at, told_at, "message_unknown", reason)}
    found = sort_unknowns(lives, incidents, {text: answered_at})
    counts = {name: len(getattr(found, name)) for name in ("at_death", "by_timeout", "stray")}
    assert counts == {"at_death": 0, "by_timeout": 0, "stray": 0} | {cause: 1}


@pytest.mark.parametrize(("planned_at", "cause"), [(99, "at_death"), (101, "stray")])
def test_a_start_that_only_the_heir_told_counts_from_its_plan(planned_at: float, cause: str) -> None:
    lives = {"part": SendLife("x", 107, 107, "message_unknown", "interrupted", planned_at)}
    assert len(getattr(sort_unknowns(lives, [DEATH], {}), cause)) == 1


def test_a_start_that_is_told_again_counts_from_its_first_copy() -> None:
    started = Talk().event(SendStarted(message_id="m", part_ids=("part",), attempt=1, method="push"))
    log = [Stored("log", 0, offset, 1000 * (100 + offset), b"", encode(started), ()) for offset in range(2)]
    assert lives_of(log)["part"].started_at == 100


def test_what_was_sent_is_in_flight_at_a_death_but_not_unknown() -> None:
    lives = {"part": SendLife("x", 99, 101, "message_sent"), "later": SendLife("y", 101, 102, "message_sent")}
    found = sort_unknowns(lives, [DEATH], {})
    assert (found.in_flight_at_death, found.at_death) == (1, [])


def test_a_part_that_was_told_as_sent_and_as_unknown_counts_as_unknown() -> None:
    of_part: dict[str, Any] = {"message_id": "m", "part_ids": ("part",), "attempt": 1}
    told = [
        SendStarted(**of_part, method="push"),
        MessageSent(**of_part, method="push"),
        MessageUnknown(**of_part, reason="interrupted"),
    ]
    talk = Talk()
    log = [
        Stored("log", 0, offset, 1000 * (100 + offset), b"", encode(talk.event(data)), ())
        for offset, data in enumerate(told)
    ]
    life = lives_of(log)["part"]
    assert (life.started_at, life.told_at, life.outcome) == (100, 102, "message_unknown")
