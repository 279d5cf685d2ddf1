"""The public port against slow and packed requests: bounded by time, whatever is sent, and honest callers go on."""

import asyncio
import gzip
import io
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest

from streams.app import build_topics
from streams.channels import Channels
from streams.settings import Settings
from streams.stages.intake import Intake
from streams.stages.intake_patience import SWEEP_S
from streams.stages.intake_server import public_port
from tests.contract.specimens import CHANNEL, specimens
from tests.harness.deployment import free_port
from tests.harness.eventually import eventually

TIMEOUT_S = 0.4
PATH = f"/webhooks/line/{CHANNEL}"
CLOSED_WITHIN_S = TIMEOUT_S + 2 * SWEEP_S + 3
"""The rest is for a busy machine."""


class Stored:
    """A producer that acknowledges at once."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    async def produce(self, topic: str, records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None:
        self.records += records


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
async def port(stored: Stored) -> AsyncIterator[int]:
    settings = Settings(port=free_port(), request_timeout_s=TIMEOUT_S)
    intake = Intake(build_topics(settings), settings, Channels((specimens()["line"].channel,)), stored)
    async with public_port(intake, settings):
        yield settings.port


HEAD = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"


@pytest.mark.parametrize("sent", ["", "P", HEAD, HEAD + "X-Slow: "], ids=["nothing", "a letter", "a head", "a name"])
async def test_a_socket_that_sends_no_whole_head_is_closed(port: int, sent: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent.encode())
    assert await asyncio.wait_for(reader.read(), CLOSED_WITHIN_S) == b""
    writer.close()


async def test_a_head_that_drips_is_closed_however_busy_it_looks(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()

    def one_more() -> None:
        writer.write(b"X-Drip: 1\r\n")
        assert reader.at_eof()

    writer.write(HEAD.encode())
    reading = asyncio.create_task(reader.read())
    await eventually(one_more, timeout_s=CLOSED_WITHIN_S)
    assert time.monotonic() - began >= TIMEOUT_S
    assert await reading == b""
    writer.close()


async def test_a_body_that_drips_is_408_and_the_connection_is_closed(port: int, stored: Stored) -> None:
    settings = Settings(port=free_port(), request_timeout_s=30)
    intake = Intake(build_topics(settings), settings, Channels((specimens()["line"].channel,)), stored)
    async with public_port(intake, settings):
        reader, writer = await asyncio.open_connection("127.0.0.1", settings.port)
        writer.write(f"{HEAD}\r\n{{".encode())
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not arrive within 1.5 s" in answer
    assert stored.records == []


async def test_a_caller_that_was_answered_may_come_again_later_on_the_same_connection(
    port: int, stored: Stored
) -> None:
    request = specimens()["line"].request(specimens()["line"].bodies["texts 1"])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def deliver() -> int:
        lines = [f"POST {PATH} HTTP/1.1", "Host: x", f"Content-Length: {len(request.body)}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + request.body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].split()[0]))
        return int(head.split()[1])

    assert await deliver() == 200
    with pytest.raises(TimeoutError):
        # Longer than a connection that owes a request would live: it stays open.
        await asyncio.wait_for(reader.read(), TIMEOUT_S + 3 * SWEEP_S)
    assert await deliver() == 200
    writer.close()
    assert len(stored.records) == 2 * len(specimens()["line"].split(request.body).records)


@pytest.mark.parametrize("head", ["X: " + "a" * 9_000, "Content-Length: -1", "no header"])
async def test_what_is_no_http_is_400_and_one_line_in_the_log(
    port: int, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), CLOSED_WITHIN_S)
    writer.close()
    # aiohttp answers so when it could not even read the version.
    assert answer.startswith(b"HTTP/1.0 400")
    (line,) = [record for record in caplog.records if "http" in record.name]
    assert (line.levelname, line.exc_info) == ("INFO", None)
    assert len(line.getMessage()) < 100


@pytest.mark.parametrize("path", [PATH, "/webhooks/line/nobody"])
async def test_whoever_is_refused_gets_no_second_request_on_the_connection(port: int, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    answer = await asyncio.wait_for(reader.read(), CLOSED_WITHIN_S)
    writer.close()
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404"))
    assert b"connection: close" in answer.lower()


def chunked(body: bytes, size: int) -> bytes:
    """The body in chunks of so many bytes, as HTTP/1.1 has them."""
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(("size", "status"), [(1, 400), (31, 400), (32, 200), (1_000, 200)])
async def test_a_chunked_body_is_taken_unless_it_comes_in_crumbs(
    port: int, stored: Stored, size: int, status: int
) -> None:
    line = specimens()["line"]
    request = line.request(line.fake.body([line.fake.user_message("ann", "x" * 10_000)]))
    lines = [f"POST {PATH} HTTP/1.1", "Host: x", "Connection: close", "Transfer-Encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name != "content-length"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "", ""]).encode() + chunked(request.body, size))
    answer = await asyncio.wait_for(reader.readline(), CLOSED_WITHIN_S)
    writer.close()
    assert answer.split()[1] == str(status).encode()
    assert len(stored.records) == (status == 200)


async def test_a_chunked_body_has_the_same_limit_as_any_other(port: int, stored: Stored) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    writer.write(chunked(b"x" * 4_100_000, 100_000))
    assert (await asyncio.wait_for(reader.readline(), CLOSED_WITHIN_S)).split()[1] == b"413"
    writer.close()
    assert stored.records == []


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000001\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.readline(), CLOSED_WITHIN_S)).split()[1] == b"413"
    writer.close()


async def test_a_packed_body_is_refused_and_never_unpacked(port: int, stored: Stored) -> None:
    packed = gzip.compress(b"0" * 300_000_000, 1)
    began = time.process_time()
    gzip.decompress(packed)
    unpacking_s = time.process_time() - began
    bomb = io.BytesIO(packed)
    began = time.process_time()
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.post(PATH, data=bomb, headers={"Content-Encoding": "gzip"}) as answer,
    ):
        assert answer.status == 415
    assert time.process_time() - began < unpacking_s / 2
    assert stored.records == []
