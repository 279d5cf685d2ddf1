"""The client of the AI service against a fake over HTTP: every fault has a name, a time limit and a consequence."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from schemas.registry import encode
from streams.ai.attempts import Progress
from streams.ai.client import DOWN_AFTER_FAILURES, AIClient, Reply
from streams.ai.errors import AIBroken, AIError, AIRefused, AITimeout, AIUnavailable
from streams.settings import Settings, SettingsError
from tests.fakes.ai import FakeAI
from tests.unit.ai_samples import question

SETTINGS = Settings(ai_attempts=1)
HASTY = SETTINGS.model_copy(update={"ai_call_timeout_s": 0.4})
SLACK_S = 1.5
"""What a busy machine may add to a time limit; every mistake that is looked for costs more."""


@pytest.fixture
async def fake() -> AsyncIterator[FakeAI]:
    service = FakeAI()
    await service.start()
    yield service
    await service.stop()


async def ask(url: str, settings: Settings = SETTINGS, *, deadline_s: float = 5.0, **more: Any) -> Reply:
    """One turn with a client of its own."""
    client = AIClient(url, settings)
    await client.start()
    try:
        return await client.ask(question(), deadline_s=deadline_s, **more)
    finally:
        await client.stop()


async def failure(url: str, settings: Settings = SETTINGS, **more: Any) -> AIError:
    with pytest.raises(AIError) as caught:
        await ask(url, settings, **more)
    return caught.value


async def test_the_question_is_the_contracts_and_the_answer_comes_back(fake: FakeAI) -> None:
    before = time.time()
    reply = await ask(fake.url)
    assert reply.answer.response_text == "re: hello"
    assert reply.attempts == 1
    assert before <= reply.asked_at <= reply.answered_at <= time.time()
    (asked,) = fake.journal
    assert asked["path"] == "/process"
    assert set(asked["body"]) == {"message", "context", "platform_config"}
    assert asked["body"]["message"]["timestamp"] == "2026-11-18T11:06:40.000Z"
    assert asked["authorization"] == ""


async def test_bytes_go_to_the_service_as_they_are(fake: FakeAI) -> None:
    client = AIClient(fake.url + "/", SETTINGS)
    await client.start()
    body = encode(question("as it is"))
    await client.ask(body, deadline_s=5.0)
    await client.stop()
    assert fake.journal[0]["body"] == orjson.loads(body)


async def test_a_key_is_sent_as_bearer_token(fake: FakeAI) -> None:
    await ask(fake.url, SETTINGS.model_copy(update={"ai_api_key": SecretStr("s3cret")}))
    assert fake.journal[0]["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "is_retryable"),
    [
        ("hang", AITimeout, "timeout", True),
        ("drip", AITimeout, "timeout", True),
        ("rate", AIRefused, "rate_limited", True),
        ("error", AIUnavailable, "server_error", True),
        ("unavailable", AIUnavailable, "unavailable", True),
        ("reset", AIUnavailable, "reset", True),
        ("reset_amid", AIUnavailable, "reset", True),
        ("bad_json", AIBroken, "bad_json", True),
        ("bad_utf8", AIBroken, "bad_utf8", True),
        ("empty", AIBroken, "empty", True),
        ("empty_text", AIBroken, "empty", True),
        ("huge", AIBroken, "too_large", True),
        ("wrong_type", AIBroken, "wrong_type", True),
        ("unauthorized", AIRefused, "unauthorized", False),
        ("refused", AIRefused, "refused", False),
        ("redirect", AIRefused, "refused", False),
    ],
)
async def test_each_fault_has_a_name_and_is_asked_again_only_if_that_can_help(
    fake: FakeAI, fault: str, kind: type[AIError], reason: str, is_retryable: bool
) -> None:
    settings = HASTY if reason == "timeout" else SETTINGS
    fake.fail(fault, times=1)
    error = await failure(fake.url, settings)
    assert isinstance(error, kind)
    assert (error.reason, error.retryable, error.attempts) == (reason, is_retryable, 1)
    assert len(fake.journal) == 1

    fake.reset()
    fake.fail(fault, times=1)
    again = settings.model_copy(update={"ai_attempts": 2})
    if is_retryable:
        assert (await ask(fake.url, again)).attempts == 2
    else:
        assert (await failure(fake.url, again)).attempts == 1


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_no_call_lasts_longer_than_its_time(fake: FakeAI, fault: str) -> None:
    fake.fail(fault)
    before = time.monotonic()
    await failure(fake.url, HASTY)
    assert time.monotonic() - before < HASTY.ai_call_timeout_s + SLACK_S


@pytest.mark.parametrize("fault", ["hang", "error"])
async def test_all_calls_of_a_turn_end_by_its_deadline(fake: FakeAI, fault: str) -> None:
    fake.fail(fault)
    before = time.monotonic()
    error = await failure(fake.url, HASTY.model_copy(update={"ai_attempts": 99}), deadline_s=1.0)
    assert time.monotonic() - before < 1.0 + SLACK_S
    assert error.attempts == len(fake.journal) >= 2


async def test_a_call_ends_with_its_turn_even_if_it_had_more_time(fake: FakeAI) -> None:
    fake.fail("hang")
    before = time.monotonic()
    error = await failure(fake.url, SETTINGS.model_copy(update={"ai_call_timeout_s": 5.0}), deadline_s=0.4)
    assert error.reason == "timeout"
    assert time.monotonic() - before < 0.4 + SLACK_S


async def test_a_turn_is_tried_as_often_as_the_settings_say(fake: FakeAI) -> None:
    fake.fail("error")
    error = await failure(fake.url, SETTINGS.model_copy(update={"ai_attempts": 3}))
    assert error.attempts == len(fake.journal) == 3


@pytest.mark.parametrize("fault", ["rate", "unavailable", "error"])
async def test_a_wait_that_the_service_asks_for_is_kept(fake: FakeAI, fault: str) -> None:
    fake.fail(fault, times=1, retry_after_s=0.7)
    reply = await ask(fake.url, SETTINGS.model_copy(update={"ai_attempts": 2}))
    first, second = fake.journal
    assert second["at"] - first["at"] >= 0.7
    assert reply.attempts == 2
    assert reply.asked_at <= first["at"]


@pytest.mark.parametrize(
    "retry_after", [3, 3_600, "inf", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)]
)
async def test_a_wait_beyond_the_deadline_ends_the_turn_at_once(fake: FakeAI, retry_after: Any) -> None:
    fake.fail("rate", retry_after_s=retry_after)
    before = time.monotonic()
    error = await failure(fake.url, SETTINGS.model_copy(update={"ai_attempts": 9}), deadline_s=2.0)
    assert error.reason == "rate_limited"
    assert len(fake.journal) == 1
    assert time.monotonic() - before < SLACK_S


@pytest.mark.parametrize("retry_after", ["soon", "nan", "-5", ""])
async def test_an_unreadable_wait_is_no_wait(fake: FakeAI, retry_after: str) -> None:
    fake.fail("rate", times=1, retry_after_s=retry_after)
    assert (await ask(fake.url, SETTINGS.model_copy(update={"ai_attempts": 2}))).attempts == 2


async def test_a_turn_goes_on_where_an_earlier_process_stopped(fake: FakeAI) -> None:
    fake.fail("error")
    begun = Progress(attempts=2, asked_at=12.5, not_before=time.time() + 0.5)
    error = await failure(fake.url, SETTINGS.model_copy(update={"ai_attempts": 3}), progress=begun)
    assert error.attempts == 3
    (asked,) = fake.journal
    assert asked["at"] >= begun.not_before


async def test_progress_is_told_before_each_wait(fake: FakeAI) -> None:
    fake.fail("rate", times=2, retry_after_s=0.2)
    told: list[tuple[int, float]] = []

    async def remember(progress: Progress) -> None:
        told.append((len(fake.journal), progress.not_before - fake.journal[-1]["at"]))

    reply = await ask(fake.url, SETTINGS.model_copy(update={"ai_attempts": 3}), on_retry=remember)
    assert reply.attempts == 3
    assert [calls for calls, _ in told] == [1, 2]
    assert all(wait_s >= 0.2 for _, wait_s in told)


async def test_a_service_that_fails_everybody_is_down_until_it_answers(fake: FakeAI) -> None:
    fake.fail("error", times=DOWN_AFTER_FAILURES)
    client = AIClient(fake.url, SETTINGS)
    await client.start()
    for _ in range(DOWN_AFTER_FAILURES):
        assert not client.is_down
        with pytest.raises(AIUnavailable):
            await client.ask(question(), deadline_s=1.0)
    states = [client.is_down]
    await client.ask(question(), deadline_s=1.0)
    states.append(client.is_down)
    await client.stop()
    assert states == [True, False]


async def test_a_compressed_answer_that_was_not_asked_for_is_refused(fake: FakeAI) -> None:
    fake.answer = {"response_text": "packed"}
    fake.encoding = "gzip"
    assert (await failure(fake.url)).reason == "encoded"


async def test_a_closed_port_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await failure(f"http://127.0.0.1:{port}")
    assert (error.reason, error.retryable) == ("unreachable", True)


async def test_a_name_that_does_not_resolve_is_named() -> None:
    error = await failure("http://ai.invalid")
    assert (error.reason, error.retryable) == ("dns", True)


async def test_tls_against_a_plain_port_fails_for_good(fake: FakeAI) -> None:
    error = await failure(fake.url.replace("http:", "https:"))
    assert (error.reason, error.retryable) == ("tls", False)


async def test_a_certificate_that_nobody_signed_is_not_trusted(tmp_path: Path) -> None:
    service = FakeAI()
    url = await service.start(tls=self_signed(tmp_path))
    error = await failure(url)
    await service.stop()
    assert (error.reason, error.retryable) == ("tls", False)
    assert service.journal == []


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    lasting = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = lasting.sign(key, hashes.SHA256())
    pem = folder / "pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def test_a_slow_turn_does_not_hold_up_another(fake: FakeAI) -> None:
    fake.fail("hang", conversation="line_shop_slow", seconds=5)
    client = AIClient(fake.url, SETTINGS)
    await client.start()
    slow = asyncio.ensure_future(client.ask(question(conversation_id="line_shop_slow"), deadline_s=1.0))
    quick = await client.ask(question("quick"), deadline_s=1.0)
    assert not slow.done()
    assert quick.answer.response_text == "re: quick"
    with pytest.raises(AITimeout):
        await slow
    await client.stop()


@pytest.mark.parametrize("url", ["", "localhost:9000", "ftp://host/", "http://", "http://host:0", "http://[broken"])
def test_an_address_that_cannot_be_asked_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="IRIS_AI_URL"):
        AIClient(url, SETTINGS)
