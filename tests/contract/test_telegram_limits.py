"""Every outbound limit of Telegram's: at the limit a message goes as asked, one beyond it is changed, and that is said.

What the planner makes is judged by the fake's rules in both cases; the second table holds the fake to the same limits.
"""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.telegram import PLATFORM
from schemas.content import ContactContent, MediaContent, TextContent
from schemas.outbound import Button, Card, CardContent, Part
from tests.contract.telegram_cases import CHANNEL, WINDOW, message, part
from tests.fakes.telegram_changes import check_album
from tests.fakes.telegram_rules import Refused, check_message

MB = 1024 * 1024
LINK = "https://files.example.com/a.jpg"


def text(length: int, *buttons: Button) -> Part:
    return part(TextContent(text="x" * length), rows=(buttons,) if buttons else ())


def media(kind: str, *, size: int = 1, caption: int = 0, url: str = LINK) -> Part:
    content = {"kind": kind, "url": url, "size_bytes": size, "caption": "x" * caption or None}
    return part(MediaContent.model_validate(content))


def said(label: str) -> Button:
    return Button(label=label, data=label)


def rows(count: int, *, size: int = 1) -> Part:
    buttons = [Button(label="a", data=f"{number}") for number in range(count)]
    return part(TextContent(text="?"), rows=tuple(tuple(buttons[at : at + size]) for at in range(0, count, size)))


LIMITS: dict[str, tuple[int, Callable[[int], Part]]] = {
    "text": (4096, text),
    "text in emoji": (2048, lambda n: part(TextContent(text="👍" * n))),
    "caption": (1024, lambda n: media("image", caption=n)),
    "card caption": (1024, lambda n: part(CardContent(cards=(Card(text="x" * n, image_url=LINK),), alt_text="a"))),
    "callback data": (64, lambda n: text(1, Button(label="a", data="d" * n))),
    "callback data in bytes": (21, lambda n: text(1, Button(label="a", data="ก" * n))),
    "buttons": (100, rows),
    "button label": (64, lambda n: text(1, Button(label="ก็" * n, data="d"))),
    "label of a reply keyboard": (64, lambda n: part(TextContent(text="?"), quick_replies=(said("x" * n),))),
    "buttons of a row": (8, lambda n: rows(n, size=n)),
    "photo by link": (5 * MB, lambda n: media("image", size=n)),
    "film by link": (20 * MB, lambda n: media("video", size=n)),
    "voice by link": (MB, lambda n: media("voice", size=n)),
    "document by link": (20 * MB, lambda n: media("file", size=n, url="https://files.example.com/a.pdf")),
    "vcard": (2048, lambda n: part(ContactContent(name="A", phones=("+661",), vcard="x" * n))),
}
"""The greatest that goes as asked, and a part of that size."""


def changes(planned: Part) -> list[str]:
    calls = PLATFORM.plan(message(planned), WINDOW, CHANNEL)
    for call in calls:
        check_message(call.name, call.body)
    return [change for call in calls for change in call.changes]


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_limit_as_asked_and_one_beyond_changed_and_said(name: str) -> None:
    most, made = LIMITS[name]
    assert changes(made(most)) == []
    assert changes(made(most + 1)) != []


def sent(**fields: Any) -> tuple[str, dict[str, Any]]:
    return "sendMessage", {"text": "x"} | fields


def inline(count: int = 1, **button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "a", "callback_data": "d"} | button]] * count}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (sent(text="x" * 4096), sent(text="x" * 4097)),
        (sent(text="👍" * 2048), sent(text="👍" * 2048 + "x")),
        (("sendPhoto", {"photo": LINK, "caption": "x" * 1024}), ("sendPhoto", {"photo": LINK, "caption": "x" * 1025})),
        (sent(reply_markup=inline(callback_data="d" * 64)), sent(reply_markup=inline(callback_data="d" * 65))),
        (sent(reply_markup=inline(100)), sent(reply_markup=inline(101))),
        (sent(reply_markup={"keyboard": [[{"text": "a"}]]}), sent(reply_markup={"keyboard": [[{"text": ""}]]})),
        (("sendDocument", {"document": LINK.replace("jpg", "pdf")}), ("sendDocument", {"document": LINK})),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: tuple[str, Any], refused: tuple[str, Any]) -> None:
    check_message(*taken)
    with pytest.raises(Refused):
        check_message(*refused)


def items(count: int, kind: str = "photo", **more: Any) -> dict[str, Any]:
    return {"media": [{"type": kind, "media": LINK} | more] * count}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (items(10), items(11)),
        (items(2), items(1)),
        (items(2, caption="x" * 1024), items(2, caption="x" * 1025)),
        (items(2), items(2, "voice")),
        (items(2), items(2) | {"reply_markup": inline()}),
        (
            {"media": items(1)["media"] + items(1, "video")["media"]},
            {"media": items(1)["media"] + items(1, "audio")["media"]},
        ),
    ],
)
def test_the_fake_keeps_the_rules_of_albums(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check_album(taken)
    with pytest.raises(Refused):
        check_album(refused)
