"""The people of the demo: they write to every simulated platform at a steady rate and remember who was answered.

Reads the fakes' journals, the only judge of what a person has seen; writes messages through the fakes' remote control.
Every message carries a mark of its own. A reply that quotes a mark answers that message and the person's earlier
ones (a turn answers several at once); a reply without any mark answers all that were written before it.
"""

import asyncio
import itertools
import random
import re
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from streams.cli.fakes import FakePlatform

USERS_PER_PLATFORM = 50
MARK = re.compile(r"#([0-9a-z]+-\d+)")
TEXTS = (
    "where is my parcel {mark} please?",
    "พัสดุของฉันอยู่ที่ไหน {mark}",
    "I would like to change the address of my parcel {mark}",
    "ของที่สั่งไว้จะมาถึงเมื่อไร {mark}",
)
TAKEN_MAX = 50_000
"""Ids that are remembered per platform until we learn which messages they belong to."""
REQUEST_TIMEOUT_S = 30.0
"""Longer than all redeliveries of a fake take together."""


@dataclass(slots=True)
class Written:
    """One message that waits for its answer."""

    mark: str
    at: float
    is_accepted: bool = False


@dataclass(slots=True)
class Audience:
    """The people of one platform. ``waiting`` holds, per person, what was not answered yet, oldest first.

    A message is accepted when the platform has given it an id (``tell``) and our webhook has answered 2xx for that id
    (``take``), in whatever order we learn of it. Ids may repeat: some platforms number within each chat.
    """

    fake: FakePlatform
    received: int = 0
    replied: int = 0
    journal_at: int = 0
    deliveries_at: int = 0
    waiting: dict[str, list[Written]] = field(default_factory=dict)
    _told: dict[str, list[Written]] = field(default_factory=dict)
    _taken: OrderedDict[str, int] = field(default_factory=OrderedDict)

    @property
    def owed(self) -> int:
        """Messages without a reply that our webhook took: at the end they are lost."""
        return sum(message.is_accepted for messages in self.waiting.values() for message in messages)

    def tell(self, message: Written, native_id: str) -> None:
        """The platform has given this message its id."""
        if self._taken.get(native_id, 0):
            self._taken[native_id] -= 1
            self._accept(message)
        else:
            self._told.setdefault(native_id, []).append(message)

    def take(self, ids: Iterable[str]) -> None:
        """Our webhook answered 2xx for these, which may be messages, but echoes and receipts as well."""
        for native_id in ids:
            told = self._told.get(native_id)
            if told:
                self._accept(told.pop(0))
                if not told:
                    del self._told[native_id]
            else:
                self._taken[native_id] = self._taken.get(native_id, 0) + 1
        while len(self._taken) > TAKEN_MAX:
            self._taken.popitem(last=False)

    def _accept(self, message: Written) -> None:
        message.is_accepted = True
        self.received += 1

    def see(self, user: str, text: str, at: float) -> None:
        """This person has seen this text: settle what it answers."""
        messages = self.waiting.get(user, [])
        marks = set(MARK.findall(text))
        if marks:
            last = max((place for place, message in enumerate(messages) if message.mark in marks), default=-1)
        else:
            last = max((place for place, message in enumerate(messages) if message.at < at), default=-1)
        self.replied += last + 1
        del messages[: last + 1]


class Crowd:
    """Traffic over all platforms and its oracle; an async context manager that holds the HTTP session."""

    def __init__(self, fakes: Sequence[FakePlatform], *, seed: int | None = None) -> None:
        self.audiences = {fake.name: Audience(fake) for fake in fakes}
        self._random = random.Random(seed)
        # Marks of two runs must differ: the people's conversations go on where the last run left them.
        self._run = format(int(time.time()), "x")
        self._numbers = itertools.count(1)
        self._writing: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._looking = asyncio.Lock()

    async def __aenter__(self) -> "Crowd":
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def owed(self) -> int:
        """Accepted messages without a reply, and those that are just being written."""
        return len(self._writing) + sum(audience.owed for audience in self.audiences.values())

    async def write(self, *, rate_per_s: float, until: float) -> None:
        """Write at this rate over all platforms, in turn, until ``time.monotonic()`` reaches ``until``."""
        due = time.monotonic()
        for audience in self._in_turn():
            if due >= until:
                return
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._say(audience))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
            due += 1 / rate_per_s

    async def look(self) -> None:
        """Read what is new in the journals: deliveries that were taken, and what people have seen."""
        async with self._looking:
            await asyncio.gather(*(self._look(audience) for audience in self.audiences.values()))

    def _in_turn(self) -> Iterator[Audience]:
        return itertools.cycle(self.audiences.values())

    async def _say(self, audience: Audience) -> None:
        user = f"demo{self._random.randrange(USERS_PER_PLATFORM):03d}"
        mark = f"{self._run}-{next(self._numbers)}"
        text = self._random.choice(TEXTS).format(mark=f"#{mark}")
        message = Written(mark, time.time())
        audience.waiting.setdefault(user, []).append(message)
        assert self._session is not None
        async with self._session.post(f"{audience.fake.url}/_fake/say", json={"user": user, "text": text}) as answer:
            audience.tell(message, (await answer.json())["id"])

    async def _look(self, audience: Audience) -> None:
        deliveries = await self._get(audience, "deliveries", audience.deliveries_at)
        audience.deliveries_at += len(deliveries)
        audience.take([native_id for item in deliveries if 200 <= item["status"] < 300 for native_id in item["ids"]])
        calls = await self._get(audience, "journal", audience.journal_at)
        audience.journal_at += len(calls)
        for call in calls:
            if call["accepted"]:
                for text in call["texts"]:
                    audience.see(call["user"], text, call["at"])

    async def _get(self, audience: Audience, what: str, after: int) -> list[dict[str, Any]]:
        assert self._session is not None
        async with self._session.get(f"{audience.fake.url}/_fake/{what}", params={"after": after}) as answer:
            entries: list[dict[str, Any]] = await answer.json()
            return entries
