"""What the tests of Instagram's planner share.

Every planned body is also put before the fake's rules, which were written from the platform's documentation alone.
"""

import json
from typing import Any

from connectors.instagram import PLATFORM
from connectors.interface import Call, Channel, Window
from schemas.outbound import OutboundMessage, Part
from tests.contract.instagram_kit import PAGE, USER, channel
from tests.contract.meta_planning import NOW_MS, all_planned, message_of
from tests.fakes.instagram_rules import check

OWN = channel()
LINKED = channel(page_id=PAGE)


def outbound(*parts: Part, **more: Any) -> OutboundMessage:
    """A message to the user of the kit."""
    return message_of(PLATFORM, USER, parts, **more)


def plan(*parts: Part, window: Window | None = None, account: Channel = OWN, **more: Any) -> tuple[Call, ...]:
    """The calls of a message with these parts; each is one that the platform would take."""
    calls = PLATFORM.plan(outbound(*parts, **more), window or Window(NOW_MS), account)
    for call in calls:
        check(json.loads(json.dumps(call.body)), needs_type=bool(account.first("page_id")))
    assert all_planned(parts, calls)
    return calls
