"""A download ends in whole bytes within its limits, or in an error that says what to do and holds no link."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from yarl import URL

from connectors.errors import FetchError
from connectors.interface import Blob, Channel
from connectors.shared.download import REDIRECTS_MAX, Downloader, next_hop
from tests.unit.test_shared_guard import Names
from tests.unit.test_shared_http import Handler, serving

SECRET = "token-that-nobody-may-read"
LIMIT = 1_000


def body(data: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data) if length is None else length}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await writer.drain()

    return handler


def redirect(location: str) -> Handler:
    return body(b"", f"Location: {location}", status="302 Found")


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def resetting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@asynccontextmanager
async def downloading(*, resolver: Names | None = None, timeout_s: float = 2.0) -> AsyncIterator[Downloader]:
    downloader = Downloader(bytes_max=LIMIT, timeout_s=timeout_s, resolver=resolver)
    try:
        yield downloader
    finally:
        await downloader.close()


async def got(handler: Handler, *, timeout_s: float = 2.0) -> Blob:
    """From the channel's own server."""
    async with serving(handler) as base, downloading(timeout_s=timeout_s) as download:
        return await download(f"{base}/{SECRET}", Channel("shop", "test", {}, api_base=base))


async def refused(handler: Handler, *, timeout_s: float = 2.0) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await got(handler, timeout_s=timeout_s)
    for text in (str(caught.value), repr(caught.value), str(caught.value.__cause__)):
        assert SECRET not in text
    return caught.value


async def test_a_body_up_to_the_limit_comes_whole_with_its_type() -> None:
    blob = await got(body(b"x" * LIMIT, "Content-Type: Image/PNG; charset=binary"))
    assert (blob.data, blob.mime_type) == (b"x" * LIMIT, "image/png")


@pytest.mark.parametrize("header", [(), ("Content-Type: application/octet-stream",)])
async def test_some_bytes_is_no_type(header: tuple[str, ...]) -> None:
    assert (await got(body(b"x", *header))).mime_type is None


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read() -> None:
    error = await refused(body(b"", length=LIMIT + 1))
    assert (error.code, error.retryable) == ("too_large", False)


async def test_a_body_without_a_length_is_read_up_to_the_limit_only() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 4096)
            await writer.drain()
            await asyncio.sleep(0)

    assert (await refused(endless)).code == "too_large"


async def test_a_packed_body_is_refused() -> None:
    assert (await refused(body(b"x", "Content-Encoding: gzip"))).code == "refused"


@pytest.mark.parametrize(
    ("status", "code", "is_gone", "retryable"),
    [
        ("202 Accepted", "unavailable", False, True),
        ("206 Partial Content", "refused", False, False),
        ("400 Bad Request", "refused", False, False),
        ("401 Unauthorized", "gone", True, False),
        ("403 Forbidden", "gone", True, False),
        ("404 Not Found", "gone", True, False),
        ("410 Gone", "gone", True, False),
        ("429 Too Many Requests", "unavailable", False, True),
        ("500 Internal Server Error", "unavailable", False, True),
        ("503 Service Unavailable", "unavailable", False, True),
        ("304 Not Modified", "refused", False, False),
    ],
)
async def test_each_status_says_what_to_do(status: str, code: str, is_gone: bool, retryable: bool) -> None:
    error = await refused(body(b"", status=status))
    assert (error.code, error.is_gone, error.retryable) == (code, is_gone, retryable)


async def test_the_servers_wait_is_told() -> None:
    assert (await refused(body(b"", "Retry-After: 7", status="503 Service Unavailable"))).retry_after_s == 7


@pytest.mark.parametrize("handler", [body(b"half", length=100), resetting], ids=["half a body", "a reset"])
async def test_a_broken_connection_may_be_tried_again(handler: Handler) -> None:
    error = await refused(handler)
    assert (error.code, error.retryable) == ("unavailable", True)


async def test_a_silent_server_is_given_up_in_time() -> None:
    error = await refused(silent, timeout_s=0.1)
    assert (error.code, error.retryable) == ("timeout", True)


async def test_redirects_are_followed_a_few_times() -> None:
    async def stairs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """/3 leads to /2, to /1, to /0, where the picture is."""
        target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        left = int(target.rpartition(b"/")[2])
        await answer(writer, f"/steps/{left - 1}" if left else "")

    async with serving(stairs) as base, downloading() as download:
        channel = Channel("shop", "test", {}, api_base=base)
        assert (await download(f"{base}/steps/{REDIRECTS_MAX}", channel)).data == b"picture"
        with pytest.raises(FetchError, match="redirects"):
            await download(f"{base}/steps/{REDIRECTS_MAX + 1}", channel)


async def answer(writer: asyncio.StreamWriter, location: str) -> None:
    head = f"302 Found\r\nLocation: {location}" if location else "200 OK"
    writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 7\r\n\r\npicture".encode())
    await writer.drain()


async def test_a_redirect_is_checked_like_the_link_itself() -> None:
    """The target is a server of ours that really listens; the link is the channel's own."""
    inside = serving(body(b"inside"))
    async with inside as target, serving(redirect(f"{target}/admin")) as base, downloading() as download:
        with pytest.raises(FetchError) as caught:
            await download(f"{base}/x", Channel("shop", "test", {}, api_base=base))
    assert caught.value.code == "address_refused"


@pytest.mark.parametrize(
    ("location", "target", "is_same"),
    [
        ("/there?x=1", "https://cdn.example/there?x=1", True),
        ("next", "https://cdn.example/a/next", True),
        ("https://cdn.example:443/there", "https://cdn.example/there", True),
        ("http://cdn.example/there", "http://cdn.example/there", False),
        ("https://cdn.example:8443/there", "https://cdn.example:8443/there", False),
        ("//evil.example/there", "https://evil.example/there", False),
        ("https://evil.example/there", "https://evil.example/there", False),
    ],
)
def test_headers_stay_with_the_host_that_they_are_for(location: str, target: str, is_same: bool) -> None:
    headers = {"Authorization": SECRET}
    url, left = next_hop(URL("https://cdn.example/a/b"), location, headers)
    assert (url, dict(left)) == (target, headers if is_same else {})


async def test_what_is_checked_is_what_is_connected_to() -> None:
    """The name resolves to loopback, where a server really listens: it is never reached."""
    visits: list[int] = []

    async def inside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(1)

    async with serving(inside) as base, downloading(resolver=Names("127.0.0.1")) as download:
        with pytest.raises(FetchError) as caught:
            await download(f"http://rebind.example:{urlsplit(base).port}/{SECRET}", Channel("shop", "test", {}))
    assert (caught.value.code, caught.value.retryable, visits) == ("address_refused", False, [])
    assert SECRET not in str(caught.value)
