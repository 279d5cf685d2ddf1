"""Every outbound limit of LINE's: at the limit a message goes as asked, one beyond it is changed, and that is said.

What the planner makes is judged by the fake's rules in both cases; the second table holds the fake to the same limits.
"""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.interface import Call, Window
from connectors.line import PLATFORM
from schemas.content import LocationContent, MediaContent, StickerContent, TextContent
from schemas.outbound import Button, Card, CardContent, ListContent, OutboundMessage, Part, PartContent, Section
from tests.contract.line_planning import NO_TOKEN, NOW_MS, PEER, TOKEN, plan
from tests.contract.line_setup import channel
from tests.fakes.line_objects import problem_of

MB = 1_000_000
SAID = TextContent(text="?")
PICTURE = "https://files.example.com/a.jpg"
PREVIEW = "https://files.example.com/a_small.jpg"


def part(content: PartContent, *rows: Button, quick: tuple[Button, ...] = (), id: str = "p1") -> Part:
    return Part(id=id, content=content, rows=tuple((button,) for button in rows), quick_replies=quick)


def taps(count: int, *, label: str = "b", data: str = "d") -> tuple[Button, ...]:
    return tuple(Button(label=label, data=f"{number}".ljust(len(data), "d")) for number in range(count))


def media(kind: str, *, size: int = 1, url: str = PICTURE) -> Part:
    given = {"kind": kind, "url": url, "size_bytes": size, "preview_url": PREVIEW, "duration_ms": 1}
    return part(MediaContent.model_validate(given))


def place(**named: str) -> Part:
    return part(LocationContent.model_validate({"latitude": 1, "longitude": 1, "name": "n", "address": "a"} | named))


def listed(rows: int) -> Part:
    return part(ListContent(text="?", sections=(Section(rows=taps(rows)),)))


def link(length: int) -> str:
    return "https://example.com/".ljust(length, "x")


LIMITS: dict[str, tuple[int, Callable[[int], Part]]] = {
    "text": (5000, lambda n: part(TextContent(text="x" * n))),
    "text in emoji": (2500, lambda n: part(TextContent(text="👍" * n))),
    "label": (20, lambda n: part(SAID, *taps(1, label="x" * n))),
    "label in graphemes": (20, lambda n: part(SAID, *taps(1, label="ก็" * n))),
    "postback data": (300, lambda n: part(SAID, *taps(1, data="d" * n))),
    "link": (10_000, lambda n: part(SAID, Button(label="a", url=link(n)))),
    "quick replies": (13, lambda n: part(SAID, quick=taps(n))),
    "quick reply label": (20, lambda n: part(SAID, quick=taps(1, label="x" * n))),
    "media link": (2000, lambda n: media("image", url=link(n))),
    "image": (10 * MB, lambda n: media("image", size=n)),
    "video": (200 * MB, lambda n: media("video", size=n)),
    "audio": (200 * MB, lambda n: media("audio", size=n)),
    "picture that is its own preview": (MB, lambda n: part(MediaContent(kind="image", url=PICTURE, size_bytes=n))),
    "location title": (100, lambda n: place(name="x" * n)),
    "location address": (100, lambda n: place(address="x" * n)),
    "card text": (6000, lambda n: part(CardContent(cards=(Card(text="x" * n),), alt_text="a"))),
    "card link": (2000, lambda n: part(CardContent(cards=(Card(title="t", url=link(n)),), alt_text="a"))),
}
"""The greatest that goes as asked, and a part of that size."""


def changes(*parts: Part) -> list[str]:
    return [change for call in plan(*parts) for change in call.changes]


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_limit_as_asked_and_one_beyond_changed_and_said(name: str) -> None:
    most, made = LIMITS[name]
    assert changes(made(most)) == []
    assert changes(made(most + 1)) != []


@pytest.mark.parametrize(("parts", "calls"), [(5, 1), (6, 2), (10, 2), (11, 3)])
def test_five_parts_to_a_call_and_not_six(parts: int, calls: int) -> None:
    made = plan(*(part(SAID, id=f"p{number}") for number in range(parts)))
    assert len(made) == calls
    assert len(made[0].body["messages"]) == min(parts, 5)


@pytest.mark.parametrize(("cards", "bubbles"), [(12, [12]), (13, [12, 1])])
def test_twelve_bubbles_to_a_carousel_and_not_thirteen(cards: int, bubbles: list[int]) -> None:
    content = CardContent(cards=tuple(Card(title=f"t{number}") for number in range(cards)), alt_text="a")
    found = [item["contents"] for call in plan(part(content)) for item in call.body["messages"]]
    assert [len(flex.get("contents", [flex])) for flex in found] == bubbles


def test_a_bubble_with_a_long_link_and_many_buttons_stays_within_its_size() -> None:
    made = CardContent(cards=(Card(title="t", url=link(2000), image_url=link(1999), buttons=taps(400)),), alt_text="a")
    objects = [item for call in plan(part(made)) for item in call.body["messages"]]
    assert problem_of(objects) is None
    assert str(objects).count("'postback'") == 400


def test_thirteen_rows_are_quick_replies_and_fourteen_are_buttons() -> None:
    assert "quickReply" in plan(listed(13))[0].body["messages"][-1]
    assert "quickReply" not in plan(listed(14))[0].body["messages"][-1]


# What has no limit but a form of its own.


def test_a_quote_goes_by_its_token_with_texts_and_stickers() -> None:
    (call,) = plan(part(SAID), reply_to="5001", quote_token="qt-1")
    assert (call.body["messages"][0]["quoteToken"], call.changes) == ("qt-1", ())
    (call,) = plan(part(StickerContent(sticker_id="1", package_id="2")), quote_token="qt-1")
    assert call.body["messages"][0]["quoteToken"] == "qt-1"
    mores: tuple[dict[str, Any], ...] = ({"reply_to": "5001"}, {"reply_to": "5001", "quote_token": "qt-1"})
    for more in mores:
        (call,) = plan(media("image"), **more)
        assert "quoteToken" not in call.body["messages"][0]
        assert len(call.changes) == 1


def test_a_request_for_a_place_is_a_quick_reply() -> None:
    where = Button(label="Here", asks="location")
    for asked in (part(SAID, where), part(SAID, quick=(where,))):
        (call,) = plan(asked)
        (item,) = call.body["messages"][0]["quickReply"]["items"]
        assert item["action"] == {"type": "location", "label": "Here"}
    (call,) = plan(part(SAID, Button(label="Phone?", asks="phone")))
    assert call.body["messages"][0]["text"] == "?\n• Phone?"
    assert call.changes


def test_a_tap_on_a_card_opens_its_link() -> None:
    card = Card(title="Tea with a long name indeed", url="https://example.com/t")
    (call,) = plan(part(CardContent(cards=(card,), alt_text="a")))
    action = call.body["messages"][0]["contents"]["action"]
    assert (action["type"], action["uri"], call.changes) == ("uri", "https://example.com/t", ())


def indicated(peer: str = PEER, *, window: Window = NO_TOKEN, **more: Any) -> tuple[Call, ...]:
    given: dict[str, Any] = {
        "id": "m",
        "conversation_id": f"line_shop_{peer}",
        "platform": "line",
        "channel": "shop",
        "peer": peer,
    }
    given |= {"parts": [part(SAID)], "causation_id": "c", "correlation_id": "c", "created_at": NOW_MS}
    return PLATFORM.plan(OutboundMessage.model_validate(given | more), window, channel())


def test_typing_and_read_go_first_unseen_and_cover_no_part() -> None:
    read, typing, said = indicated(typing=True, mark_read="5001", read_token="mr-1")
    assert read.url == "https://api.line.me/v2/bot/chat/markAsRead"
    assert read.body == {"markAsReadToken": "mr-1"}
    assert typing.url == "https://api.line.me/v2/bot/chat/loading/start"
    assert typing.body == {"chatId": PEER, "loadingSeconds": 5}
    assert [(call.is_visible, call.part_ids) for call in (read, typing, said)] == [
        (False, ()),
        (False, ()),
        (True, ("p1",)),
    ]
    assert said.changes == ()


def test_what_line_cannot_show_is_left_out_and_said() -> None:
    (call,) = indicated("C22222222222222222222222222222222", typing=True, mark_read="5001")
    assert len(call.changes) == 2


def test_the_reply_token_is_kept_for_what_is_seen() -> None:
    calls = indicated(window=TOKEN, typing=True)
    assert [call.uses_reply_token for call in calls] == [False, True]


# The fake.


def text(length: int, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": "x" * length} | more


def quick(count: int, **action: Any) -> dict[str, Any]:
    shown = {"type": "postback", "label": "a", "data": "d"} | action
    return text(1, quickReply={"items": [{"type": "action", "action": shown}] * count})


def template(actions: int = 1, *, length: int = 1, alt: int = 1, **action: Any) -> dict[str, Any]:
    made = [{"type": "postback", "label": "a", "data": "d"} | action] * actions
    content = {"type": "buttons", "text": "x" * length, "actions": made}
    return {"type": "template", "altText": "x" * alt, "template": content}


def flex(bubbles: int = 1, *, length: int = 1, alt: int = 1) -> dict[str, Any]:
    box = {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x" * length}]}
    contents = {"type": "carousel", "contents": [{"type": "bubble", "body": box}] * bubbles}
    return {"type": "flex", "altText": "x" * alt, "contents": contents}


def picture(length: int) -> dict[str, Any]:
    return {"type": "image", "originalContentUrl": link(length), "previewImageUrl": PICTURE}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        ([text(1)] * 5, [text(1)] * 6),
        ([text(1)], []),
        ([text(5000)], [text(5001)]),
        ([text(1)], [text(0)]),
        ([quick(13)], [quick(14)]),
        ([quick(1, label="x" * 20)], [quick(1, label="x" * 21)]),
        ([quick(1, type="location")], [template(type="location")]),
        ([template(4)], [template(5)]),
        ([template(length=160)], [template(length=161)]),
        ([template(alt=1500)], [template(alt=1501)]),
        ([template(data="x" * 300)], [template(data="x" * 301)]),
        ([template(displayText="x" * 300)], [template(displayText="x" * 301)]),
        ([template(type="uri", uri=link(10_000))], [template(type="uri", uri=link(10_001))]),
        ([flex(12)], [flex(13)]),
        ([flex(alt=1500)], [flex(alt=1501)]),
        ([flex(length=29_000)], [flex(length=30_000)]),
        ([flex(2, length=24_000)], [flex(2, length=26_000)]),
        ([picture(2000)], [picture(2001)]),
        ([text(1, quoteToken="q")], [picture(30) | {"quoteToken": "q"}]),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: list[Any], refused: list[Any]) -> None:
    assert problem_of(taken) is None
    assert problem_of(refused) is not None
