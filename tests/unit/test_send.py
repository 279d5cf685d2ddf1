"""`send`: ask, tell, remember; every part ends once, visibly, and nothing that may have been seen is sent again.

Model: a scripted platform, a table and log that survive crashes, time that moves only when everybody waits. Anomalies
looked for: a second copy in front of the user, a part that never ends, parts out of order, an outcome that is guessed.
"""

import asyncio

import pytest

from connectors.interface import Call, Receipt
from schemas.events import MessageSent, SendStarted
from streams.engine.api import Poison, Record
from tests.unit.send_view import START_S, Crash, MemoryView, settle
from tests.unit.send_world import BUSY, ScriptedPlatform, Stand, message_of


async def test_started_and_journal_are_durable_before_the_user_can_see_the_call() -> None:
    stand = Stand()
    message = message_of("hello")

    def look(call: Call) -> None:
        assert stand.table.types() == ["send_started"]
        assert [step.state for step in stand.table.journal(message).steps] == ["started"]

    stand.sender.before = look
    await stand.deliver(message)
    assert stand.table.types() == ["send_started", "message_sent"]


async def test_events_say_what_was_called_and_what_the_platform_answered() -> None:
    stand = Stand()
    message = message_of("colour", received_at=1, own_ms_before_ai=12.5, answered_at=START_S - 0.25)
    stand.sender.script = [Receipt(("mid.1",))]
    await stand.deliver(message)
    started, sent = stand.table.log
    assert started.data == SendStarted(message_id="message", part_ids=("message-colour",), attempt=1, method="push")
    assert sent.data == MessageSent(
        message_id="message",
        part_ids=("message-colour",),
        platform_message_ids=("mid.1",),
        attempt=1,
        method="push",
        changes=("no colours",),
        own_time_ms=262.5,
    )
    assert (sent.conversation_id, sent.correlation_id, sent.causation_id) == ("ex_shop_U1", "turn", "message")
    assert sent.occurred_at == sent.recorded_at == int(START_S * 1000)


async def test_outputs_stay_in_the_conversation_and_carry_their_headers() -> None:
    stand = Stand()
    await stand.deliver(message_of("hello"))
    output = stand.table.outputs[-1]
    assert (output.topic, output.key) == ("iris.conversation.events", b"ex_shop_U1")
    assert dict(output.headers) == {
        "iris-schema": b"message_sent/1",
        "iris-channel": b"shop",
        "traceparent": b"00-aa-bb-01",
    }


async def test_our_own_time_is_told_once_and_ends_at_the_first_try_of_the_first_call() -> None:
    stand = Stand()
    stand.sender.script = [BUSY]
    await stand.deliver(message_of("a", "b", own_ms_before_ai=10.0, answered_at=START_S))
    assert [event.data.own_time_ms for event in stand.table.events("message_sent")] == [10.0, None]


async def test_the_same_message_twice_is_sent_once_and_told_once() -> None:
    stand = Stand()
    message = message_of("a", "b")
    await stand.deliver(message)
    told, rows = len(stand.table.log), dict(stand.table.rows)
    stand.restart()
    stand.platform.version = 2
    await stand.deliver(message)
    assert stand.sender.seen == ["a", "b"]
    assert len(stand.table.log) == told
    assert stand.table.rows == rows


@pytest.mark.parametrize("point", ["before the call", "after the call"])
async def test_without_a_key_what_a_crash_interrupted_is_unknown_and_the_rest_follows(point: str) -> None:
    stand = Stand()
    message = message_of("a", "b", "c")
    stand.sender.script = [None, Crash(point)]
    stand.sender.is_seen_when_ambiguous = point == "after the call"
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b"], ["c"]]
    assert stand.statuses(message) == {"a": "sent", "b": "unknown", "c": "sent"}
    (unknown,) = stand.table.events("message_unknown")
    assert (unknown.data.part_ids, unknown.data.attempt, unknown.data.reason) == (("message-b",), 1, "interrupted")


async def test_with_a_key_what_a_crash_interrupted_is_repeated_identically() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True, packing=2))
    message = message_of("a", "b", "c")
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    await stand.deliver(message)
    first, again, _rest = stand.sender.made
    assert first.call == again.call
    assert first.call.idempotency_key
    assert stand.sender.seen == ["a", "b", "c"]
    assert stand.statuses(message) == {"a": "sent", "b": "sent", "c": "sent"}
    assert [event.data.attempt for event in stand.table.events("send_started")] == [1, 2, 1]


async def test_a_key_older_than_a_day_protects_nothing_so_its_parts_are_unknown() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message = message_of("a", "b")
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    stand.clock.now_s += 24 * 3600
    await stand.deliver(message)
    assert stand.sender.texts == [["a"], ["b"]]
    assert stand.statuses(message) == {"a": "unknown", "b": "sent"}


async def test_a_revocation_in_the_middle_of_a_call_leaves_what_a_crash_leaves() -> None:
    stand = Stand()
    message = message_of("a", "b")
    forever = asyncio.Event()

    async def hang(call: Call) -> Receipt:
        await forever.wait()
        return Receipt()

    stand.sender.script = [hang]
    task = asyncio.ensure_future(stand.handle(message))
    await settle()
    assert stand.sender.texts == [["a"]]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "unknown", "b": "sent"}


async def test_a_channel_that_is_not_configured_fails_its_messages_visibly() -> None:
    stand = Stand()
    message = message_of("a", "b", channel="closed")
    await stand.deliver(message)
    (failed,) = stand.table.events("message_failed")
    assert (failed.data.part_ids, failed.data.reason) == (("message-a", "message-b"), "channel_not_configured")
    assert stand.sender.made == []


async def test_a_channel_removed_in_the_middle_of_a_call_leaves_that_call_unknown() -> None:
    stand = Stand()
    message = message_of("a", "b")
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.channels.all = ()
    stand.channels._by_id.clear()
    stand.restart()
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "unknown", "b": "failed"}


async def test_calls_that_nobody_sees_are_made_once_and_count_for_nothing() -> None:
    stand = Stand()
    message = message_of("a", "b", callback_ids=("tap",))
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    stand.platform.version = 2
    await stand.deliver(message)
    assert [call.body for call in stand.sender.unseen] == [{"tap": "tap"}]
    assert stand.statuses(message) == {"a": "unknown", "b": "sent"}


@pytest.mark.parametrize("is_deposed", [True, False], ids=["deposed", "still the owner"])
async def test_a_sender_that_was_stopped_before_its_call_proves_first_that_it_may_make_it(is_deposed: bool) -> None:
    stand = Stand()
    message = message_of("a")
    commits: list[str] = []

    def passes(point: str) -> bool:
        if point == "after_state":
            commits.append(point)
            if len(commits) == 1:
                # Stopped past its session, right when its journal was acknowledged.
                stand.clock.now_s += 8
        # The fence lets nothing of a deposed owner in, and ends its process.
        return is_deposed and len(commits) == 1 and point == "after_outputs" and bool(stand.table.log)

    stand.table.crash_at = passes
    if is_deposed:
        with pytest.raises(Crash):
            await stand.deliver(message)
        assert stand.sender.made == []
    else:
        await stand.deliver(message)
        assert (len(stand.sender.made), stand.statuses(message)) == (1, {"a": "sent"})


async def test_a_message_that_only_answers_taps_does_that_once_and_tells_nothing() -> None:
    stand = Stand()
    message = message_of(callback_ids=("tap",))
    for _ in range(2):
        await stand.deliver(message)
    assert [call.body for call in stand.sender.unseen] == [{"tap": "tap"}]
    assert (stand.sender.made, stand.table.log) == ([], [])


async def test_the_ids_of_repeated_events_are_the_same_and_of_different_events_differ() -> None:
    stand = Stand(ScriptedPlatform(packing=2))
    message = message_of("a", "b", "c|d|e")
    stand.table.crash_at = lambda point: point == "after_outputs" and len(stand.table.log) == 1
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    await stand.deliver(message)
    first, again, *rest = [event.id for event in stand.table.log]
    assert first == again
    assert len({first, *rest}) == 1 + len(rest)


BAD_RECORDS = {
    "not JSON": (b"ex_shop_U1", b"{"),
    "another schema": (b"ex_shop_U1", b'{"id":"x"}'),
    "another conversation's key": (b"ex_shop_U2", None),
    "no conversation": (b"nonsense", message_of("a").model_copy(update={"conversation_id": "nonsense"})),
    "two parts with one id": (b"ex_shop_U1", message_of("a", "a")),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
async def test_a_record_that_is_no_message_is_poison(case: str) -> None:
    stand = Stand()
    key, content = BAD_RECORDS[case]
    value = content if isinstance(content, bytes) else stand.record(content or message_of("a")).value
    record = Record("iris.outbound.example", 0, 0, 0, key, value)
    with pytest.raises(Poison) as caught:
        await stand.stage.handle(MemoryView(stand.table, key), [record])
    assert caught.value.record is record
    assert stand.stage.on_poison(record, caught.value) == []


async def test_a_message_that_is_given_up_ends_as_unknown_in_the_books() -> None:
    stand = Stand()
    message = message_of("a", "b")
    stand.table.write(stand.stage.on_poison(stand.record(message), RuntimeError("broken")), {})
    (unknown,) = stand.table.log
    assert unknown.data.part_ids == ("message-a", "message-b")
    assert unknown.data.reason == "given_up: RuntimeError"


async def test_a_sender_that_breaks_leaves_the_call_unknown_on_the_next_try() -> None:
    stand = Stand()
    message = message_of("a", "b")
    stand.sender.script = [KeyError("message_id")]
    with pytest.raises(KeyError):
        await stand.deliver(message)
    await stand.deliver(message)
    assert stand.statuses(message) == {"a": "unknown", "b": "sent"}


async def test_start_and_stop_open_and_close_one_sender_per_platform() -> None:
    stand = Stand(channels=("shop", "other"))
    await stand.stage.start()
    await stand.stage.stop()
    assert stand.sender.is_closed


def test_the_stage_reads_every_platforms_outbound_topic() -> None:
    stand = Stand()
    assert (stand.stage.name, stand.stage.reads, stand.stage.has_table) == ("send", ("iris.outbound.example",), True)
