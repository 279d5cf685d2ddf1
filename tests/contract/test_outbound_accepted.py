"""What is planned is taken: every message of the corpus goes through every platform's sender to its fake.

The fakes know the documented limits and nothing of the planners; here the whole call counts, address and headers too.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.interface import Window
from connectors.registry import sender_class
from tests.contract.outbound import CREATED_AT, cases, message_of
from tests.contract.specimens import Specimen, specimen_of, specimens
from tests.fakes.__main__ import discovered

GIVEN_ONCE = ("reply_token", "callback_ids")
"""What a platform gives out and takes once; those of the corpus are no fake's."""


@pytest.fixture(params=specimens())
async def specimen(request: pytest.FixtureRequest) -> AsyncIterator[Specimen]:
    """A platform whose fake runs; its clock stands still at the time of the messages."""
    fake = discovered()[request.param](clock=lambda: CREATED_AT / 1000)
    await fake.start()
    made = specimen_of(specimens()[request.param].platform, fake)
    yield replace(made, channel=replace(made.channel, api_base=fake.base_url))
    await fake.stop()


@pytest.mark.parametrize("about", cases())
async def test_every_planned_call_is_taken_by_the_platform(specimen: Specimen, about: str) -> None:
    sender = sender_class(specimen.platform.name)()

    async def sent(case: dict[str, Any]) -> list[str]:
        message = message_of(case, specimen.platform, peer=specimen.fake.known_user("ann"))
        calls = specimen.platform.plan(message, Window(CREATED_AT), specimen.channel)
        receipts = [await sender.perform(call, specimen.channel, timeout_s=5) for call in calls]
        return [id for receipt in receipts for id in receipt.message_ids]

    try:
        # What the corpus edits and reacts to is this message, where the platform gives ids at all.
        earlier = await sent({"parts": cases()["a text"]["parts"]})
        case = json.dumps(cases()[about])
        if getattr(specimen.fake, "takes_uploads_only", False):
            # The sender has to fetch them, and reaches nothing but this machine.
            case = case.replace("https://files.example.com/", f"{specimen.fake.base_url}/files/")
        case = case.replace('"4687"', json.dumps((earlier or ["4687"])[0]))
        await sent({name: value for name, value in json.loads(case).items() if name not in GIVEN_ONCE})
    finally:
        await sender.close()
