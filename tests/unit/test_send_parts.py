"""`send` and the parts of a message: each ends once, by itself, whatever calls it stands in."""

import asyncio

import pytest

from connectors.errors import SendError
from connectors.interface import Call
from tests.unit.send_view import Crash, settle
from tests.unit.send_world import BAD, BUSY, ScriptedPlatform, Stand, message_of


async def test_parts_are_remembered_one_by_one() -> None:
    stand = Stand()
    message = message_of("a", "b", "c", "d")
    stand.sender.script = [None, None, BAD]
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b"], ["c"], ["d"]]
    assert stand.statuses(message) == {"a": "sent", "b": "sent", "c": "failed", "d": "sent"}
    (failed,) = stand.table.events("message_failed")
    assert (failed.data.reason, failed.data.code, failed.data.detail) == ("refused", "100", "bad parameter")


async def test_an_outcome_is_durable_before_the_next_part_is_called() -> None:
    stand = Stand()
    message = message_of("a", "b")

    def look(call: Call) -> None:
        if call.body["texts"] == ["b"]:
            assert stand.table.types() == ["send_started", "message_sent", "send_started"]

    stand.sender.before = look
    await stand.deliver(message)
    assert stand.table.commits == 3


async def test_a_part_in_several_calls_is_sent_when_its_last_call_is() -> None:
    stand = Stand()
    message = message_of("a1|a2|a3", "b")
    await stand.deliver(message)
    assert stand.sender.texts == [["a1"], ["a2"], ["a3"], ["b"]]
    sent = [(event.data.part_ids, event.data.platform_message_ids) for event in stand.table.events("message_sent")]
    assert sent == [(("message-a1|a2|a3",), ("m:a1", "m:a2", "m:a3")), (("message-b",), ("m:b",))]
    assert [event.data.attempt for event in stand.table.events("send_started")] == [1, 2, 3, 1]


async def test_a_part_that_ends_within_a_call_gets_its_own_ids_and_the_next_part_the_rest() -> None:
    stand = Stand(ScriptedPlatform(packing=2))
    message = message_of("a", "b1|b2", "c")
    await stand.deliver(message)
    assert stand.sender.texts == [["a", "b1"], ["b2", "c"]]
    sent = [(event.data.part_ids, event.data.platform_message_ids) for event in stand.table.events("message_sent")]
    assert sent == [(("message-a",), ("m:a",)), (("message-b1|b2", "message-c"), ("m:b1", "m:b2", "m:c"))]


async def test_a_part_half_of_which_went_through_is_continued_and_not_begun_again() -> None:
    stand = Stand()
    message = message_of("a1|a2|a3", "b")
    stand.sender.script = [None, BUSY]
    task = asyncio.ensure_future(stand.handle(message))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stand.restart()
    await stand.deliver(message)
    assert stand.sender.seen == ["a1", "a2", "a3", "b"]


async def test_the_rest_of_a_part_that_failed_is_not_sent() -> None:
    stand = Stand()
    message = message_of("a1|a2|a3", "b")
    stand.sender.script = [None, BAD]
    await stand.deliver(message)
    assert stand.sender.texts == [["a1"], ["a2"], ["b"]]
    assert stand.statuses(message) == {"a1|a2|a3": "failed", "b": "sent"}


async def test_what_cannot_be_rendered_is_suppressed_and_said() -> None:
    stand = Stand()
    message = message_of("", "b")
    await stand.deliver(message)
    assert stand.sender.texts == [["b"]]
    assert stand.statuses(message) == {"": "suppressed", "b": "sent"}
    assert [event.data.reason for event in stand.table.events("message_suppressed")] == ["not_renderable"]


async def test_a_message_of_which_nothing_can_be_rendered_ends_without_a_call() -> None:
    stand = Stand()
    await stand.deliver(message_of(""))
    assert stand.table.types() == ["message_suppressed"]


async def test_code_that_plans_differently_after_a_crash_repeats_nothing_that_may_have_arrived() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message = message_of("a", "b1|b2", "c")
    stand.sender.script = [None, None, Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    stand.platform.version = 2
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b1"], ["b2"], ["c"]]
    assert stand.statuses(message) == {"a": "sent", "b1|b2": "unknown", "c": "sent"}


async def test_a_plan_that_is_different_with_nothing_left_to_plan_just_ends() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message = message_of("a")
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    stand.platform.version = 2
    await stand.deliver(message)
    assert stand.sender.texts == [["a"]]
    assert stand.statuses(message) == {"a": "unknown"}


async def test_a_contact_that_cannot_be_written_to_is_not_called_again_for_the_rest() -> None:
    stand = Stand()
    message = message_of("a", "b", "c")
    stand.sender.script = [None, SendError("blocked by the user", code="551", unreachable=True)]
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b"]]
    (failed,) = stand.table.events("message_failed")
    assert (failed.data.part_ids, failed.data.reason) == (("message-b", "message-c"), "unreachable")


async def test_events_of_two_calls_that_begin_with_the_same_part_have_different_ids() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True, packing=2))
    message = message_of("a|b|c", "d")
    # The second call is announced, the process dies, and the new one repeats the first, whose outcome is not durable.
    stand.table.crash_at = lambda point: point == "after_outputs" and stand.table.types().count("send_started") == 2
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    await stand.deliver(message)
    known: dict[str, tuple[str, ...]] = {}
    for event in stand.table.log:
        assert known.setdefault(event.id, event.data.part_ids) == event.data.part_ids
    assert stand.sender.seen == ["a", "b", "c", "d"]
