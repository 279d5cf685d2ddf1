"""What the tests of WhatsApp's planner share.

Every planned body is also put before the fake's rules, which were written from the platform's documentation alone.
"""

import json
from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.whatsapp import PLATFORM
from schemas.outbound import OutboundMessage, Part
from tests.contract.meta_planning import NOW_MS, all_planned, message_of
from tests.contract.whatsapp_kit import USER, channel
from tests.fakes.whatsapp_rules import check


def outbound(*parts: Part, peer: str = USER, **more: Any) -> OutboundMessage:
    """A message to the user of the kit, or to another."""
    return message_of(PLATFORM, peer, parts, **more)


def plan(*parts: Part, api_base: str | None = None, **more: Any) -> tuple[Call, ...]:
    """The calls of a message with these parts; each is one that the platform would take."""
    message = outbound(*parts, **more)
    number = channel()
    calls = PLATFORM.plan(message, Window(NOW_MS), Channel(number.id, "whatsapp", number.values, api_base=api_base))
    for call in calls:
        check(json.loads(json.dumps(call.body)))
    assert all_planned(parts, calls)
    return calls


def contents(calls: tuple[Call, ...]) -> list[tuple[str, Any]]:
    """(type, its member) of each call that somebody sees."""
    return [(call.body["type"], call.body[call.body["type"]]) for call in calls if call.is_visible]


def interactive(call: Call) -> dict[str, Any]:
    value: dict[str, Any] = call.body["interactive"]
    return value


def rows(call: Call) -> list[dict[str, Any]]:
    (section,) = interactive(call)["action"]["sections"]
    found: list[dict[str, Any]] = section["rows"]
    return found


def replies(call: Call) -> list[dict[str, Any]]:
    return [button["reply"] for button in interactive(call)["action"]["buttons"]]
