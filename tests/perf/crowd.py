"""People who write to our installation on one platform, one message at a time each, and wait for the answer.

The simulated platform, the AI and the people share the bench's process, whose CPU is not counted.
"""

import asyncio
from itertools import count

from tests.fakes.base import FakePlatform
from tests.perf.ground import BenchFailed

USERS = 1_000
TEXT = "hello, where is my parcel? " * 2
ANSWER_WITHIN_S = 60.0


class Crowd:
    """``USERS`` people; nobody writes again before the answer came, so that each message is a turn of its own."""

    def __init__(self, fake: FakePlatform) -> None:
        self._fake = fake
        self._answered: dict[str, asyncio.Event] = {}
        self._numbers = count()
        fake.on_visible = self._on_visible

    async def steady(self, rate: int, seconds: float) -> None:
        """So many turns a second; returns when all are answered."""
        turns = []
        for _ in range(int(rate * seconds)):
            turns.append(asyncio.create_task(self._turn(f"user-{next(self._numbers) % USERS}")))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*turns)

    async def full(self, turns: int, concurrency: int) -> None:
        """So many turns, ``concurrency`` under way at once, each by another person, who goes on when it is over."""
        numbers = iter(range(turns))

        async def person(number: int) -> None:
            for _ in numbers:
                await self._turn(f"user-{number}")

        await asyncio.gather(*(person(number) for number in range(concurrency)))

    async def _turn(self, user: str) -> None:
        answered = self._answered[user] = asyncio.Event()
        event = self._fake.user_message(user, TEXT)
        status = await self._fake.deliver(self._fake.body([event]), ids=[self._fake.native_id(event)])
        if not 200 <= status < 300:
            raise BenchFailed(f"a webhook was answered {status}")
        try:
            await asyncio.wait_for(answered.wait(), ANSWER_WITHIN_S)
        except TimeoutError as error:
            raise BenchFailed(f"{user} had no answer within {ANSWER_WITHIN_S:.0f} s") from error

    def _on_visible(self, user: str, text: str, at: float) -> None:
        answered = self._answered.get(user)
        if answered is not None:
            answered.set()
