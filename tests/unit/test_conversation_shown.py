"""What a person is shown before an answer: that it was read what they wrote, and that an answer is coming."""

import pytest

from schemas.outbound import OutboundMessage
from tests.unit.conversation_world import Talk


def answered(talk: Talk) -> OutboundMessage:
    """The message that answers two messages of a person, of which the second has a token of the platform's."""
    first = talk.ask("hello", message_id="m-0")
    token = {"mark_as_read_token": "token-2"}
    talk.hear(talk.said("one", message_id="m-1"), talk.said("two", message_id="m-2", metadata=token))
    (request,) = talk.hear(talk.replied(first.id, "hi")).requests
    return talk.answer(request)


@pytest.mark.parametrize("wished", [{}, {"typing": True}, {"mark_read": True}, {"typing": True, "mark_read": True}])
def test_the_policy_says_whether_read_marks_and_typing_go_before_an_answer(wished: dict[str, bool]) -> None:
    message = answered(Talk(policy=wished))
    read = ("m-2", "token-2") if "mark_read" in wished else (None, None)
    assert (message.typing, message.mark_read, message.read_token) == ("typing" in wished, *read)
