"""What is planned is taken: every message of the corpus goes through every platform's sender to its fake.

The fakes know the documented limits and nothing of the planners; here the whole call counts, address and headers too.
The messages are those of the corpus, and forms of them whose words and lists are too long, blank or strange.
"""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.interface import Blob, Sender, Uploader, Window
from connectors.registry import sender_class
from tests.contract.mutations import at, copied, paths_of
from tests.contract.outbound import CREATED_AT, WORDS, cases, message_of
from tests.contract.specimens import Specimen, specimen_of, specimens
from tests.fakes.__main__ import discovered
from tests.harness.shelf import Shelf

GIVEN_ONCE = ("reply_token", "callback_ids")
"""What a platform gives out and takes once; those of the corpus are no fake's."""

EARLIER = "4687"
"""The message that the corpus edits and reacts to."""

SAID = {"text", "caption", "title", "label", "description", "alt_text", "footer", "address", "fallback_text", "data"}
"""Members whose words are the business's own; ids and links of its are its own care."""

LISTED = {"rows", "quick_replies", "buttons", "cards", "sections"}
STRANGE = 40
"""Strange messages per platform."""


class Account:
    """A platform's fake, a channel on it, and what goes there."""

    def __init__(self, specimen: Specimen, sender: Sender) -> None:
        self.specimen = specimen
        self.sender = sender

    async def send(self, case: dict[str, Any]) -> list[str]:
        """The ids of what the case became; raises SendError when the platform refuses a call."""
        specimen = self.specimen
        given = {name: value for name, value in case.items() if name not in GIVEN_ONCE}
        message = message_of(given, specimen.platform, peer=specimen.fake.known_user("ann"))
        calls = specimen.platform.plan(message, Window(CREATED_AT), specimen.channel)
        receipts = [await self.sender.perform(call, specimen.channel, timeout_s=5) for call in calls]
        return [id for receipt in receipts for id in receipt.message_ids]

    async def send_after_another(self, case: dict[str, Any]) -> None:
        """The same, after a message to which it may refer, where the platform gives ids at all."""
        earlier = await self.send({"parts": cases()["a text"]["parts"]})
        text = json.dumps(case).replace(f'"{EARLIER}"', json.dumps((earlier or [EARLIER])[0]))
        await self.send(json.loads(text))


class Clock:
    """Every look at it is a tenth of a second later, so that nobody is too fast."""

    now = CREATED_AT / 1000

    def __call__(self) -> float:
        self.now += 0.1
        return self.now


@pytest.fixture(params=specimens())
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    fake = discovered()[request.param](clock=Clock())
    await fake.start()
    made = specimen_of(specimens()[request.param].platform, fake)
    sender = sender_class(request.param)()
    if isinstance(sender, Uploader):
        sender.upload_from(Shelf(Blob(b"media")))
    yield Account(replace(made, channel=replace(made.channel, api_base=fake.base_url)), sender)
    await sender.close()
    await fake.stop()


@pytest.mark.parametrize("about", cases())
async def test_every_planned_call_is_taken_by_the_platform(account: Account, about: str) -> None:
    await account.send_after_another(cases()[about])


async def test_whatever_words_are_said_every_call_is_taken_by_the_platform(account: Account) -> None:
    for seed in range(STRANGE):
        await account.send_after_another(strange(random.Random(seed)))


def strange(chances: random.Random) -> dict[str, Any]:
    """A case with some of its words and lists changed."""
    case: dict[str, Any] = copied(cases()[chances.choice(sorted(cases()))])
    # LINE's own form goes to LINE as it is, or not at all.
    parts = [part for part in case["parts"] if "flex" not in part]
    case["parts"] = parts or cases()["a text"]["parts"]
    for _ in range(chances.randint(1, 5)):
        path = chances.choice([path for path in paths_of(case) if path])
        holder, name, value = at(case, path[:-1]), path[-1], at(case, path)
        if isinstance(value, str) and name in SAID:
            holder[name] = chances.choice(WORDS)
        elif isinstance(value, list) and name in LISTED and "template" not in str(case):
            holder[name] = (value * chances.choice((2, 30)))[:60]
    return case
