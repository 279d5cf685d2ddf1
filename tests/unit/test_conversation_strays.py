"""Reports that name nobody are led to the conversation that sent their message, or end, visibly, as dead letters."""

import msgspec
import pytest

from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.events import DeliveryReported, MessageSent
from schemas.ids import derived_id
from schemas.registry import decode_event, encode
from streams.conversation.memory import report_key
from streams.conversation.reports import Report
from streams.conversation.strays import STRAYS_MAX
from tests.unit.conversation_world import HOUR_MS, MINUTE_MS, TOPICS
from tests.unit.moves_town import OLD, Town

CHANNEL = ""


def reported(town: Town, message_id: str = "p1", *, peer: str = CHANNEL) -> AnyEvent:
    return town.event(peer, DeliveryReported(status="failed", message_id=message_id))


def letters(town: Town) -> list[tuple[bytes, bytes, dict[str, str]]]:
    return [
        (output.key, output.value, {name: value.decode() for name, value in output.headers})
        for output in town.outputs
        if output.topic == TOPICS.dead_letters
    ]


def test_report_that_names_nobody_waits_ten_minutes_visibly() -> None:
    town = Town()
    report = reported(town)
    assert town.hear(report) == []
    town.wait(10 * MINUTE_MS - 1)
    assert [orphan.event_id for orphan in town.state(CHANNEL).orphans] == [report.id]
    assert letters(town) == []
    assert town.disagreements() == []


def test_then_it_is_a_dead_letter_that_says_where_it_stood_and_the_log_says_so_too() -> None:
    town = Town()
    answered = town.said(OLD, "hello")
    report = reported(town)
    town.hear(answered, report)
    town.wait(10 * MINUTE_MS)
    ((key, value, headers),) = letters(town)
    assert (key, value) == (b"line_shop_", encode(report))
    assert (headers[names.DEAD_TOPIC], headers[names.DEAD_OFFSET]) == (TOPICS.events, "1")
    assert (headers[names.DEAD_STAGE], headers[names.DEAD_ERROR_CLASS]) == ("converse", "StrayReport")
    ignored = [
        event for event in map(decode_event, (record.value for record in town.log)) if event.type == "input_ignored"
    ]
    assert [(event.data.reason, event.data.metadata["event_id"]) for event in ignored] == [("orphan", report.id)]
    assert town.state(CHANNEL).orphans == ()
    assert town.disagreements() == []


def test_no_second_letter_for_a_redelivered_report() -> None:
    town = Town()
    report = reported(town)
    town.hear(report, report)
    town.wait(10 * MINUTE_MS)
    town.hear(report)
    town.wait(10 * MINUTE_MS)
    assert len(letters(town)) == 1


def test_strays_are_bounded_and_the_oldest_leaves_first() -> None:
    town = Town()
    reports = [reported(town, f"p{number}") for number in range(STRAYS_MAX + 1)]
    town.hear(*reports)
    assert [value for _, value, _ in letters(town)] == [encode(reports[0])]
    assert len(town.state(CHANNEL).orphans) == STRAYS_MAX


def test_report_in_a_conversation_never_waits() -> None:
    town = Town()
    town.hear(reported(town, peer=OLD))
    assert town.state(OLD).orphans == ()


PERSON = "US.4711"
"""Somebody with a username, whose phone number nobody tells."""


def sent(town: Town, message_id: str = "p1", *, peer: str = PERSON) -> AnyEvent:
    """`send` tells that the platform took a message."""
    cause = derived_id(peer, message_id)
    data = MessageSent(message_id=cause, part_ids=(cause,), platform_message_ids=(message_id,), method="messages")
    return town.event(peer, data, cause=cause)


def told(town: Town, kind: str) -> list[tuple[str, str]]:
    """(id, peer) of the log's events of that type, in order."""
    events = [decode_event(record.value) for record in town.log]
    return [(event.id, event.conversation_id.removeprefix(town.channel)) for event in events if event.type == kind]


def is_known(town: Town, message_id: str = "p1", *, peer: str = PERSON) -> bool:
    """Whether that conversation's own records say that the message failed."""
    value = town.table.view(f"{town.channel}{peer}".encode()).get(report_key(message_id))
    return value is not None and msgspec.msgpack.decode(value, type=Report).has_failed


def test_report_that_overtakes_the_sends_answer_is_led_to_its_conversation() -> None:
    town = Town("whatsapp")
    report = reported(town)
    town.hear(report)
    assert [orphan.event_id for orphan in town.state(CHANNEL).orphans] == [report.id]
    town.hear(sent(town))
    assert told(town, "delivery_reported") == [(report.id, CHANNEL), (report.id, PERSON)]
    assert is_known(town)
    assert town.state(CHANNEL).orphans == ()
    town.wait(11 * MINUTE_MS)
    assert letters(town) == []
    assert town.disagreements() == []


def test_report_on_what_is_known_to_be_sent_is_led_on_at_once_and_only_once() -> None:
    town = Town("whatsapp")
    report = reported(town)
    town.hear(sent(town))
    town.hear(report)
    assert told(town, "delivery_reported") == [(report.id, CHANNEL), (report.id, PERSON)]
    assert is_known(town)
    assert town.state(CHANNEL).orphans == ()
    town.hear(report)
    assert told(town, "delivery_reported") == [(report.id, CHANNEL), (report.id, PERSON), (report.id, CHANNEL)]
    assert town.disagreements() == []


def test_only_the_reports_of_that_message_are_led_on() -> None:
    town = Town("whatsapp")
    first, other, second = reported(town), reported(town, "p2"), reported(town)
    town.hear(first, other, second)
    town.hear(sent(town))
    assert [(id, peer) for id, peer in told(town, "delivery_reported") if peer] == [
        (first.id, PERSON),
        (second.id, PERSON),
    ]
    town.wait(10 * MINUTE_MS)
    assert [value for _, value, _ in letters(town)] == [encode(other)]
    assert town.disagreements() == []


def test_where_a_message_went_is_told_once_whatever_is_read_again() -> None:
    town = Town("whatsapp")
    message = sent(town)
    town.hear(message, message)
    assert len(set(told(town, "message_located"))) == 1
    town.hear(reported(town))
    assert len(told(town, "delivery_reported")) == 2


@pytest.mark.parametrize(("platform", "peer"), [("whatsapp", "15555550123"), ("line", "U4af"), ("telegram", "600")])
def test_nobody_else_pays_for_it(platform: str, peer: str) -> None:
    town = Town(platform)
    town.hear(sent(town, peer=peer))
    assert told(town, "message_located") == []


def test_where_a_message_went_is_forgotten_with_the_ids() -> None:
    town = Town("whatsapp", dedup_days=2)
    town.hear(sent(town))
    town.wait(49 * HOUR_MS)
    report = reported(town)
    town.hear(report)
    assert [orphan.event_id for orphan in town.state(CHANNEL).orphans] == [report.id]
