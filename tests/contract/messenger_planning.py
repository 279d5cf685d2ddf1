"""What the tests of Messenger's planner share.

Every planned body is also put before the fake's rules, which were written from the platform's documentation alone.
"""

import json
from typing import Any

from connectors.interface import Call, Window
from connectors.messenger import PLATFORM
from schemas.outbound import OutboundMessage, Part
from tests.contract.messenger_kit import USER, channel
from tests.contract.meta_planning import NOW_MS, all_planned, message_of
from tests.fakes.messenger_rules import check


def outbound(*parts: Part, **more: Any) -> OutboundMessage:
    """A message to the user of the kit."""
    return message_of(PLATFORM, USER, parts, **more)


def plan(*parts: Part, window: Window | None = None, api_base: str | None = None, **more: Any) -> tuple[Call, ...]:
    """The calls of a message with these parts; each is one that the platform would take."""
    message = outbound(*parts, **more)
    page = channel()
    page = type(page)(page.id, page.platform, page.values, api_base=api_base)
    calls = PLATFORM.plan(message, window or Window(NOW_MS), page)
    for call in calls:
        check(json.loads(json.dumps(call.body)))
    assert all_planned(parts, calls)
    return calls
