"""The embedded AI service over HTTP, asked by the product's own client and by hand."""

from collections.abc import AsyncIterator
from io import BytesIO

import aiohttp
import pytest

from schemas.replies import AIAnswer
from streams.ai.client import AIClient
from streams.ai.embedded import BODY_BYTES_MAX, serve
from streams.settings import Settings
from tests.unit.ai_samples import question


@pytest.fixture
async def url() -> AsyncIterator[str]:
    runner = await serve("127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("text", "kind", "opening"),
    [
        ("สวัสดีครับ", "text", "สวัสดีครับ!"),
        ("hello", "text", "Hello!"),
        ("menu", "interactive", "Please choose"),
        ("การ์ด", "rich", "นี่คือ"),
        ("Is it open on Sunday?", "text", "I understood: “Is it open on Sunday?”"),
    ],
)
async def test_the_client_gets_each_kind_of_answer(url: str, text: str, kind: str, opening: str) -> None:
    client = AIClient(url, Settings())
    await client.start()
    reply = await client.ask(question(text), deadline_s=3.0)
    await client.stop()
    assert reply.answer.response_type == kind
    assert reply.answer.response_text.startswith(opening)
    assert reply.answer.user_insights["language"] in {"th", "en"}


async def test_a_person_can_ask_with_the_message_alone(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/process", json={"message": {"message_text": "hello"}}) as response:
            assert response.content_type == "application/json"
            answer = AIAnswer.model_validate(await response.json())
        async with session.get(f"{url}/healthz") as health:
            assert health.status == 200
    assert answer.response_text.startswith("Hello!")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[1]", 400),
        (b'{"message": "text"}', 400),
        (b"[" * 100_000, 400),
        (b'{"message": {"message_text": 7}, "context": {"messages": [1, {"role": []}]}}', 200),
        (b" " * (BODY_BYTES_MAX + 1), 413),
    ],
    ids=["empty", "half", "array", "message is a text", "deep", "odd but answerable", "huge"],
)
async def test_a_body_that_is_no_question_is_refused_with_a_reason(url: str, body: bytes, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/process", data=BytesIO(body)) as response:
        assert response.status == status
        assert await response.text()
