"""The journal as data: what survives, what is recognised, what is counted."""

import dataclasses

import orjson
import pytest

from connectors.interface import Call
from streams.delivery.journal import Journal, Step, decode, digest, encode, table_key
from tests.unit.send_world import message_of

CALL = Call(
    name="push",
    method="POST",
    url="https://example.test/send",
    headers={"Authorization": "Bearer {secret:token}"},
    body={"text": "hello", "to": "U1"},
    part_ids=("p1", "p2"),
    idempotency_key="key",
)


def test_a_journal_survives_encoding() -> None:
    journal = Journal(
        parts={"p1": "sent"},
        planned=("p1", "p2"),
        window_ms=1,
        has_reply_token=True,
        steps=[Step("d", ("p1",), "sent", attempt=2, platform_ids=("m1",)), Step("e", ("p2",), in_doubt=True)],
        attempts={"p1": 1},
        own_ms=2.5,
    )
    assert decode(encode(journal)) == journal
    assert decode(None) == Journal()


def test_a_journal_of_a_newer_version_is_still_read() -> None:
    record = orjson.loads(encode(Journal(parts={"p1": "sent"})))
    assert decode(orjson.dumps({**record, "new": 1})).parts == {"p1": "sent"}


def test_the_journal_of_a_usual_message_stays_small() -> None:
    step = Step(
        digest(CALL), ("5b1f3c52-6a0e-5d43-9c55-1f4e0a7a9b10",), "sent", attempt=1, first_ms=1_790_000_000_000.5
    )
    journal = Journal(
        parts={step.part_ids[0]: "sent"}, planned=step.part_ids, window_ms=1_790_000_000_000, steps=[step]
    )
    assert len(encode(journal)) < 350


CHANGES: dict[str, dict[str, object]] = {
    "name": {"name": "reply"},
    "url": {"url": "https://example.test/other"},
    "header": {"headers": {}},
    "body": {"body": {"text": "hello!", "to": "U1"}},
    "parts": {"part_ids": ("p1",)},
    "key": {"idempotency_key": None},
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_call_that_differs_has_another_digest(case: str) -> None:
    assert digest(dataclasses.replace(CALL, **CHANGES[case])) != digest(CALL)  # type: ignore[arg-type]


def test_the_order_of_a_bodys_members_does_not_make_another_call() -> None:
    assert digest(dataclasses.replace(CALL, body={"to": "U1", "text": "hello"})) == digest(CALL)


def test_a_body_that_is_no_json_has_a_digest_too() -> None:
    assert digest(dataclasses.replace(CALL, body=b"<xml/>")) != digest(dataclasses.replace(CALL, body=b"<yml/>"))


def test_a_part_ends_once() -> None:
    journal = Journal()
    assert journal.settle(["p1", "p1", "p2"], "unknown") == ("p1", "p2")
    assert journal.settle(["p2", "p3"], "sent") == ("p3",)
    assert journal.parts == {"p1": "unknown", "p2": "unknown", "p3": "sent"}


def test_attempts_are_counted_over_plans_and_pieces() -> None:
    journal = Journal()
    journal.begin_plan(["p1", "p2"], window_ms=1, has_reply_token=False)
    journal.step_of(0, CALL).attempt += 1
    journal.step_of(1, CALL).attempt += 1
    assert journal.attempt_of("p1") == 2
    journal.begin_plan(["p1", "p2"], window_ms=2, has_reply_token=False)
    assert (journal.attempt_of("p1"), journal.attempt_of("p2"), journal.steps) == (2, 0, [])


def test_touched_are_the_open_parts_of_which_something_may_have_arrived() -> None:
    journal = Journal(
        parts={"done": "sent"},
        planned=("done", "half", "out", "doubt", "clean", "new"),
        steps=[
            Step("", ("done", "half"), "sent"),
            Step("", ("out",), "started"),
            Step("", ("doubt",), "refused", in_doubt=True),
            Step("", ("clean",), "refused"),
        ],
    )
    assert journal.touched_parts() == ("half", "out", "doubt")


def test_journals_of_one_conversation_stand_apart() -> None:
    assert table_key(message_of("a", id="m1").id) == b"pm1"
