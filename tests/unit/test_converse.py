"""The stage `converse`: what it reads and writes, copies, poison, timers, and what a step costs the table."""

import pytest

from schemas import headers
from schemas.events import EventRejected, HumanReleased, TimerFired
from schemas.ids import derived_id
from schemas.registry import decode_event, encode
from schemas.replies import ReplyRequest
from streams.channels import Channels
from streams.conversation.fold import differences, fold
from streams.conversation.model import BLANK, HISTORY_START
from streams.engine.api import Output, Poison, Record
from streams.settings import Settings
from streams.stages.converse import REMEMBERED, Converse
from tests.harness.memory_view import MemoryTable
from tests.unit.conversation_world import CONVERSATION, HOUR_MS, START_MS, TOPICS, Talk


def written(talk: Talk) -> list[bytes]:
    """Names of the keys that the last step wrote, without what it wrote for the engine."""
    return [name for name, _ in talk.view.written]


def header_names(output: Output) -> set[str]:
    return {name for name, _ in output.headers}


def test_second_copy_changes_and_triggers_nothing() -> None:
    talk = Talk()
    said = talk.said("hello")
    talk.hear(said)
    before = talk.view.dump()
    talk.append(encode(said))
    assert talk.hear().outputs == []
    assert (talk.view.dump(), written(talk)) == (before, [])


def test_copies_in_one_batch_count_once() -> None:
    talk = Talk()
    said = talk.said("hello")
    answer = talk.hear(said, said, said, at_once=True)
    assert len(answer.requests) == 1
    assert talk.lines == ["hello"]


def test_ids_are_forgotten_after_their_days() -> None:
    talk = Talk(dedup_days=2)
    said = talk.said("hello")
    talk.answer(talk.hear(said).requests[0])
    talk.wait(47 * HOUR_MS)
    assert talk.hear(said).outputs == []
    talk.wait(2 * HOUR_MS)
    assert len(talk.hear(talk.said("hello")).requests) == 1
    assert b"i" + bytes.fromhex(said.id.replace("-", "")) not in talk.view.dump()


def test_only_what_comes_from_outside_is_remembered() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    assert len(talk.view.dump(b"i")) == 1
    assert "timer_fired" not in REMEMBERED


def test_record_that_is_read_again_after_a_crash_is_no_copy_of_itself() -> None:
    """The mark of its id may be durable while the state, written last, is not."""
    talk = Talk()
    record = talk.append(encode(talk.said("hello")))
    fresh = MemoryTable()
    first = fresh.step(talk.stage, [record])
    mark = fresh.view(record.key).dump(b"i", b"m")
    torn = MemoryTable()
    for name, value in mark.items():
        torn.view(record.key).put(name, value)
    assert torn.step(talk.stage, [record]) == first
    assert torn.dump() == fresh.dump()


def test_state_is_written_last() -> None:
    talk = Talk()
    talk.hear(talk.said("hello"))
    record = talk.log[0]
    table = MemoryTable()
    table.step(talk.stage, [record])
    names = [name for name, _ in table.view(record.key).written]
    assert names[-1] == b""
    assert names.count(b"") == 1


def test_turn_writes_what_is_new_and_not_the_history() -> None:
    talk = Talk()
    for number in range(60):
        talk.deliver(talk.answer(talk.ask(f"question {number} {'x' * 500}"), "y" * 500), f"p{number}")
    record = talk.append(encode(talk.said("one more")))
    talk.table.step(talk.stage, [record])
    values = {name: value for name, value in talk.view.written if value is not None}
    assert [name[:1] for name in sorted(values)] == [b"", b"i", b"m"]
    assert sum(len(name) + len(value) for name, value in values.items()) < 600


def test_own_events_read_back_write_nothing() -> None:
    talk = Talk()
    request = talk.ask()
    assert (talk.log[-1].offset, written(talk)) == (1, [])
    talk.answer(request)
    assert (len(talk.log), written(talk)) == (4, [])


def test_outputs_carry_schema_channel_trace_and_time_of_acceptance() -> None:
    talk = Talk()
    outputs = talk.hear(talk.said("hello")).outputs
    assert [output.topic for output in outputs] == [TOPICS.events, TOPICS.fetch, TOPICS.ai_requests]
    for output, schema in zip(outputs, (b"reply_requested/1", b"fetch_request/1", b"reply_request/1"), strict=True):
        assert output.key == CONVERSATION.encode()
        found = dict(output.headers)
        assert (found[headers.SCHEMA], found[headers.CHANNEL]) == (schema, b"shop")
        assert found[headers.TRACEPARENT] == b"00-1-2-01"
        assert found[headers.RECEIVED_AT] == b"1790000000000.5"


def test_time_of_acceptance_is_left_off_where_a_turn_had_to_wait() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("more"))
    outputs = talk.hear(talk.replied(request.id, "yes")).outputs
    assert [output.topic for output in outputs] == [
        TOPICS.events,
        TOPICS.events,
        TOPICS.outbound("line"),
        TOPICS.ai_requests,
    ]
    assert all(headers.RECEIVED_AT not in header_names(output) for output in outputs)


def test_request_is_the_schema_member_for_member() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask(), confidence=0.5), "p1")
    (_, output) = talk.hear(talk.tapped("x=1")).outputs
    request = ReplyRequest.model_validate_json(output.value)
    assert ReplyRequest.model_validate_json(encode(request)) == request
    assert request.model_fields_set == set(ReplyRequest.model_fields)
    assert request.question.platform_config.capabilities


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"type":"message_lost"}', "unknown event type 'message_lost'"),
        (b'{"type":"message_read","id":"1"}', "Field required"),
    ],
)
def test_record_that_is_no_event_is_poison(value: bytes, complaint: str) -> None:
    talk = Talk()
    record = talk.append(value)
    with pytest.raises(Poison, match=complaint) as caught:
        talk.table.step(talk.stage, [record])
    assert caught.value.record is record


def test_event_of_another_conversation_is_poison() -> None:
    talk = Talk()
    record = talk.append(encode(talk.said("hello")), key="line_shop_somebody")
    with pytest.raises(Poison, match=f"the event is of {CONVERSATION}"):
        talk.table.step(talk.stage, [record])


def test_event_whose_id_cannot_be_remembered_is_poison() -> None:
    talk = Talk()
    record = talk.append(encode(talk.said("hello").model_copy(update={"id": "7"})))
    with pytest.raises(Poison, match="the event's id: '7' is no UUID"):
        talk.table.step(talk.stage, [record])


def test_rejected_event_is_told_and_no_fold_counts_it() -> None:
    talk = Talk()
    said = talk.said("hello")
    record = talk.append(encode(said))
    (output,) = talk.stage.on_poison(record, KeyError("seq"))
    rejected = decode_event(output.value)
    assert isinstance(rejected.data, EventRejected)
    assert (rejected.type, rejected.conversation_id) == ("event_rejected", CONVERSATION)
    assert (rejected.data.event_id, rejected.data.error_class) == (said.id, "KeyError")
    assert (rejected.platform, rejected.channel, rejected.recorded_at) == ("line", "shop", record.timestamp_ms)
    assert fold([said, rejected], talk.limits)[CONVERSATION].state == BLANK
    assert fold([said], talk.limits)[CONVERSATION].state != BLANK


def test_fold_counts_the_first_of_two_copies() -> None:
    talk = Talk()
    said = talk.said("hello")
    assert list(fold([said, said], talk.limits)[CONVERSATION].history) == [HISTORY_START]


def test_copy_of_a_rejected_event_has_no_effect() -> None:
    talk = Talk()
    said = talk.said("hello")
    record = talk.append(encode(said))
    (output,) = talk.stage.on_poison(record, KeyError("seq"))
    skipped = talk.log.index(record) + 1
    talk.append(output.value)
    talk.append(encode(said))
    assert [talk.table.step(talk.stage, [other]) for other in talk.log[skipped:]] == [[], []]
    assert talk.disagreements() == []


def test_rejection_names_the_place_of_what_cannot_be_read() -> None:
    talk = Talk()
    (output,) = talk.stage.on_poison(talk.append(b"{"), ValueError("x" * 9_000))
    rejected = decode_event(output.value)
    assert rejected.data.event_id == f"{TOPICS.events}-0-0"
    assert len(rejected.data.error_text) == 500
    record = talk.append(output.value)
    assert talk.table.step(talk.stage, [record]) == []


@pytest.mark.parametrize("key", ["", "nobody", "xx_shop_U1", "line_SHOP_U1"])
def test_nothing_is_told_for_a_key_that_is_no_conversations(key: str) -> None:
    talk = Talk()
    assert talk.stage.on_poison(talk.append(b"{", key=key), ValueError("x")) == []
    unreadable = Record(TOPICS.events, 0, 1, START_MS, b"\xff\xfe", b"{")
    assert talk.stage.on_poison(unreadable, ValueError("x")) == []


def test_timers_of_the_state_are_the_engines() -> None:
    talk = Talk()
    talk.ask()
    assert talk.view.timers == talk.state.timers == {"session": START_MS + 24 * HOUR_MS}
    talk.hear(talk.echoed("h1"))
    assert talk.view.timers == talk.state.timers
    assert talk.view.timers.keys() == {"session", "lease"}
    talk.now += 1
    talk.hear(talk.event(HumanReleased(how="operator")))
    assert talk.view.timers.keys() == {"session"}
    talk.hear(talk.echoed("h2"))
    talk.wait(HOUR_MS)
    assert talk.view.timers.keys() == {"session"}


def test_timer_is_told_with_the_same_id_until_it_is_read() -> None:
    talk = Talk()
    talk.ask()
    due = START_MS + 24 * HOUR_MS
    talk.now = due + 5
    first = decode_event(talk.stage.timer_output(CONVERSATION.encode(), "session", due).value)
    talk.now += 30_000
    again = decode_event(talk.stage.timer_output(CONVERSATION.encode(), "session", due).value)
    assert first.id == again.id == derived_id(CONVERSATION, "timer:session", due)
    assert (first.data, first.recorded_at) == (TimerFired(name="session", due_at=due), due + 5)
    talk.hear(first)
    before = talk.view.dump()
    assert talk.hear(again).outputs == []
    assert talk.view.dump() == before


def test_timer_that_the_state_does_not_have_is_cancelled() -> None:
    """Else the engine would announce it for ever."""
    talk = Talk()
    talk.ask()
    talk.view.set_timer("lease", START_MS)
    talk.hear(decode_event(talk.stage.timer_output(CONVERSATION.encode(), "lease", START_MS).value))
    assert talk.view.timers == talk.state.timers


def test_channel_that_is_configured_no_more_is_still_folded() -> None:
    talk = Talk()
    talk.stage = Converse(TOPICS, Settings(), Channels(()))
    assert talk.ask().question.message.message_text == "hello"


def test_difference_between_table_and_fold_is_told() -> None:
    talk = Talk()
    talk.answer(talk.ask())
    events = [decode_event(record.value) for record in talk.log]
    assert differences(talk.table.dump(), fold(events, talk.limits)) == []
    found = differences(talk.table.dump(), fold(events[:-1], talk.limits))
    assert any(line.startswith(f"{CONVERSATION}: sends: the table has") for line in found)
    assert differences({}, fold(events, talk.limits)) != []
    assert differences(talk.table.dump(), {}) != []
