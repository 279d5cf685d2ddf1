"""Webhooks by the thousand: prepared and signed before, sent over kept connections, every answer timed.

Open loop (``at_rate``): each is due at its time, whether the ones before it were answered or not, so that a slow answer
counts as slow and not as less load. Closed loop (``as_fast_as_possible``): a connection goes on when it was answered.
"""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.fakes.base import FakePlatform


@dataclass(frozen=True, slots=True)
class Webhook:
    """One message: its native id, and the request as bytes."""

    native_id: str
    wire: bytes


@dataclass
class Answers:
    """What came back. ``taken`` are native ids answered 2xx; ``late_s`` from the due time to the answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    taken: list[str] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, webhook: Webhook, status: int, late_s: float) -> None:
        self.statuses[status] += 1
        self.late_s.append(late_s)
        if 200 <= status < 300:
            self.taken.append(webhook.native_id)

    def percentile_s(self, share: float) -> float:
        """Of the lateness; nan without answers."""
        ordered = sorted(self.late_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan

    @property
    def rate_per_s(self) -> float:
        return sum(self.statuses.values()) / self.seconds if self.seconds else 0.0


def prepare(fake: FakePlatform, count: int, *, path: str, users: int = 500) -> list[Webhook]:
    """Messages of many users, each with ids of its own."""
    return [_webhook(fake, f"user{number % users}", number, path) for number in range(count)]


def _webhook(fake: FakePlatform, user: str, number: int, path: str) -> Webhook:
    event = fake.user_message(user, f"message {number}")
    body = fake.body([event])
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in fake.headers(body).items()]
    return Webhook(fake.native_id(event), "\r\n".join([*lines, "", ""]).encode() + body)


class Connections:
    """So many kept connections to one port; each carries one request at a time."""

    def __init__(self, port: int, count: int) -> None:
        self._port = port
        self._count = count

    async def at_rate(self, webhooks: Sequence[Webhook], rate_per_s: float) -> Answers:
        """Open loop."""
        began = time.monotonic()
        return await self._send(((began + number / rate_per_s, each) for number, each in enumerate(webhooks)), began)

    async def as_fast_as_possible(self, webhooks: Iterable[Webhook], *, seconds: float) -> Answers:
        """Closed loop, over and over the same webhooks until the time is over."""
        began = time.monotonic()
        timely = itertools.takewhile(lambda _: time.monotonic() < began + seconds, itertools.cycle(webhooks))
        return await self._send(((0.0, each) for each in timely), began)

    async def _send(self, due: Iterable[tuple[float, Webhook]], began: float) -> Answers:
        answers = Answers()
        queue = iter(due)

        async def connection() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            for at, webhook in queue:
                wait_s = at - time.monotonic()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                start = at or time.monotonic()
                writer.write(webhook.wire)
                answers.note(webhook, await _status(reader), time.monotonic() - start)
            writer.close()

        await asyncio.gather(*(connection() for _ in range(self._count)))
        answers.seconds = time.monotonic() - began
        return answers


async def _status(reader: asyncio.StreamReader) -> int:
    """The answer's status; 0 when the connection was closed before it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((line for line in head.splitlines() if line.lower().startswith(b"content-length:")), b":0")
        await reader.readexactly(int(length.partition(b":")[2]))
    except (asyncio.IncompleteReadError, OSError):
        return 0
    return int(head[9:12])
