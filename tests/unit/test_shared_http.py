"""One attempt over HTTP: each way to fail is sorted by what may have happened, and no secret is in any text."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.http import ANSWER_BYTES_MAX, HttpClient, fill_secrets, redact, retry_after_s

TOKEN = "token-that-nobody-may-read"
CHANNEL = Channel("shop", "test", {"access_token": (TOKEN, "old-token")})

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A raw TCP server, so that the tests decide about every byte and reset."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()


def call(url: str, *, key: str | None = None, is_visible: bool = True) -> Call:
    headers = {"Authorization": "Bearer {secret:access_token}"}
    return Call("push", "POST", url, headers, {"to": "U1"}, ("p1",), is_visible=is_visible, idempotency_key=key)


async def attempt(made: Call, *, channel: Channel = CHANNEL, timeout_s: float = 2.0) -> SendError:
    client = HttpClient()
    try:
        with pytest.raises(SendError) as caught:
            await client.request(made, channel, timeout_s=timeout_s)
    finally:
        await client.close()
    error = caught.value
    for text in (str(error), repr(error), str(error.__dict__), str(error.__cause__)):
        assert TOKEN not in text
    return error


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.read(1024)


def answering(status: str, body: bytes, *headers: str) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return handler


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await reader.read()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_secrets_are_filled_in_and_any_status_is_an_answer() -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 11\r\n\r\n" + b'{"a":"b c"}')

    client = HttpClient()
    async with serving(handler) as url:
        answer = await client.request(call(url), CHANNEL, timeout_s=2)
    await client.close()
    assert (answer.status, answer.member("a"), retry_after_s(answer)) == (429, "b c", 7.0)
    assert f"Bearer {TOKEN}".encode() in seen[0]
    assert seen[0].endswith(b'{"to":"U1"}')


async def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = await attempt(call(f"http://127.0.0.1:{port}"))
    assert (error.retryable, error.ambiguous, error.channel_wide) == (True, False, False)


async def test_an_unknown_host_was_not_sent() -> None:
    error = await attempt(call("http://nowhere.invalid/"))
    assert (error.retryable, error.ambiguous) == (True, False)


async def test_a_connection_that_is_not_made_in_time_was_not_sent() -> None:
    with socket.socket() as full:
        # The one place of the backlog is taken: the next handshake waits without an answer.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        blockers = [socket.socket() for _ in range(4)]
        for blocker in blockers:
            blocker.setblocking(False)
            blocker.connect_ex(address)
        error = await attempt(call(f"http://127.0.0.1:{address[1]}"), timeout_s=0.3)
        for blocker in blockers:
            blocker.close()
    assert (error.retryable, error.ambiguous, error.code) == (True, False, "timeout")


@pytest.mark.parametrize("handler", [silent, resetting])
@pytest.mark.parametrize(
    ("key", "is_visible", "retryable", "ambiguous"),
    [(None, True, False, True), ("a-key", True, True, True), (None, False, True, False)],
)
async def test_no_answer_after_the_request_left_is_ambiguous(
    handler: Handler, key: str | None, is_visible: bool, retryable: bool, ambiguous: bool
) -> None:
    async with serving(handler) as url:
        error = await attempt(call(url, key=key, is_visible=is_visible), timeout_s=0.3)
    assert (error.retryable, error.ambiguous) == (retryable, ambiguous)


async def test_an_answer_that_breaks_off_is_ambiguous() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async with serving(handler) as url:
        error = await attempt(call(url))
    assert error.ambiguous


async def test_a_long_answer_is_read_only_up_to_its_bound() -> None:
    client = HttpClient()
    async with serving(answering("200 OK", b"x" * (ANSWER_BYTES_MAX + 5))) as url:
        answer = await client.request(call(url), CHANNEL, timeout_s=5)
    await client.close()
    assert (len(answer.text), answer.body) == (ANSWER_BYTES_MAX, None)


async def test_a_redirect_is_not_followed_with_the_token() -> None:
    client = HttpClient()
    async with serving(answering("302 Found", b"", "Location: http://127.0.0.1:1/steal")) as url:
        answer = await client.request(call(url), CHANNEL, timeout_s=2)
    await client.close()
    assert answer.status == 302


async def test_a_credential_that_is_missing_or_unusable_pauses_the_channel() -> None:
    missing = await attempt(call("http://127.0.0.1:1"), channel=Channel("shop", "test", {}))
    assert missing.channel_wide
    assert "access_token is not configured" in missing.reason
    broken = replace(CHANNEL, values={"access_token": (TOKEN + "\n",)})
    async with serving(answering("200 OK", b"{}")) as url:
        assert (await attempt(call(url), channel=broken)).channel_wide
    assert (await attempt(call("no-url"))).channel_wide


def test_only_the_first_of_rotated_secrets_is_used_and_all_are_redacted() -> None:
    assert fill_secrets("a/{secret:access_token}/b", CHANNEL) == f"a/{TOKEN}/b"
    assert redact(f"x {TOKEN} y old-token", CHANNEL) == "x *** y ***"
    assert TOKEN not in repr(CHANNEL)
