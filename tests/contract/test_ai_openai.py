"""A chat-completions server behind the same ``ask``: its request shape, its answers, its faults."""

from typing import Any

import orjson
import pytest

from schemas.registry import encode
from streams.ai.client import AIClient
from streams.ai.errors import AIBroken, AIRefused
from streams.ai.openai import ChatCompletions
from streams.settings import Settings
from tests.fakes.ai import FakeAI
from tests.unit.ai_samples import question

SETTINGS = Settings(ai_call_timeout_s=1.0, ai_attempts=2, ai_model="tiny", ai_prompt="Be brief.")
WIRE = ChatCompletions("http://host/v1/chat/completions", SETTINGS)


def messages_of(*, text: str = "now", history: tuple[str, ...] = (), **changes: Any) -> Any:
    asked = question(text, history=history)
    body = orjson.loads(WIRE.write(encode(asked.model_copy(update=changes))))
    assert body["model"] == "tiny"
    return body["messages"]


async def test_the_same_ask_reaches_a_chat_completions_server_and_survives_its_faults() -> None:
    fake = FakeAI()
    client = AIClient(await fake.start() + "/v1/chat/completions", SETTINGS)
    await client.start()
    fake.fail("error", times=1)
    reply = await client.ask(question("hello", history=("a", "b")), deadline_s=5.0)
    fake.fail("unauthorized")
    with pytest.raises(AIRefused):
        await client.ask(question("hello"), deadline_s=5.0)
    await client.stop()
    await fake.stop()
    assert reply.answer.response_text == "re: hello"
    assert reply.attempts == 2
    assert {asked["path"] for asked in fake.journal} == {"/v1/chat/completions"}


def test_the_dialogue_begins_with_the_prompt_and_ends_with_the_message() -> None:
    assert messages_of(history=("a", "b")) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "now"},
    ]


def test_roles_alternate_and_a_user_begins() -> None:
    assert messages_of(history=("a", "b", "c"))[-1] == {"role": "user", "content": "c\nnow"}
    context = question(history=("a", "b", "c")).context
    tail = context.model_copy(update={"messages": context.messages[1:]})
    assert [message["role"] for message in messages_of(context=tail)] == ["system", "user"]


def test_what_is_known_about_the_person_is_told() -> None:
    context = question().context.model_copy(update={"user_preferences": {"language": "th"}})
    assert messages_of(context=context)[0]["content"] == 'Be brief.\nWhat is known about this person: {"language":"th"}'


def test_a_message_without_text_is_named_by_its_kind_and_link() -> None:
    asked = question("").message.model_copy(update={"message_type": "image", "media_url": "https://example.com/p"})
    assert messages_of(message=asked)[-1]["content"] == "[image https://example.com/p]"


@pytest.mark.parametrize(
    ("content", "expected"),
    [("hi", "hi"), ([{"type": "text", "text": "hi "}, {"type": "image"}, {"type": "text", "text": "you"}], "hi you")],
)
def test_the_first_choice_is_the_answer(content: Any, expected: str) -> None:
    body = orjson.dumps({"choices": [{"message": {"content": content}}, {"message": {"content": "other"}}]})
    assert WIRE.read(body).response_text == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"choices": []}, "empty"),
        ({"choices": "none"}, "empty"),
        ({"error": {"message": "overloaded"}}, "empty"),
        ({"choices": [{"message": {"content": None, "refusal": "no"}}]}, "empty"),
        ({"choices": [{"message": {"content": ""}}]}, "empty"),
        ({"choices": [{"message": {"content": 7}}]}, "wrong_type"),
        ({"choices": [{"message": {"content": {"text": "hi"}}}]}, "wrong_type"),
    ],
)
def test_an_answer_without_a_text_is_broken(body: Any, reason: str) -> None:
    with pytest.raises(AIBroken) as caught:
        WIRE.read(orjson.dumps(body))
    assert caught.value.reason == reason
