"""What the tests of the planners of Meta's platforms share."""

from typing import Any

from connectors.interface import Call, Platform
from schemas.outbound import Button, OutboundMessage, Part, PartContent

NOW_MS = 1_790_000_000_000
HOUR_MS = 3_600_000
LINK = "https://files.example.com/a.jpg"


def part(content: PartContent, *buttons: Button, id: str = "part-1", quick_replies: tuple[Button, ...] = ()) -> Part:
    return Part(id=id, content=content, rows=(buttons,) if buttons else (), quick_replies=quick_replies)


def message_of(platform: Platform, peer: str, parts: tuple[Part, ...], **more: Any) -> OutboundMessage:
    """A message to this person."""
    return OutboundMessage(
        id="message-1",
        conversation_id=f"{platform.prefix}main_{peer}",
        platform=platform.name,
        channel="main",
        peer=peer,
        parts=parts,
        causation_id="cause",
        correlation_id="cause",
        created_at=NOW_MS,
        **more,
    )


def all_planned(parts: tuple[Part, ...], calls: tuple[Call, ...]) -> bool:
    """Every part is in a call, in order."""
    return [one.id for one in parts] == list(dict.fromkeys(part_id for call in calls for part_id in call.part_ids))


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
