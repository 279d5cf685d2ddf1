"""Requests that are cheap to send and dear to take: packed, nested, endless numbers, crumbs, lies about their length.

Made for one fake, whose signature the signed ones carry. Each says which statuses an answer may have.
"""

import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from tests.fakes.base import FakePlatform
from tests.fault.raw_http import wire

REFUSED = frozenset(range(400, 500))
DEPTH = 100_000
DIGITS = 5_000
CRUMBS = 20_000
"""Chunks of one byte each; a body of that many bytes is an ordinary one."""


@dataclass(frozen=True)
class Huge:
    """One request; ``pieces`` are written one after the other."""

    about: str
    pieces: Iterable[bytes]
    allowed: frozenset[int] = REFUSED


def huge_requests(fake: FakePlatform, path: str, *, bomb_mb: int) -> list[Huge]:
    """All of them; bombs unpack to ``bomb_mb``."""
    return [*_packed(fake, path, bomb_mb), *_nested(fake, path), *_numbers(fake, path), *_malformed(path)]


def _packed(fake: FakePlatform, path: str, bomb_mb: int) -> list[Huge]:
    block = b"0" * 1_000_000
    packer = zlib.compressobj(1, wbits=31)
    gzipped = b"".join([*(packer.compress(block) for _ in range(bomb_mb)), packer.flush()])
    twice = gzip.compress(gzipped, 1)
    bombs = {"gzip": gzipped, "deflate": zlib.compress(block * 50, 1), "br": gzipped[:1000], "gzip, gzip": twice}
    return [
        Huge(f"a {how} bomb", [wire(path, bomb, {**fake.headers(bomb), "Content-Encoding": how})])
        for how, bomb in bombs.items()
    ]


def _nested(fake: FakePlatform, path: str) -> list[Huge]:
    bodies = {
        "arrays": b"[" * DEPTH + b"]" * DEPTH,
        "objects": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
        "open arrays": b"[" * DEPTH,
        "elements": b"<a>" * DEPTH + b"</a>" * DEPTH,
    }
    return [Huge(f"nested {what}", [_signed(fake, path, body)]) for what, body in bodies.items()]


def _numbers(fake: FakePlatform, path: str) -> list[Huge]:
    number = b"9" * DIGITS
    body = fake.body([fake.user_message("ann", "a number")])
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return [Huge("a number for a document", [_signed(fake, path, number)])]
    long = orjson.dumps({**document, "zzz": "NUMBER"}).replace(b'"NUMBER"', number)
    return [
        Huge("a long number, unsigned", [wire(path, long)]),
        Huge("a long number, signed", [_signed(fake, path, long)]),
        Huge("only long numbers", [wire(path, b"[" + b",".join([number] * 500) + b"]")]),
    ]


def _malformed(path: str) -> list[Huge]:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode()
    crumbs = b"1\r\nx\r\n" * 1_000
    return [
        Huge("crumbs", [chunked, *([crumbs] * (CRUMBS // 1_000)), b"0\r\n\r\n"]),
        Huge("crumbs without end", [chunked, *([crumbs] * 4_100)]),
        Huge("a chunk that is no number", [chunked, b"zz\r\nx\r\n"]),
        Huge("a body that is longer than it may be", [wire(path, b"x" * 4_100_000)]),
        Huge("a body that never comes", [f"{head}Content-Length: 99999999999\r\n\r\n".encode()]),
        Huge("a length below zero", [f"{head}Content-Length: -1\r\n\r\n".encode()]),
        Huge("a thousand headers", [(head + "X-A: 1\r\n" * 1_000 + "\r\n").encode()]),
        Huge("a header of 100 KB", [f"{head}X-A: {'a' * 100_000}\r\n\r\n".encode()]),
        Huge("a path of 100 KB", [f"POST /{'a' * 100_000} HTTP/1.1\r\nHost: x\r\n\r\n".encode()]),
    ]


def _signed(fake: FakePlatform, path: str, body: bytes) -> bytes:
    return wire(path, body, fake.headers(body), fake.query(body))
