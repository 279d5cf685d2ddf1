"""Simulated users: each writes its messages one after the other and goes on when the last was accepted.

A user's texts are unique and carry the number within the conversation, so that every reply can be told apart.
"""

import asyncio
import random
from collections.abc import Callable

from tests.fakes.base import FakePlatform
from tests.harness.history import Sent

GIVE_UP_S = 90.0
AGAIN_S = 0.2


async def write_one(
    fake: FakePlatform, user: str, number: int, *, give_up_s: float = GIVE_UP_S, bodies: dict[str, bytes] | None = None
) -> Sent:
    """One message, delivered again until it is accepted, as a platform would, with the same ids and bytes; ``bodies``
    keeps these by text."""
    text = f"{user} on {fake.name} #{number}"
    event = fake.user_message(user, text)
    body = fake.body([event])
    native_id = fake.native_id(event)
    if bodies is not None:
        bodies[text] = body
    give_up = asyncio.get_running_loop().time() + give_up_s
    while True:
        status = await fake.deliver(body, ids=[native_id])
        is_accepted = 200 <= status < 300
        if is_accepted or asyncio.get_running_loop().time() > give_up:
            return Sent(fake.name, user, number, text, native_id, is_accepted)
        await asyncio.sleep(AGAIN_S)


class Load:
    """``users`` per fake, ``messages`` each in ``run``; ``pause_s`` between a user's messages (random around it)."""

    def __init__(self, fakes: list[FakePlatform], *, users: int, messages: int, pause_s: float, seed: int) -> None:
        self.sent: list[Sent] = []
        self.bodies: dict[str, bytes] = {}
        self._fakes = fakes
        self._users = users
        self._messages = messages
        self._pause_s = pause_s
        self._random = random.Random(seed)

    async def run(self, on_progress: Callable[[int], None] | None = None) -> None:
        """All users side by side."""
        await asyncio.gather(
            *(self._user(fake, f"user{n}", on_progress) for fake in self._fakes for n in range(self._users))
        )

    async def run_until(self, stop: asyncio.Event) -> None:
        """All users side by side, each writing on and on until the event is set."""
        await asyncio.gather(
            *(self._user_until(stop, fake, f"user{n}") for fake in self._fakes for n in range(self._users))
        )

    def users_of(self, platform: str) -> list[str]:
        """Names of the users that write on a platform."""
        return sorted({message.user for message in self.sent if message.platform == platform})

    async def _user(self, fake: FakePlatform, user: str, on_progress: Callable[[int], None] | None) -> None:
        for number in range(1, self._messages + 1):
            await asyncio.sleep(self._random.uniform(0, 2 * self._pause_s))
            self.sent.append(await write_one(fake, user, number, bodies=self.bodies))
            if on_progress is not None:
                on_progress(len(self.sent))

    async def _user_until(self, stop: asyncio.Event, fake: FakePlatform, user: str) -> None:
        number = 0
        while not await _is_set_within(stop, self._random.uniform(0, 2 * self._pause_s)):
            number += 1
            self.sent.append(await write_one(fake, user, number, bodies=self.bodies))


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
