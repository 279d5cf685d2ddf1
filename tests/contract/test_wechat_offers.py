"""WeChat's planner: uploads, mini-programs, links of cards, lists, typing, and every outbound limit at its border."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.content import MediaContent, TextContent
from schemas.outbound import (
    Button,
    Card,
    CardContent,
    DeletionContent,
    ListContent,
    MiniProgramContent,
    Part,
    ProductContent,
    ReactionContent,
    Section,
)
from tests.contract.wechat_kit import part
from tests.contract.wechat_planning import LINK, PICTURE, TO, as_sent, bodies, calls, changes
from tests.fakes.wechat_rules import Refused, check_message, check_typing
from tests.harness.shelf import STORED

MB = 1_000_000
HI = part(TextContent(text="hi"))


def media(kind: str = "image", **more: Any) -> Part:
    return part(MediaContent.model_validate({"kind": kind, "url": PICTURE} | more))


def mini(**more: Any) -> Part:
    given = {"title": "Order", "app_id": "wx1", "page": "pages/a?x=1"}
    return part(MiniProgramContent.model_validate(given | more))


def test_media_by_link_is_named_for_an_upload() -> None:
    assert bodies(media()) == [{"msgtype": "image", "image": {"media_id": {"upload": PICTURE, "kind": "image"}}}]
    assert changes(media()) == ""


@pytest.mark.parametrize(
    ("kind", "given", "is_uploaded"),
    [
        ("image", {"mime_type": "image/png"}, True),
        ("image", {"mime_type": "image/webp"}, False),
        ("image", {"url": "ftp://x/a.jpg"}, False),
        ("voice", {"mime_type": "audio/amr"}, True),
        ("voice", {"mime_type": "audio/ogg"}, False),
        ("audio", {"url": "https://example.com/a.MP3?x=1"}, True),
        ("audio", {"url": "https://example.com/a.wav"}, False),
        ("video", {"url": "https://example.com/a.mp4"}, True),
        ("video", {"url": "https://example.com/a.mov"}, False),
        ("file", {"url": "https://example.com/a.pdf"}, False),
        ("image", {"url": STORED}, True),
        ("video", {"url": STORED, "mime_type": "video/mp4"}, True),
        ("video", {"url": STORED}, False),
        ("image", {"url": "file:///etc/passwd"}, False),
    ],
)
def test_what_wechat_would_not_take_is_a_link_in_words(kind: str, given: dict[str, Any], is_uploaded: bool) -> None:
    (body,) = bodies(media(kind, **given))
    assert ("upload" in str(body)) == is_uploaded
    assert (changes(media(kind, **given)) == "") == is_uploaded


def test_nobody_is_told_a_link_into_our_own_storage() -> None:
    assert bodies(media("file", url=STORED, file_name="a.pdf"))[0]["text"]["content"] == "a.pdf"


def test_a_films_words_are_its_description() -> None:
    (body,) = bodies(media("video", media_id="M", caption="Look"))
    assert body["video"] == {"media_id": "M", "description": "Look"}
    assert [body["msgtype"] for body in bodies(media("video", media_id="M", caption="x" * 513))] == ["video", "text"]


def test_a_mini_program_is_a_card_of_its_own() -> None:
    (body,) = bodies(mini(image_id="THUMB_1"))
    card = {"title": "Order", "appid": "wx1", "pagepath": "pages/a?x=1", "thumb_media_id": "THUMB_1"}
    assert body == {"msgtype": "miniprogrampage", "miniprogrampage": card}
    assert bodies(mini(image_url=PICTURE))[0]["miniprogrampage"]["thumb_media_id"] == {
        "upload": PICTURE,
        "kind": "image",
    }


def test_a_mini_program_without_a_picture_is_an_article() -> None:
    (body,) = bodies(mini(url=LINK))
    assert body["news"]["articles"][0]["url"] == LINK
    assert "mini-program shown as a card" in changes(mini(url=LINK))


def test_a_cards_own_link_opens_on_a_tap_and_its_buttons_stay() -> None:
    site = Button(label="Site", url="https://example.com/site")
    card = Card(title="Tea", text="Green", image_url=PICTURE, url=LINK, buttons=(site, Button(label="Buy", data="B")))
    article, menu = bodies(part(CardContent(cards=(card,), alt_text="a")))
    assert article["news"]["articles"][0]["url"] == LINK
    assert menu["msgmenu"]["head_content"] == "Tea\nSite: https://example.com/site"
    assert menu["msgmenu"]["list"] == [{"id": "B", "content": "Buy"}]


def test_a_list_is_a_menu_under_its_words() -> None:
    rows = (Button(label="Express", data="a", description="1 day"), Button(label="Post", data="b"))
    (body,) = bodies(part(ListContent(text="Choose", sections=(Section(title="All", rows=rows),))))
    assert body["msgmenu"] == {
        "head_content": "Choose\n\nAll\n1. Express – 1 day\n2. Post",
        "list": [{"id": "a", "content": "Express"}, {"id": "b", "content": "Post"}],
    }


def test_what_wechat_has_not_is_said_in_words_or_left_out() -> None:
    assert bodies(part(ReactionContent(message_id="1", emoji="👍"))) == [{"msgtype": "text", "text": {"content": "👍"}}]
    assert bodies(part(ProductContent(text="Our tea"))) == [{"msgtype": "text", "text": {"content": "Our tea"}}]
    assert calls(part(DeletionContent(message_id="1"))) == ()
    assert calls(part(ReactionContent(message_id="1"))) == ()


def test_typing_goes_first_unseen_and_a_read_mark_is_left_out() -> None:
    typing, said = calls(HI, typing=True, mark_read="1")
    assert typing.url.endswith("/cgi-bin/message/custom/typing?access_token={secret:access_token}")
    assert typing.body == {"touser": TO, "command": "Typing"}
    assert (typing.is_visible, typing.part_ids, said.is_visible) == (False, (), True)
    assert said.changes == ("not marked as read: WeChat has no such mark",)
    assert calls(part(DeletionContent(message_id="1")), typing=True) == ()


def tap(*, label: str = "a", data: str = "d") -> Part:
    return part(TextContent(text="?"), rows=((Button(label=label, data=data),),))


def taps(count: int) -> Part:
    return part(TextContent(text="?"), rows=(tuple(Button(label="a", data=f"{number}") for number in range(count)),))


def card(**members: Any) -> Part:
    return part(CardContent(cards=(Card.model_validate({"title": "t", "url": LINK} | members),), alt_text="a"))


LIMITS: dict[str, tuple[int, Callable[[int], Part]]] = {
    "text in bytes": (2048, lambda n: part(TextContent(text="x" * n))),
    "text in Chinese": (682, lambda n: part(TextContent(text="好" * n))),
    "menu items": (10, taps),
    "menu label": (128, lambda n: tap(label="x" * n)),
    "menu data": (64, lambda n: tap(data="d" * n)),
    "article title": (128, lambda n: card(title="x" * n)),
    "article text": (512, lambda n: card(text="x" * n)),
    "picture": (10 * MB, lambda n: media("image", size_bytes=n)),
    "voice": (2 * MB, lambda n: media("voice", mime_type="audio/amr", size_bytes=n)),
    "length of a voice": (60_000, lambda n: media("voice", mime_type="audio/amr", duration_ms=n)),
    "film": (10 * MB, lambda n: media("video", mime_type="video/mp4", size_bytes=n)),
    "words of a film": (512, lambda n: media("video", media_id="M", caption="x" * n)),
}
"""The greatest that goes as asked, and a part of that size."""


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_limit_as_asked_and_one_beyond_changed_and_said(name: str) -> None:
    most, made = LIMITS[name]
    bodies(made(most)), bodies(made(most + 1))
    assert changes(made(most)) == ""
    assert changes(made(most + 1)) != ""


def sent(kind: str, **content: Any) -> dict[str, Any]:
    return {"touser": TO, "msgtype": kind, kind: content}


def menu(*, head: int = 1, items: int = 1, id: int = 1, label: int = 1) -> dict[str, Any]:
    listed = [{"id": "d" * id, "content": "x" * label}] * items
    return sent("msgmenu", head_content="x" * head, list=listed)


ARTICLE = {"title": "T", "url": LINK}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (sent("text", content="x" * 2048), sent("text", content="x" * 2049)),
        (menu(items=10), menu(items=11)),
        (menu(head=1024), menu(head=1025)),
        (menu(id=64), menu(id=65)),
        (menu(label=128), menu(label=129)),
        (sent("news", articles=[ARTICLE]), sent("news", articles=[ARTICLE] * 2)),
        (sent("image", media_id="M"), sent("image", media_id={"upload": LINK, "kind": "image"})),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check_message(as_sent(taken))
    with pytest.raises(Refused):
        check_message(refused)


def test_the_fake_knows_two_typing_commands() -> None:
    check_typing({"touser": TO, "command": "CancelTyping"})
    with pytest.raises(Refused):
        check_typing({"touser": TO, "command": "typing"})
