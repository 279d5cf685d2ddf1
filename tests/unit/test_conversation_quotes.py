"""Quotes: an answer names the message that it answers where a reader could not tell, and only there."""

from typing import Any

import pytest

from schemas.events import MessageDeleted
from schemas.outbound import OutboundMessage
from tests.unit.conversation_world import Talk

GROUP: dict[str, Any] = {"metadata": {"in_group": True, "quote_token": "token-1"}}


def quote(message: OutboundMessage) -> tuple[str | None, str | None]:
    return message.reply_to, message.quote_token


def test_in_a_group_the_answer_quotes_the_message_that_it_answers() -> None:
    talk = Talk()
    assert quote(talk.answer(talk.ask("who?", message_id="m1", **GROUP))) == ("m1", "token-1")
    assert talk.disagreements() == []


def test_an_apology_quotes_like_an_answer() -> None:
    talk = Talk()
    request = talk.ask("who?", message_id="m1", **GROUP)
    (message,) = talk.hear(talk.gave_up(request.id)).messages
    assert (message.origin, *quote(message)) == ("system", "m1", "token-1")


def test_of_several_messages_it_is_the_one_that_the_ai_was_asked_about() -> None:
    talk = Talk()
    first = talk.ask("one", **GROUP)
    late = talk.said("three", "m3", occurred_at=talk.now + 2, **GROUP)
    early = talk.said("two", "m2", occurred_at=talk.now + 1, **GROUP)
    talk.hear(late, early)
    (request,) = talk.hear(talk.replied(first.id, "1")).requests
    assert request.question.message.message_text == "three"
    assert talk.answer(request).reply_to == "m3"


def test_a_chat_of_two_has_no_quotes_while_everything_is_answered() -> None:
    talk = Talk()
    message = talk.answer(talk.ask("hello", message_id="m1", metadata={"quote_token": "token-1"}))
    assert quote(message) == (None, None)


def test_a_chat_of_two_has_one_where_the_person_wrote_on() -> None:
    talk = Talk()
    first = talk.ask("hello", message_id="m1", metadata={"quote_token": "token-1"})
    talk.hear(talk.said("and another thing", "m2"))
    answer = talk.hear(talk.replied(first.id, "hi"))
    assert [quote(message) for message in answer.messages] == [("m1", "token-1")]
    (second,) = answer.requests
    assert quote(talk.answer(second)) == (None, None)
    assert talk.disagreements() == []


def test_what_was_taken_back_is_neither_quoted_nor_a_reason_to_quote() -> None:
    talk = Talk()
    request = talk.ask("who?", message_id="m1", **GROUP)
    talk.hear(talk.event(MessageDeleted(message_id="m1")))
    assert quote(talk.answer(request)) == (None, None)
    second = talk.ask("hello", message_id="m2")
    talk.hear(talk.said("oops", "m3"), talk.event(MessageDeleted(message_id="m3")))
    assert quote(talk.answer(second)) == (None, None)


def test_a_tap_is_not_quoted() -> None:
    talk = Talk()
    (request,) = talk.hear(talk.tapped("yes", message_id="p1", metadata={"in_group": True})).requests
    assert quote(talk.answer(request)) == (None, None)


def test_the_policy_may_forbid_quotes() -> None:
    talk = Talk(policy={"quote": False})
    assert quote(talk.answer(talk.ask("who?", **GROUP))) == (None, None)


@pytest.mark.parametrize("token", ["x" * 513, 7, None])
def test_an_odd_token_is_not_kept(token: object) -> None:
    talk = Talk()
    request = talk.ask("who?", message_id="m1", metadata={"in_group": True, "quote_token": token})
    assert quote(talk.answer(request)) == ("m1", None)
