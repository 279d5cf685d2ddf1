"""Reports that name nobody wait visibly under the channel's key, and end as dead letters."""

from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.events import DeliveryReported
from schemas.registry import decode_event, encode
from streams.conversation.strays import STRAYS_MAX
from tests.unit.conversation_world import MINUTE_MS, TOPICS
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
