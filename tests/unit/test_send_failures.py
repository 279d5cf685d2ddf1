"""`send` and a platform that fails: waits, pauses, doubt. Nothing early, nothing twice, nothing lost."""

import asyncio

import pytest

from connectors.errors import SendError
from tests.unit.send_view import START_S, Crash, all_of, settle
from tests.unit.send_world import BAD, BUSY, TIMEOUT, TOKEN_LIFE_S, ScriptedPlatform, Stand, message_of


def wait_for(seconds: float) -> SendError:
    return SendError("too many requests", code="429", retryable=True, retry_after_s=seconds)


async def test_a_failed_call_is_tried_again_with_growing_waits_and_then_given_up() -> None:
    stand = Stand()
    message, other = message_of("a"), message_of("b", id="other", peer="U2")
    # The other conversation's success shows that the platform works, and that this message is what it cannot take.
    stand.sender.by_peer = {"U1": [BUSY, BUSY, BUSY], "U2": [BUSY]}
    await stand.clock.run(all_of(stand.handle(message), stand.handle(other)))
    times_s = [made.at_s - START_S for made in stand.sender.made if made.call.body["to"] == "U1"]
    assert times_s == [0.0, 1.0, 3.0]
    assert (stand.statuses(message), stand.statuses(other)) == ({"a": "failed"}, {"b": "sent"})
    (failed,) = stand.table.events("message_failed")
    assert (failed.data.reason, failed.data.attempt, failed.data.code) == ("attempts_exhausted", 3, "500")
    delays = [event for event in stand.table.events("send_delayed") if event.data.message_id == "message"]
    assert [event.data.retry_at - event.recorded_at for event in delays] == [1000, 2000]


async def test_a_message_outlives_an_outage_of_its_platform() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [BUSY] * 8
    await stand.deliver(message)
    assert stand.sender.times_s == [0, 1, 3, 33, 63, 93, 123, 153, 183]
    assert stand.statuses(message) == {"a": "sent"}


async def test_an_outage_without_end_fails_the_message_in_the_end() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [BUSY] * 100
    await stand.deliver(message)
    assert 900 <= stand.sender.times_s[-1] <= 930
    assert stand.statuses(message) == {"a": "failed"}


async def test_a_wait_that_the_platform_asks_for_is_never_cut_short_and_costs_no_attempt() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [wait_for(7.0), wait_for(40.0), wait_for(0.5), wait_for(2.0)]
    await stand.deliver(message)
    assert stand.sender.times_s == [0.0, 7.0, 47.0, 47.5, 49.5]
    assert stand.statuses(message) == {"a": "sent"}
    assert len(stand.table.events("send_delayed")) == 3
    (step,) = stand.table.journal(message).steps
    assert (step.tries, step.told_waits) == (0, 4)


async def test_a_wait_outlives_a_restart() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [wait_for(60.0)]
    task = asyncio.ensure_future(stand.handle(message))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stand.restart()
    stand.clock.now_s += 10
    await stand.deliver(message)
    assert stand.sender.times_s == [0.0, 60.0]
    assert stand.statuses(message) == {"a": "sent"}


async def test_a_wait_beyond_all_bounds_fails_the_message() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [wait_for(86_400.0)]
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "failed"}
    assert stand.sender.times_s == [0.0]


async def test_without_a_key_a_time_out_is_unknown_and_never_sent_again() -> None:
    stand = Stand()
    message = message_of("a", "b")
    stand.sender.script = [TIMEOUT]
    await stand.deliver(message)
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b"]]
    assert stand.statuses(message) == {"a": "unknown", "b": "sent"}
    (unknown,) = stand.table.events("message_unknown")
    assert unknown.data.reason == "no answer within 5 s"


@pytest.mark.parametrize("is_seen", [True, False])
async def test_with_a_key_a_time_out_is_repeated_and_shows_once(is_seen: bool) -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message = message_of("a", "b")
    stand.sender.is_seen_when_ambiguous = is_seen
    stand.sender.script = [TIMEOUT, TIMEOUT]
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["a"], ["a"], ["b"]]
    assert stand.sender.seen == ["a", "b"]
    assert len({made.call.idempotency_key for made in stand.sender.made[:3]}) == 1
    assert stand.statuses(message) == {"a": "sent", "b": "sent"}


async def test_doubt_outlives_a_later_refusal() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message = message_of("a")
    stand.sender.script = [TIMEOUT, BAD]
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "unknown"}
    assert stand.table.events("message_failed") == []


async def test_a_fresh_reply_token_is_used_and_a_stale_one_is_not() -> None:
    for age_s, method in ((TOKEN_LIFE_S - 1, "reply"), (TOKEN_LIFE_S, "push")):
        stand = Stand()
        at_ms = int((START_S - age_s) * 1000)
        await stand.deliver(message_of("a", reply_token="token", reply_token_at=at_ms))
        assert [event.data.method for event in stand.table.events("message_sent")] == [method]


async def test_a_spent_reply_token_makes_a_new_plan_of_the_same_parts() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True, packing=2))
    message = message_of("a", "b", "c", reply_token="token", reply_token_at=int(START_S * 1000))
    stand.sender.script = [SendError("Invalid reply token", code="400", replan=True)]
    await stand.deliver(message)
    assert stand.sender.texts == [["a", "b"], ["a", "b"], ["c"]]
    assert [made.call.name for made in stand.sender.made] == ["reply", "push", "push"]
    assert stand.sender.seen == ["a", "b", "c"]
    assert [event.data.attempt for event in stand.table.events("send_started")] == [1, 2, 1]


async def test_a_reply_token_is_spent_by_one_message_only() -> None:
    stand = Stand()
    at_ms = int(START_S * 1000)
    for number in (1, 2):
        await stand.deliver(message_of("a", id=f"m{number}", reply_token="token", reply_token_at=at_ms))
    assert [made.call.name for made in stand.sender.made] == ["reply", "push"]


async def test_a_plan_refused_for_its_window_without_a_token_is_not_planned_for_ever() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [SendError("Invalid reply token", replan=True)] * 5
    await stand.deliver(message)
    assert len(stand.sender.made) == 1
    assert stand.statuses(message) == {"a": "failed"}


async def test_a_contact_that_has_moved_is_written_to_at_its_new_place_and_the_log_says_so() -> None:
    stand = Stand()
    message = message_of("a", "b", "c", reply_to="77")
    moved = SendError("the group has moved", code="migrated", moved_to="U2")
    stand.sender.by_peer = {"U1": [None, moved], "U2": [BUSY]}
    await stand.deliver(message)
    bodies = [made.call.body for made in stand.sender.made]
    # The new chat has ids of its own: 77 would be somebody else's message there.
    assert [(body["to"], body["texts"], body.get("quote")) for body in bodies] == [
        ("U1", ["a"], "77"),
        ("U1", ["b"], "77"),
        ("U2", ["b"], None),
        ("U2", ["b"], None),
        ("U2", ["c"], None),
    ]
    (event,) = stand.table.events("identity_changed")
    assert (event.conversation_id, event.data.old_identity, event.data.new_identity) == ("ex_shop_U1", "U1", "U2")
    assert stand.statuses(message) == dict.fromkeys("abc", "sent")


async def test_a_move_outlives_a_crash_and_a_second_one_is_not_followed() -> None:
    stand = Stand()
    message = message_of("a")
    moved = SendError("the group has moved", code="migrated", moved_to="U2")
    stand.sender.by_peer = {"U1": [moved], "U2": [BUSY, moved]}
    task = asyncio.ensure_future(stand.handle(message))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stand.restart()
    await stand.deliver(message)
    assert [made.call.body["to"] for made in stand.sender.made] == ["U1", "U2", "U2"]
    assert stand.statuses(message) == {"a": "failed"}


async def test_a_refusal_is_durable_before_the_wait_so_that_a_crash_in_it_costs_nothing() -> None:
    stand = Stand()
    message = message_of("a")
    stand.sender.script = [BUSY]
    task = asyncio.ensure_future(stand.handle(message))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stand.restart()
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "sent"}


async def test_a_crash_before_the_outcome_is_durable_never_calls_again_without_a_key() -> None:
    stand = Stand()
    message = message_of("a")
    stand.table.crash_at = lambda point: point == "after_outputs" and stand.table.types()[-1] == "message_sent"
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    await stand.deliver(message)
    assert stand.sender.seen == ["a"]
    assert [event.type for event in stand.table.log_once()] == ["send_started", "message_sent", "message_unknown"]
