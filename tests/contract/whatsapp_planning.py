"""What the tests of WhatsApp's planner share.

Every planned body is also put before the fake's rules, which were written from the platform's documentation alone.
"""

import json
from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.whatsapp import PLATFORM
from schemas.outbound import Button, OutboundMessage, Part, PartContent
from tests.contract.whatsapp_kit import USER, channel
from tests.fakes.whatsapp_rules import check

NOW_MS = 1_790_000_000_000
LINK = "https://files.example.com/a.jpg"


def part(content: PartContent, *buttons: Button, id: str = "part-1", quick_replies: tuple[Button, ...] = ()) -> Part:
    return Part(id=id, content=content, rows=(buttons,) if buttons else (), quick_replies=quick_replies)


def outbound(*parts: Part, peer: str = USER, **more: Any) -> OutboundMessage:
    """A message to the user of the kit, or to another."""
    return OutboundMessage(
        id="message-1",
        conversation_id=f"wa_main_{peer}",
        platform="whatsapp",
        channel="main",
        peer=peer,
        parts=parts,
        causation_id="cause",
        correlation_id="cause",
        created_at=NOW_MS,
        **more,
    )


def plan(*parts: Part, api_base: str | None = None, **more: Any) -> tuple[Call, ...]:
    """The calls of a message with these parts; each is one that the platform would take."""
    message = outbound(*parts, **more)
    number = channel()
    calls = PLATFORM.plan(message, Window(NOW_MS), Channel(number.id, "whatsapp", number.values, api_base=api_base))
    for call in calls:
        check(json.loads(json.dumps(call.body)))
    assert [one.id for one in parts] == list(dict.fromkeys(part_id for call in calls for part_id in call.part_ids))
    return calls


def contents(calls: tuple[Call, ...]) -> list[tuple[str, Any]]:
    """(type, its member) of each call that somebody sees."""
    return [(call.body["type"], call.body[call.body["type"]]) for call in calls if call.is_visible]


def changes(calls: tuple[Call, ...]) -> list[str]:
    return [change for call in calls for change in call.changes]


def taps(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label=label, data=label.upper()) for label in labels)


def numbered(count: int) -> tuple[Button, ...]:
    return taps(*(f"b{number}" for number in range(count)))


def interactive(call: Call) -> dict[str, Any]:
    value: dict[str, Any] = call.body["interactive"]
    return value


def rows(call: Call) -> list[dict[str, Any]]:
    (section,) = interactive(call)["action"]["sections"]
    found: list[dict[str, Any]] = section["rows"]
    return found


def replies(call: Call) -> list[dict[str, Any]]:
    return [button["reply"] for button in interactive(call)["action"]["buttons"]]
