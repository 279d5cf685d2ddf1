"""What the tests of Instagram's planner share.

Every planned body is also put before the fake's rules, which were written from the platform's documentation alone.
"""

import json
from typing import Any

from connectors.instagram import PLATFORM
from connectors.interface import Call, Channel, Window
from schemas.outbound import Button, OutboundMessage, Part, PartContent
from tests.contract.instagram_kit import PAGE, USER, channel
from tests.fakes.instagram_rules import check

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
LINK = "https://files.example.com/a.jpg"

OWN = channel()
LINKED = channel(page_id=PAGE)


def part(content: PartContent, *buttons: Button, id: str = "part-1", quick_replies: tuple[Button, ...] = ()) -> Part:
    return Part(id=id, content=content, rows=(buttons,) if buttons else (), quick_replies=quick_replies)


def outbound(*parts: Part, **more: Any) -> OutboundMessage:
    """A message to the user of the kit."""
    return OutboundMessage(
        id="message-1",
        conversation_id=f"ig_main_{USER}",
        platform="instagram",
        channel="main",
        peer=USER,
        parts=parts,
        causation_id="cause",
        correlation_id="cause",
        created_at=NOW_MS,
        **more,
    )


def plan(*parts: Part, window: Window | None = None, account: Channel = OWN, **more: Any) -> tuple[Call, ...]:
    """The calls of a message with these parts; each is one that the platform would take."""
    calls = PLATFORM.plan(outbound(*parts, **more), window or Window(NOW_MS), account)
    for call in calls:
        check(json.loads(json.dumps(call.body)), needs_type=bool(account.first("page_id")))
    assert [one.id for one in parts] == list(dict.fromkeys(part_id for call in calls for part_id in call.part_ids))
    return calls


def messages(calls: tuple[Call, ...]) -> list[dict[str, Any]]:
    """The ``message`` of each call without the mark of its echo."""
    return [{name: value for name, value in call.body["message"].items() if name != "metadata"} for call in calls]


def changes(calls: tuple[Call, ...]) -> list[str]:
    return [change for call in calls for change in call.changes]


def taps(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(label=label, data=label.upper()) for label in labels)


def numbered(count: int) -> tuple[Button, ...]:
    return taps(*(f"b{number}" for number in range(count)))


def template(call: Call) -> dict[str, Any]:
    payload: dict[str, Any] = call.body["message"]["attachment"]["payload"]
    return payload
