"""What the tests of Telegram's planner share: the calls for a part, each one that the platform takes."""

from typing import Any

from connectors.interface import Call, Channel
from connectors.telegram import PLATFORM
from schemas.content import (
    TextContent,
)
from schemas.outbound import OutboundMessage
from tests.contract.telegram_cases import CHANNEL, WINDOW, message, part
from tests.fakes.telegram_rules import check_message

PDF = "https://files.example.com/a.pdf"
PHOTO = "https://files.example.com/a.jpg"


def plan(planned: OutboundMessage, channel: Channel = CHANNEL) -> tuple[Call, ...]:
    return PLATFORM.plan(planned, WINDOW, channel)


def calls_of(content: Any, **more: Any) -> tuple[Call, ...]:
    """The calls for one part, each of them one that the platform takes."""
    calls = plan(message(part(content, **more)))
    for call in calls:
        check_message(call.name, call.body)
        assert call.part_ids == ("p1",)
        assert call.is_visible
    return calls


def text(words: str = "Hi", **more: Any) -> TextContent:
    return TextContent(text=words, **more)


def rows_of(call: Call) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = call.body["reply_markup"]["inline_keyboard"]
    return rows


def changes_of(calls: tuple[Call, ...]) -> str:
    return " | ".join(change for call in calls for change in call.changes)
