"""Poison passes by; a systematic failure stops the stage instead of draining the topic."""

import pytest

from schemas import headers as names
from streams.engine.api import Poison, Record
from streams.engine.failures import FailureGuard, SystematicFailure, dead_letter


def test_half_of_the_records_being_poison_does_not_stop_the_stage() -> None:
    guard = FailureGuard("converse")
    for _ in range(500):
        guard.handled(1)
        guard.gave_up(Poison("bad"))


def test_more_than_half_failing_unexpectedly_stops_the_stage() -> None:
    guard = FailureGuard("converse")
    guard.handled(49)
    for _ in range(50):
        guard.gave_up(KeyError("x"))
    with pytest.raises(SystematicFailure, match="converse"):
        guard.gave_up(KeyError("x"))


def test_a_hundred_given_up_in_a_row_stop_the_stage_even_as_poison() -> None:
    guard = FailureGuard("normalise")
    for _ in range(99):
        guard.gave_up(Poison("old schema"))
    with pytest.raises(SystematicFailure):
        guard.gave_up(Poison("old schema"))


def test_a_dead_letter_is_the_record_unchanged_with_its_place_and_error_in_the_headers() -> None:
    record = Record("iris.conversation.events", 3, 41, 0, b"line_shop_U1", b"\xff\x00", (("iris-schema", b"x/1"),))
    letter = dead_letter("iris.dead.letters", record, stage="converse", error=ValueError("broken"))
    assert (letter.topic, letter.key, letter.value) == ("iris.dead.letters", b"line_shop_U1", b"\xff\x00")
    headers = dict(letter.headers)
    assert headers["iris-schema"] == b"x/1"
    assert (headers[names.DEAD_TOPIC], headers[names.DEAD_PARTITION], headers[names.DEAD_OFFSET]) == (
        b"iris.conversation.events",
        b"3",
        b"41",
    )
    assert (headers[names.DEAD_STAGE], headers[names.DEAD_ERROR_CLASS], headers[names.DEAD_ERROR_TEXT]) == (
        b"converse",
        b"ValueError",
        b"broken",
    )
