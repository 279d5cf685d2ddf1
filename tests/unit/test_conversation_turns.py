"""Turns: what starts one, what waits for the next, what the AI is asked and what the person is told."""

import pytest

from schemas.content import LocationContent, MediaContent, StickerContent, SystemContent
from schemas.replies import AIAnswer
from streams.conversation.model import HISTORY_START
from tests.unit.conversation_world import PERSON, START_MS, Talk, contents


def test_message_starts_a_turn() -> None:
    talk = Talk()
    said = talk.said("hello", "m1", metadata={"username": "Ann", "nested": {"left": "out"}})
    answer = talk.hear(said)
    assert answer.types == ["reply_requested"]
    (request,) = answer.requests
    asked = request.question.message
    assert (asked.message_text, asked.message_type, asked.user_id) == ("hello", "text", PERSON)
    assert asked.metadata == {"username": "Ann"}
    requested = answer.event("reply_requested")
    assert requested.data.event_ids == (said.id,)
    assert requested.data.turn_id == request.id
    assert (requested.causation_id, requested.correlation_id, request.correlation_id) == (said.id, said.id, said.id)
    assert request.deadline == requested.data.deadline == START_MS + 15_000
    assert request.question.context.session_start == START_MS
    assert request.question.platform_config.timeout > 0


def test_message_of_an_open_turn_waits_even_in_one_batch() -> None:
    talk = Talk()
    answer = talk.hear(talk.said("first"), talk.said("second"), at_once=True)
    assert answer.types == ["reply_requested"]
    assert [message.seq for message in talk.state.pending] == [HISTORY_START + 1]


def test_next_turn_knows_the_answer_before_it() -> None:
    talk = Talk()
    request = talk.ask("do you deliver?")
    talk.hear(talk.said("and on Sunday?"))
    answer = talk.hear(talk.replied(request.id, "we do"))
    assert answer.types == ["message_planned", "reply_requested"]
    (following,) = answer.requests
    assert following.question.message.message_text == "and on Sunday?"
    assert contents(following) == ["do you deliver?", "we do"]
    assert [message.role for message in following.question.context.messages] == ["user", "assistant"]


def test_messages_of_one_turn_go_by_the_platforms_clock() -> None:
    talk = Talk()
    request = talk.ask("first", occurred_at=START_MS)
    for text, after_ms in (("third", 30), ("second", 20), ("also third", 30)):
        talk.hear(talk.said(text, occurred_at=START_MS + after_ms))
    (following,) = talk.hear(talk.replied(request.id, "yes")).requests
    assert contents(following) == ["first", "yes", "second", "third"]
    assert following.question.message.message_text == "also third"


def test_answer_becomes_a_message_for_the_newest_token() -> None:
    talk = Talk()
    request = talk.ask("first", reply_token="t1")
    talk.now += 1_000
    talk.hear(talk.tapped("x", callback_id="c1"), talk.said("third", reply_token="t2"))
    talk.hear(talk.said("fourth", reply_token="t3"), talk.tapped("y", callback_id="c2"))
    (second,) = talk.hear(talk.replied(request.id, "one")).requests
    talk.now += 1_000
    answer = talk.hear(talk.replied(second.id, "two"))
    (message,) = answer.messages
    planned = answer.event("message_planned")
    assert (message.reply_token, message.reply_token_at) == ("t3", START_MS + 1_000)
    assert message.callback_ids == ("c1", "c2")
    assert (message.peer, message.origin) == (PERSON, "bot")
    assert message.received_at == message.last_inbound_at == START_MS + 1_000
    assert (message.own_ms_before_ai, message.answered_at) == (3.5, 2.0)
    assert message.correlation_id == second.correlation_id == planned.correlation_id
    assert message.id == planned.data.message_id
    assert tuple(part.id for part in message.parts) == planned.data.part_ids
    assert planned.data.content == message.parts


@pytest.mark.parametrize(
    ("texts", "language", "apology"),
    [
        (("hello",), "en", "Sorry"),
        (("hello", "สวัสดี"), "th", "ขออภัย"),
        (("สวัสดี", "12345"), "th", "ขออภัย"),
        (("12345",), None, "Sorry"),
    ],
)
def test_failed_turn_ends_in_an_apology_in_the_persons_language(
    texts: tuple[str, ...], language: str | None, apology: str
) -> None:
    talk = Talk()
    for text in texts[:-1]:
        talk.answer(talk.ask(text))
    request = talk.ask(texts[-1])
    answer = talk.hear(talk.gave_up(request.id))
    (message,) = answer.messages
    assert message.origin == answer.event("message_planned").data.origin == "system"
    assert message.language == language
    content = message.parts[0].content
    assert content.kind == "text"
    assert content.text.startswith(apology)
    assert talk.lines[-1] == content.text


def test_empty_answer_closes_the_turn_in_silence() -> None:
    talk = Talk()
    answer = talk.hear(talk.replied(talk.ask().id, "  "))
    assert (answer.outputs, talk.state.turn, talk.lines) == ([], None, ["hello"])


def test_answer_of_another_turn_says_nothing() -> None:
    talk = Talk()
    request = talk.ask()
    answer = talk.hear(talk.replied("5b1f3c52-6a0e-5d43-9c55-1f4e0a7a9b10", "who asked?"))
    assert answer.outputs == []
    assert talk.state.turn is not None
    assert talk.state.turn.id == request.id


def test_second_copy_of_an_answer_says_nothing() -> None:
    talk = Talk()
    replied = talk.replied(talk.ask().id, "once", user_insights={"visits": 1})
    talk.hear(replied)
    before = talk.view.dump()
    assert talk.hear(replied).outputs == []
    assert talk.view.dump() == before


def test_insights_become_preferences_and_are_told() -> None:
    talk = Talk()
    talk.answer(talk.ask(), user_insights={"language": "th", "size": "M", "huge": "x" * 8_192})
    message = talk.answer(talk.ask("more"), user_insights={"size": "L"})
    assert talk.ask("again").question.context.user_preferences == {"language": "th", "size": "L"}
    assert message.language == "th"


def test_context_is_bounded_in_messages_and_length() -> None:
    talk = Talk(context_messages=4, context_chars_max=10)
    for number in range(4):
        talk.answer(talk.ask(f"question {number} is long"), f"answer {number} is long")
    request = talk.ask("the last question")
    assert contents(request) == ["question 2", "answer 2 i", "question 3", "answer 3 i"]
    assert request.question.message.message_text == "the last question"
    assert len(talk.history) == 5


def test_waiting_message_is_asked_whole_and_cut_when_answered() -> None:
    talk = Talk(context_chars_max=10)
    request = talk.ask("first")
    talk.hear(talk.said("a long question that waits"))
    (second,) = talk.hear(talk.replied(request.id, "yes")).requests
    assert second.question.message.message_text == "a long question that waits"
    talk.answer(second)
    assert talk.lines[1] == "a long que"


def test_waiting_messages_stay_however_short_the_context_is() -> None:
    talk = Talk(context_messages=2)
    request = talk.ask("first")
    for number in range(5):
        talk.hear(talk.said(f"waiting {number}"))
    (second,) = talk.hear(talk.replied(request.id, "yes")).requests
    assert second.question.message.message_text == "waiting 4"
    assert contents(second) == ["waiting 2", "waiting 3"]
    talk.answer(second, "all of it")
    assert talk.lines == ["waiting 4", "yes", "all of it"]


def test_oldest_messages_leave_a_turn_that_grows_too_long() -> None:
    talk = Talk(pending_messages_max=2)
    request = talk.ask("first")
    waiting = [talk.said(f"waiting {number}") for number in range(3)]
    answer = talk.hear(*waiting)
    ignored = answer.event("input_ignored")
    assert (ignored.data.reason, ignored.data.metadata) == ("pending_overflow", {"event_id": waiting[0].id})
    answer = talk.hear(talk.replied(request.id, "yes"))
    assert answer.event("reply_requested").data.event_ids == (waiting[1].id, waiting[2].id)


@pytest.mark.parametrize(
    ("content", "text", "kind", "url", "details"),
    [
        (MediaContent(kind="image", url="https://x/1.jpg", caption="look"), "look", "image", "https://x/1.jpg", {}),
        (
            MediaContent(kind="file", media_id="7", file_name="a.pdf"),
            "",
            "file",
            None,
            {"media_id": "7", "file_name": "a.pdf"},
        ),
        (StickerContent(sticker_id="1", emoji="🙂"), "🙂", "sticker", None, {}),
        (
            LocationContent(latitude=13.7, longitude=100.5, name="Bangkok"),
            "Bangkok (13.7, 100.5)",
            "location",
            None,
            {"latitude": 13.7, "longitude": 100.5},
        ),
    ],
)
def test_content_is_told_in_words(
    content: MediaContent | StickerContent | LocationContent, text: str, kind: str, url: str | None, details: object
) -> None:
    talk = Talk(media_wait_s=0)
    (request,) = talk.hear(talk.said(content)).requests
    asked = request.question.message
    assert (asked.message_text, asked.message_type, asked.media_url, asked.metadata) == (text, kind, url, details)
    talk.answer(request)
    assert contents(talk.ask("and now?"))[0] == (text or f"[{kind}]")


def test_tap_is_asked_by_its_title_with_its_data() -> None:
    talk = Talk()
    (request,) = talk.hear(talk.tapped("buy=7")).requests
    asked = request.question.message
    assert (asked.message_text, asked.message_type) == ("Tap", "choice")
    assert asked.metadata == {"data": "buy=7", "source": "postback"}


def test_rich_answer_is_remembered_by_its_kind_and_confidence() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.event(talk.replied(request.id, "").data.model_copy(update={"content": RICH}), cause=request.id))
    told = talk.ask("more").question.context.messages[-1]
    assert (told.content, told.confidence) == ("[rich]", 0.5)


RICH = AIAnswer(response_type="rich", flex_content={"type": "bubble", "body": {"type": "box"}}, confidence=0.5)


def test_what_the_platform_itself_says_starts_no_turn() -> None:
    talk = Talk()
    assert talk.hear(talk.said(SystemContent(event="new_chat_title", text="Shop"))).events == []
    assert talk.lines != []
    assert talk.disagreements() == []


def test_what_people_say_to_each_other_starts_no_turn_but_is_told_to_the_ai() -> None:
    talk = Talk()
    assert talk.hear(talk.said("lunch?", metadata={"is_addressed": False})).events == []
    assert contents(talk.ask("bot, what time is it?")) == ["lunch?"]
    assert talk.disagreements() == []


def test_answer_to_our_own_message_is_meant_for_us() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    others = talk.said("yes", reply_to="p9", metadata={"is_addressed": False})
    ours = talk.said("yes", reply_to="p1", metadata={"is_addressed": False})
    assert talk.hear(others).requests == []
    assert len(talk.hear(ours).requests) == 1
