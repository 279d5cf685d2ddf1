"""People of the business: whose echo it is, how long the bot is silent, and what becomes of what was said meanwhile."""

from collections.abc import Callable

import pytest

from schemas.events import DeliveryReported, HumanReleased, HumanTookOver
from schemas.outbound import OutboundMessage
from tests.unit.conversation_world import MINUTE_MS, START_MS, Talk, contents

Echo = Callable[[Talk, OutboundMessage], dict[str, object]]


def test_human_in_the_platforms_app_silences_the_bot_for_a_lease() -> None:
    talk = Talk(policy={"lease_s": 600})
    talk.answer(talk.ask())
    echo = talk.echoed("h1")
    answer = talk.hear(echo)
    took_over = answer.event("human_took_over")
    assert took_over.data.until == START_MS + 10 * MINUTE_MS
    assert took_over.causation_id == echo.id
    assert talk.hear(talk.said("thanks, Ann")).outputs == []
    assert talk.lines[-2:] == ["typed by hand", "thanks, Ann"]


def test_lease_ends_by_itself_and_what_the_human_got_stays_unanswered() -> None:
    talk = Talk()
    talk.hear(talk.echoed("h1"), talk.said("thanks, Ann"))
    talk.now += 29 * MINUTE_MS
    assert talk.hear(talk.said("anybody?")).outputs == []
    assert talk.wait(MINUTE_MS).types == ["human_released"]
    request = talk.ask("hello again")
    assert request.question.message.message_text == "hello again"
    assert contents(request) == ["typed by hand", "thanks, Ann", "anybody?"]


def test_each_message_of_the_human_renews_the_lease() -> None:
    talk = Talk()
    talk.hear(talk.echoed("h1"))
    talk.now += 20 * MINUTE_MS
    talk.hear(talk.echoed("h2"))
    assert talk.wait(29 * MINUTE_MS).types == []
    assert talk.wait(MINUTE_MS).types == ["human_released"]


def test_answer_to_a_turn_that_a_human_took_is_suppressed_and_forgotten() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("more"), talk.echoed("h1"))
    answer = talk.hear(talk.replied(request.id, "I am late"))
    assert answer.types == ["message_planned", "message_suppressed"]
    suppressed = answer.event("message_suppressed").data
    assert (suppressed.reason, suppressed.part_ids) == ("human", answer.event("message_planned").data.part_ids)
    assert answer.messages == []
    assert talk.lines == ["hello", "more", "typed by hand"]
    assert (talk.state.sends, talk.state.pending) == ({}, ())


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(lambda _, __: {"is_ours": True}, id="the platform says so"),
        pytest.param(lambda _, message: {"tag": message.parts[0].id}, id="our tag"),
        pytest.param(lambda _, message: {"tag": f"iris:{message.parts[0].id}"}, id="our tag behind a mark"),
    ],
)
def test_own_echo_that_overtakes_the_sends_answer_changes_nothing(proof: Echo) -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    assert talk.hear(talk.echoed("p1", "how can I help?", **proof(talk, message))).types == []
    talk.hear(talk.sent(message, "p1"))
    assert (talk.state.lease, talk.lines) == (None, ["hello", "how can I help?"])


def test_own_echo_after_the_sends_answer_is_known_by_its_id() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    assert talk.hear(talk.echoed("p1")).types == []
    assert len(talk.lines) == 2


def test_unclaimed_echo_waits_for_the_send_that_may_be_its_own() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    assert talk.hear(talk.echoed("p1", "how can I help?")).types == []
    assert [echo.message_id for echo in talk.state.echoes] == ["p1"]
    assert talk.hear(talk.sent(message, "p1")).types == []
    assert not talk.state.echoes
    assert (talk.state.lease, talk.lines) == (None, ["hello", "how can I help?"])


def test_report_that_overtakes_the_sends_answer_makes_no_human_of_the_echo() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    delivered = DeliveryReported(status="delivered", message_id="p1", tag=message.parts[0].id)
    answer = talk.hear(talk.started(message), talk.echoed("p1"), talk.event(delivered), talk.echoed("p1"))
    assert answer.types == []
    assert talk.hear(talk.sent(message, "p1")).types == []
    assert (talk.state.lease, talk.lines) == (None, ["hello", "how can I help?"])


def test_evidence_before_an_unknown_outcome_claims_the_echo_too() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    delivered = DeliveryReported(status="delivered", message_id="p1", tag=message.parts[0].id)
    talk.hear(talk.started(message), talk.echoed("p1"), talk.event(delivered))
    assert talk.hear(talk.unknown(message)).types == []
    assert (talk.state.sends, set(talk.state.timers)) == ({}, {"session"})
    assert (talk.state.lease, talk.lines) == (None, ["hello", "how can I help?"])


def test_unclaimed_echo_is_a_humans_when_no_send_claims_it() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    echo = talk.echoed("h1")
    talk.hear(echo)
    answer = talk.hear(talk.sent(message, "p1"))
    assert answer.event("human_took_over").causation_id == echo.id
    assert talk.lines == ["hello", "how can I help?", "typed by hand"]


def test_unclaimed_echo_waits_for_evidence_about_an_unknown_send() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), talk.unknown(message))
    assert talk.hear(talk.echoed("h1")).types == []
    assert talk.wait(MINUTE_MS).types == ["human_took_over"]


def test_echo_of_a_human_by_the_platforms_word_does_not_wait() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    assert talk.hear(talk.echoed("h1", is_ours=False)).types == ["human_took_over"]


def test_echoes_that_wait_are_bounded() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    answer = talk.hear(*(talk.echoed(f"h{number}") for number in range(17)))
    assert answer.types == ["human_took_over"]
    assert len(talk.state.echoes) == 16


def test_operator_takes_over_and_releases() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("more"), talk.event(HumanTookOver(how="operator")))
    assert talk.hear(talk.replied(request.id, "I am late")).messages == []
    assert talk.wait(10 * 24 * 60 * MINUTE_MS).types == ["conversation_expired"]
    answer = talk.hear(talk.said("still there?"))
    assert (answer.events, answer.requests) == ([], [])
    talk.now += 1
    talk.hear(talk.event(HumanReleased(how="operator")))
    assert talk.ask("hello?").question.message.message_text == "hello?"


def test_message_that_a_human_got_is_context_for_the_next_turn() -> None:
    talk = Talk(context_chars_max=10)
    request = talk.ask()
    talk.hear(talk.said("a long question for Ann"), talk.event(HumanTookOver(how="operator")))
    talk.hear(talk.replied(request.id, "I am late"))
    talk.now += 1
    talk.hear(talk.event(HumanReleased(how="operator")))
    assert contents(talk.ask("thanks")) == ["hello", "a long que"]
    assert "a long que" in talk.lines


def test_copy_of_a_take_over_that_is_past_takes_nothing() -> None:
    talk = Talk()
    took_over = talk.hear(talk.echoed("h1")).event("human_took_over")
    talk.now += 5
    talk.hear(talk.event(HumanReleased(how="operator")))
    talk.now += 5
    talk.hear(talk.said("hello"), talk.said("more"))
    talk.now += 5
    talk.hear(talk.event(HumanReleased(how="operator")))
    before = talk.view.dump()
    assert talk.hear(took_over).outputs == []
    assert talk.view.dump() == before


def test_echo_waits_while_a_proven_send_has_not_told_its_outcome() -> None:
    """One part became two messages of the platform: the report proves the first, the second's echo is unclaimed yet."""
    talk = Talk()
    message = talk.answer(talk.ask())
    delivered = DeliveryReported(status="delivered", message_id="p1", tag=message.parts[0].id)
    answer = talk.hear(talk.started(message), talk.event(delivered), talk.echoed("p2"))
    assert answer.types == []
    assert talk.hear(talk.sent(message, "p1", "p2")).types == []
    assert talk.lines == ["hello", "how can I help?"]


def test_release_before_its_time_ends_the_lease() -> None:
    talk = Talk()
    talk.hear(talk.echoed("h1"))
    talk.now += 1
    talk.hear(talk.event(HumanReleased(how="operator")))
    assert talk.state.timers.keys() == {"session"}
    assert talk.ask().question.message.message_text == "hello"


def test_an_echo_whose_takeover_was_read_before_it_is_settled_and_decided_no_second_time() -> None:
    """A conversation that moved passes both on; what it decided itself may overtake what it got."""
    talk = Talk()
    echo = talk.echoed("h1")
    took_over = HumanTookOver(until=START_MS + 30 * MINUTE_MS, how="echo")
    talk.hear(talk.event(took_over, cause=echo.id))
    assert talk.hear(echo).types == []
    assert talk.state.echoes == ()
    assert talk.lines == ["typed by hand"]
