"""What the tests of WeChat's planner share: every planned body is one that the platform would take."""

import re
from typing import Any

import orjson

from connectors.interface import Call
from connectors.wechat import PLATFORM
from schemas.content import (
    TextContent,
)
from schemas.outbound import Button, Part
from tests.contract.wechat_kit import PLAIN, WINDOW, message, part
from tests.fakes.wechat_rules import check_message

TO = "oEXAMPLE_of_28_characters__1"
LINK = "https://example.com/a"
PICTURE = "https://files.example.com/p.jpg"


def calls(*parts: Part, **more: Any) -> tuple[Call, ...]:
    return PLATFORM.plan(message(*parts, peer=TO, **more), WINDOW, PLAIN)


def bodies(*parts: Part) -> list[dict[str, Any]]:
    """The bodies without the recipient, each one that the platform would take."""
    planned = calls(*parts)
    for call in planned:
        if call.name == "custom/send":
            check_message(as_sent(call.body))
    return [{name: value for name, value in call.body.items() if name != "touser"} for call in planned]


def as_sent(body: Any) -> dict[str, Any]:
    """The body as JSON, with the sender's ids of uploads in place of their links."""
    text = orjson.dumps(body)
    found: dict[str, Any] = orjson.loads(re.sub(rb'\{"upload":"(?:[^"\\\\]|\\\\.)*"[^{}]*\}', b'"UPLOAD_1"', text))
    return found


def changes(*parts: Part) -> str:
    return "; ".join(change for call in calls(*parts) for change in call.changes)


def text(words: str, **more: Any) -> Part:
    return part(TextContent(text=words), **more)


def said(words: str) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": words}}


def menu(head: str, *items: tuple[str, str]) -> dict[str, Any]:
    listed = [{"id": id, "content": content} for id, content in items]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": head, "list": listed}}


YES, NO = Button(label="Yes", data="YES"), Button(label="No", data="NO")
SITE = Button(label="Site", url=LINK)
