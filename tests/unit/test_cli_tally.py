"""The tally counts each fact of the log once, and the summary judges by it."""

import io
import tomllib
from collections import deque
from itertools import permutations
from typing import Any

import pytest
from rich.console import Console

from streams.cli.crowd import Audience, Written
from streams.cli.fakes import FakePlatform, channels_toml
from streams.cli.summary import is_whole, line, summary, table
from streams.cli.tally import Counts, Tally, percentile


def event(kind: str, number: int, platform: str = "p", **data: Any) -> dict[str, Any]:
    return {"id": f"{kind}-{number}", "type": kind, "platform": platform, "data": data}


def turn(number: int, *, messages: int = 1, outcome: str = "message_sent", **more: Any) -> list[dict[str, Any]]:
    """All events of one turn: received, requested, generated, planned, started, settled."""
    asked = [event("message_received", number * 100 + each) for each in range(messages)]
    parts = [f"part-{number}"]
    return [
        *asked,
        event("reply_requested", number, turn_id=f"turn-{number}", event_ids=[each["id"] for each in asked]),
        event("reply_generated", number, turn_id=f"turn-{number}"),
        event("message_planned", number, turn_id=f"turn-{number}", message_id=f"m-{number}", part_ids=parts),
        event("send_started", number, message_id=f"m-{number}", part_ids=parts),
        event(outcome, number, message_id=f"m-{number}", part_ids=parts, **more),
    ]


def tally_of(*events: dict[str, Any]) -> Tally:
    tally = Tally()
    for each in events:
        tally.see(each)
    return tally


def test_a_turn_counts_its_messages_as_received_and_replied_and_its_parts_as_sent() -> None:
    tally = tally_of(*turn(1, messages=3, own_time_ms=12.5), *turn(2, own_time_ms=20.0))
    counts = tally.platforms["p"]
    assert (counts.received, counts.replied, counts.sent, counts.pending) == (4, 4, 2, 0)
    assert list(counts.own_ms) == [12.5, 20.0]
    assert tally.residual == 0


@pytest.mark.parametrize("order", list(permutations(range(1, 6))))
def test_the_order_in_which_a_turn_is_told_does_not_matter(order: tuple[int, ...]) -> None:
    told = turn(1, own_time_ms=12.5)
    tally = tally_of(told[0], *(told[place] for place in order))
    assert tally.platforms == tally_of(*told).platforms
    assert tally.residual == 0


def test_a_second_copy_of_any_event_changes_nothing() -> None:
    events = turn(1, own_time_ms=1.0)
    once, twice = tally_of(*events), tally_of(*(each for each in events for _ in range(2)))
    assert twice.platforms == once.platforms
    assert twice.residual == once.residual == 0


@pytest.mark.parametrize("upto", range(2, 6))
def test_a_turn_under_way_is_a_residual(upto: int) -> None:
    assert tally_of(*turn(1)[:upto]).residual == (0 if upto == 3 else 1)


@pytest.mark.parametrize(
    ("outcome", "name"),
    [("message_failed", "failed"), ("message_unknown", "unknown"), ("message_suppressed", "suppressed")],
)
def test_a_part_that_was_not_sent_settles_but_is_no_reply(outcome: str, name: str) -> None:
    tally = tally_of(*turn(1, outcome=outcome))
    counts = tally.platforms["p"]
    assert (getattr(counts, name), counts.sent, counts.replied) == (1, 0, 0)
    assert tally.residual == 0


def test_evidence_after_an_unknown_settles_no_part_twice() -> None:
    late = event("message_sent", 9, message_id="m-1", part_ids=["part-1"])
    counts = tally_of(*turn(1, outcome="message_unknown"), late).platforms["p"]
    assert (counts.unknown, counts.sent, counts.pending) == (1, 0, 0)


def test_an_outcome_of_something_planned_before_we_looked_is_not_ours_to_count() -> None:
    tally = tally_of(turn(1, own_time_ms=5.0)[-1])
    assert tally.platforms["p"] == Counts(own_ms=deque(maxlen=tally.platforms["p"].own_ms.maxlen))
    assert tally.residual == 0


def test_times_of_the_warm_up_are_left_out() -> None:
    tally = Tally()
    tally.is_timing = False
    for each in turn(1, own_time_ms=900.0):
        tally.see(each)
    tally.is_timing = True
    for each in turn(2, own_time_ms=9.0):
        tally.see(each)
    assert list(tally.platforms["p"].own_ms) == [9.0]


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.04], 0.99) == 3.0
    assert percentile(range(1, 101), 0.5) == 51
    assert percentile(range(1, 101), 0.99) == 100


FAKE = FakePlatform("p", "http://127.0.0.1:1", {}, {})


def audience(*written: tuple[str, str, float]) -> Audience:
    """(user, mark, at) of each message that was written and accepted."""
    made = Audience(FAKE)
    for user, mark, at in written:
        made.waiting.setdefault(user, []).append(Written(mark, at))
        made.tell(made.waiting[user][-1], mark)
        made.take([mark])
    return made


def test_a_reply_that_quotes_a_mark_answers_that_message_and_the_earlier_ones_of_that_person() -> None:
    people = audience(("u", "r-1", 1.0), ("u", "r-2", 2.0), ("u", "r-3", 3.0), ("v", "r-4", 1.0))
    people.see("u", "you wrote: where is #r-2?", 4.0)
    assert (people.replied, people.owed) == (2, 2)
    assert [message.mark for message in people.waiting["u"]] == ["r-3"]


def test_a_mark_that_begins_with_another_is_another() -> None:
    people = audience(("u", "r-1", 1.0), ("u", "r-12", 2.0))
    people.see("u", "#r-12", 3.0)
    assert people.owed == 0
    people = audience(("u", "r-12", 1.0), ("u", "r-1", 2.0))
    people.see("u", "#r-12", 3.0)
    assert people.owed == 1


def test_a_reply_without_a_mark_answers_what_was_written_before_it() -> None:
    people = audience(("u", "r-1", 1.0), ("u", "r-2", 5.0))
    people.see("u", "good morning", 3.0)
    assert (people.replied, people.owed) == (1, 1)


def test_only_messages_of_people_count_as_received_and_each_once_in_whatever_order_it_is_confirmed() -> None:
    people, first, second = Audience(FAKE), Written("r-1", 1.0), Written("r-2", 1.0)
    people.take(["echo", "one"])
    people.tell(first, "one")
    people.tell(second, "two")
    people.take(["two", "two", "one", "receipt"])
    assert people.received == 2


def test_messages_that_have_one_id_in_two_chats_are_two() -> None:
    people, messages = Audience(FAKE), [Written(f"r-{number}", 1.0) for number in range(4)]
    people.take(["7"])
    for message in messages:
        people.tell(message, "7")
    assert people.received == 1
    people.take(["7", "7"])
    assert [message.is_accepted for message in messages] == [True, True, True, False]


def test_a_message_that_our_webhook_never_took_is_not_owed_an_answer() -> None:
    people = Audience(FAKE)
    people.waiting["u"] = [Written("r-1", 1.0)]
    people.tell(people.waiting["u"][0], "r-1")
    assert people.owed == 0


def result_of(tally: Tally, *, people: Audience | None = None, is_drained: bool = True) -> dict[str, Any]:
    audiences = {"p": people} if people else None
    return summary(tally, audiences, seconds=3.0, bare_own_ms_p50=10.0, is_drained=is_drained)


def test_a_whole_run_has_lost_nothing_and_compares_itself_with_the_yardstick() -> None:
    result = result_of(tally_of(*turn(1, own_time_ms=15.0)))
    assert is_whole(result)
    assert result["platforms"]["p"]["replied"] == 1
    assert (result["own_ms_p50"], result["bare_own_ms_p50"], result["ratio"]) == (15.0, 10.0, 1.5)
    assert line(result) == "received 1, replied 1, sent 1, failed 0, unknown 0; own time p50 15.0 ms, p99 15.0 ms"


def test_an_accepted_message_without_a_reply_is_lost() -> None:
    result = result_of(tally_of(), people=audience(("u", "r-1", 1.0)))
    assert result["lost"] == result["platforms"]["p"]["lost"] == 1
    assert not is_whole(result)


def test_what_is_recorded_as_unknown_is_not_lost() -> None:
    result = result_of(tally_of(*turn(1, outcome="message_unknown")), people=audience(("u", "r-1", 1.0)))
    assert result["lost"] == 0
    assert is_whole(result)


def test_a_residual_of_the_books_is_not_whole() -> None:
    result = result_of(tally_of(*turn(1)[:-1]))
    assert result["residual"] == 1
    assert not is_whole(result)


def test_an_interrupted_run_is_not_judged() -> None:
    result = result_of(tally_of(*turn(1)[:-1]), people=audience(("u", "r-1", 1.0)), is_drained=False)
    assert (result["lost"], result["residual"]) == (None, None)
    assert is_whole(result)


def test_simulated_channels_are_added_to_the_configured_ones() -> None:
    table = {"id": "demo", "platform": "p", "secret": ["env:A", "env:B"], "policy": {"lease_s": 5, "name": 'a "b"'}}
    text = channels_toml('[[channels]]\nid = "shop"\n', (FakePlatform("p", "", table, {}),))
    assert tomllib.loads(text) == {"channels": [{"id": "shop"}, table]}


@pytest.mark.parametrize(
    ("upto", "says"), [(6, "nothing lost, the books balance"), (5, "LOST: 1; not accounted for in the log: 1")]
)
def test_the_table_ends_with_the_verdict(upto: int, says: str) -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(result_of(tally_of(*turn(1)[:upto]))))
    assert says in console.export_text()
