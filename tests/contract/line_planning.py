"""What the tests of LINE's planner share: every planned object is one that LINE takes.

``tests.fakes.line_objects`` judges the objects; it knows the limits from the documentation and nothing of the planner.
"""

from typing import Any

from connectors.interface import Call, Channel, Window
from connectors.line import PLATFORM
from schemas.content import (
    TextContent,
)
from schemas.outbound import Button, OutboundMessage, Part, PartContent
from tests.contract.line_setup import channel
from tests.fakes.line_objects import problem_of

PEER = "U11111111111111111111111111111111"
NOW_MS = 1790000000000
PICTURE = "https://files.example.com/a.jpg"
NO_TOKEN = Window(NOW_MS)
TOKEN = Window(NOW_MS, reply_token="a-reply-token")


def part(content: PartContent | str, id: str = "p1", **members: Any) -> Part:
    return Part(id=id, content=TextContent(text=content) if isinstance(content, str) else content, **members)


def plan(*parts: Part, window: Window = NO_TOKEN, to: Channel | None = None, **members: Any) -> tuple[Call, ...]:
    message = OutboundMessage(
        id="m1",
        conversation_id=f"line_shop_{PEER}",
        platform="line",
        channel="shop",
        peer=PEER,
        parts=parts,
        causation_id="c",
        correlation_id="c",
        created_at=NOW_MS,
        **members,
    )
    calls = PLATFORM.plan(message, window, to or channel())
    for call in calls:
        assert problem_of(call.body["messages"]) is None
    return calls


def objects(*parts: Part) -> list[dict[str, Any]]:
    return [item for call in plan(*parts) for item in call.body["messages"]]


def changes(*parts: Part) -> list[str]:
    return [change for call in plan(*parts) for change in call.changes]


def buttons(count: int, **members: Any) -> tuple[Button, ...]:
    return tuple(Button(**{"label": f"b{number}", "data": f"d{number}", **members}) for number in range(count))


def actions_in(node: Any) -> list[dict[str, Any]]:
    """Every action anywhere in the objects, equal ones as often as they stand there."""
    if isinstance(node, list):
        return [action for item in node for action in actions_in(item)]
    if not isinstance(node, dict):
        return []
    if node.get("type") in ("postback", "uri") and "label" in node:
        return [node]
    return [action for value in node.values() for action in actions_in(value)]
