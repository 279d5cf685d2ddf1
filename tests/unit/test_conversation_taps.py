"""Every tap is answered once: by the message of its turn, or, where none comes of it, by itself."""

import pytest

from tests.unit.conversation_world import Answer, Talk


def taps(answer: Answer) -> list[tuple[str, ...]]:
    """The callback ids of the messages that say nothing."""
    return [message.callback_ids for message in answer.messages if not message.parts]


def test_a_tap_that_gets_an_answer_is_answered_by_it() -> None:
    talk = Talk()
    answer = talk.hear(talk.tapped("x", callback_id="c1"))
    assert answer.messages == []
    (request,) = answer.requests
    (message,) = talk.hear(talk.replied(request.id, "one")).messages
    assert (message.callback_ids, len(message.parts)) == (("c1",), 1)


def test_a_tap_that_waits_for_the_next_turn_is_not_answered_yet() -> None:
    talk = Talk()
    request = talk.ask("first")
    assert talk.hear(talk.tapped("x", callback_id="c1")).messages == []
    (message,) = talk.hear(talk.replied(request.id, "one")).messages
    assert message.callback_ids == ()


def test_a_tap_of_a_conversation_that_a_human_has_is_answered_at_once() -> None:
    talk = Talk()
    talk.hear(talk.echoed("h1", is_ours=False))
    tapped = talk.tapped("x", callback_id="c1")
    answer = talk.hear(tapped)
    (message,) = answer.messages
    assert (message.parts, message.callback_ids, message.origin) == ((), ("c1",), "system")
    assert (message.causation_id, message.peer) == (tapped.id, tapped.data.sender_id)
    assert answer.requests == []
    assert talk.hear(tapped).messages == [], "a second copy triggers nothing"


def test_a_tap_whose_turn_ends_without_words_is_answered() -> None:
    talk = Talk()
    (request,) = talk.hear(talk.tapped("x", callback_id="c1")).requests
    answer = talk.hear(talk.replied(request.id, "  "))
    assert taps(answer) == [("c1",)]


def test_a_tap_whose_answer_is_suppressed_is_answered() -> None:
    talk = Talk()
    (request,) = talk.hear(talk.tapped("x", callback_id="c1")).requests
    talk.hear(talk.echoed("h1", is_ours=False))
    answer = talk.hear(talk.replied(request.id, "one"))
    assert "message_suppressed" in answer.types
    assert taps(answer) == [("c1",)]


def test_a_tap_that_an_overfull_turn_drops_is_answered() -> None:
    talk = Talk(pending_messages_max=1)
    talk.ask("first")
    talk.hear(talk.tapped("x", callback_id="c1"))
    answer = talk.hear(talk.said("second"))
    assert "input_ignored" in answer.types
    assert taps(answer) == [("c1",)]


@pytest.mark.parametrize("callback_id", [None, ""])
def test_where_nothing_spins_nothing_is_answered(callback_id: str | None) -> None:
    talk = Talk()
    talk.hear(talk.echoed("h1", is_ours=False))
    assert talk.hear(talk.tapped("x", callback_id=callback_id)).messages == []
