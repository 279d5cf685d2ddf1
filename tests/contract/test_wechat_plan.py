"""WeChat outbound, planned: the nearest faithful form of every part, within limits, and nothing left out in silence."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface import Call, Channel
from connectors.wechat import PLATFORM
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent, OutboundMessage, Part
from tests.contract.wechat_kit import APP_SECRET, OPENID, PLAIN, WINDOW, message, part
from tests.contract.wechat_planning import LINK, NO, SITE, TO, YES, as_sent, bodies, calls, changes, menu, said, text
from tests.fakes.wechat import APP_ID
from tests.fakes.wechat_rules import check_message

# The call.


def test_a_call_says_everything_but_the_credential() -> None:
    (call,) = calls(text("你好"))
    assert call == Call(
        name="custom/send",
        method="POST",
        url="https://api.weixin.qq.com/cgi-bin/message/custom/send?access_token={secret:access_token}",
        headers={"Content-Type": "application/json; charset=utf-8"},
        body={"touser": TO, "msgtype": "text", "text": {"content": "你好"}},
        part_ids=("p1",),
    )


def test_another_address_takes_the_place_of_wechats() -> None:
    elsewhere = Channel("main", "wechat", {}, api_base="http://127.0.0.1:1/")
    (call,) = PLATFORM.plan(message(text("x")), WINDOW, elsewhere)
    assert call.url.startswith("http://127.0.0.1:1/cgi-bin/")


def test_parts_stay_in_order_and_each_is_covered() -> None:
    planned = calls(text("one", id="a"), text("x" * 5000, id="b"), text("three", id="c"))
    assert [call.part_ids for call in planned] == [("a",), ("b",), ("b",), ("b",), ("c",)]


def test_a_quote_is_left_out_and_told_once() -> None:
    planned = calls(text("a"), text("b"), reply_to="23000000000000001")
    assert [call.changes for call in planned] == [("shown without a quote: WeChat has none",), ()]


def test_the_plan_is_the_same_every_time() -> None:
    assert calls(text("a", rows=((YES,),))) == calls(text("a", rows=((YES,),)))


# Text: 2048 bytes ("Send customer service messages").


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        ("x" * 2048, [2048]),
        ("x" * 2049, [2048, 1]),
        ("你" * 682 + "xx", [2048]),
        ("你" * 683, [2046, 3]),
        ("👩‍👩‍👧" * 114, [18 * 113, 18]),
    ],
    ids=["at the limit", "one more", "Chinese at the limit", "Chinese beyond", "families stay together"],
)
def test_text_is_measured_in_bytes_and_cut_between_graphemes(words: str, sizes: list[int]) -> None:
    made = [body["text"]["content"] for body in bodies(text(words))]
    assert [len(chunk.encode()) for chunk in made] == sizes
    assert "".join(made) == words
    assert ("messages" in changes(text(words))) == (len(sizes) > 1)


@pytest.mark.parametrize("words", ["", " \n"])
def test_an_empty_text_still_arrives(words: str) -> None:
    assert bodies(text(words)) == [said("…")]
    assert "empty text" in changes(text(words))


# Buttons: a menu; limits as WeChat Customer Service documents them for the same type.


def test_buttons_are_lines_of_a_menu_that_carry_their_data() -> None:
    asked = text("Happy?", rows=((YES,), (NO,)))
    assert bodies(asked) == [menu("Happy?", ("YES", "Yes"), ("NO", "No"))]
    assert changes(asked) == ""


def test_quick_replies_are_lines_of_the_same_menu() -> None:
    asked = text("Happy?", rows=((YES,),), quick_replies=(NO,))
    assert bodies(asked) == [menu("Happy?", ("YES", "Yes"), ("NO", "No"))]
    assert "stay after a tap" in changes(asked)


def test_a_link_is_written_as_text_because_no_menu_opens_it() -> None:
    asked = text("See", rows=((YES, SITE),))
    assert bodies(asked) == [menu(f"See\nSite: {LINK}", ("YES", "Yes"))]
    assert "link is written as text" in changes(asked)
    assert bodies(text("See", rows=((SITE,),))) == [said(f"See\nSite: {LINK}")]


@pytest.mark.parametrize(("count", "sizes"), [(10, [10]), (11, [10, 1]), (21, [10, 10, 1])])
def test_a_menu_holds_ten(count: int, sizes: list[int]) -> None:
    asked = text("Which?", rows=tuple((Button(label=str(n), data=str(n)),) for n in range(count)))
    made = bodies(asked)
    assert [len(body["msgmenu"]["list"]) for body in made] == sizes
    assert [body["msgmenu"]["head_content"] for body in made] == ["Which?"] + ["…"] * (len(sizes) - 1)
    assert [item["id"] for body in made for item in body["msgmenu"]["list"]] == [str(n) for n in range(count)]
    assert ("spread" in changes(asked)) == (len(sizes) > 1)


@pytest.mark.parametrize(("head", "kinds"), [("x" * 1024, ["msgmenu"]), ("x" * 1025, ["text", "msgmenu"])])
def test_a_text_too_long_for_a_head_comes_before_the_menu(head: str, kinds: list[str]) -> None:
    made = bodies(text(head, rows=((YES,),)))
    assert [body["msgtype"] for body in made] == kinds
    assert orjson.dumps(made).count(b"x") >= len(head)


def test_a_menu_without_a_text_has_a_head_all_the_same() -> None:
    assert bodies(text("", rows=((YES,),))) == [menu("…", ("YES", "Yes"))]


def test_data_beyond_the_limit_is_no_data_but_a_line() -> None:
    fits, long = Button(label="fits", data="d" * 64), Button(label="long", data="ก" * 22)
    asked = text("Q", rows=((fits, long),))
    assert bodies(asked) == [menu("Q\n• long", ("d" * 64, "fits"))]
    assert "a button is written as text" in changes(asked)


def test_a_button_without_data_or_label_still_works() -> None:
    asked = text("Q", rows=((Button(label="Bare"), Button(label=" ", data="d"), Button(label="", data="")),))
    assert bodies(asked) == [menu("Q\n• …", ("Bare", "Bare"), ("d", "…"))]


@pytest.mark.parametrize(("label", "shown"), [("l" * 128, "l" * 128), ("l" * 129, "l" * 125 + "…")])
def test_labels_are_cut_beyond_their_limit(label: str, shown: str) -> None:
    asked = text("Q", rows=((Button(label=label, data="d"),),))
    assert bodies(asked) == [menu("Q", ("d", shown))]
    assert ("label cut" in changes(asked)) == (label != shown)


# Media: by the id of an upload only.


@pytest.mark.parametrize(
    ("kind", "native"), [("image", "image"), ("voice", "voice"), ("audio", "voice"), ("video", "video")]
)
def test_media_goes_by_its_id(kind: Any, native: str) -> None:
    media = part(MediaContent(kind=kind, media_id="MEDIA_1", url=LINK))
    assert bodies(media) == [{"msgtype": native, native: {"media_id": "MEDIA_1"}}]
    assert changes(media) == ""


def test_a_caption_follows_its_media() -> None:
    media = part(MediaContent(kind="image", media_id="MEDIA_1", caption="Map"), rows=((YES,),))
    assert bodies(media) == [
        {"msgtype": "image", "image": {"media_id": "MEDIA_1"}},
        said("Map"),
        menu("…", ("YES", "Yes")),
    ]
    assert "caption" in changes(media)


@pytest.mark.parametrize("kind", ["video", "audio", "voice", "file"])
def test_a_link_to_media_of_no_known_type_is_written_as_text(kind: Any) -> None:
    media = part(MediaContent(kind=kind, url=LINK, caption="Look", file_name="a.bin"))
    assert bodies(media) == [said(f"Look\na.bin\n{LINK}")]
    assert f"{kind} link" in changes(media)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (MediaContent(kind="image"), "[image]"),
        (MediaContent(kind="file", media_id="MEDIA_1", file_name="a.pdf"), "a.pdf"),
        (StickerContent(sticker_id="1", emoji="👍"), "👍"),
        (StickerContent(sticker_id="1", keywords=("ok", "good")), "ok good"),
        (StickerContent(sticker_id="1"), "[sticker]"),
        (
            LocationContent(latitude=13.7563309, longitude=100.5, name="Shop", address="Road 1"),
            "Shop\nRoad 1\n13.756331, 100.500000",
        ),
        (ContactContent(name="Bo", phones=("+66",), emails=("a@b.example",)), "Bo\n+66\na@b.example"),
        (TemplateContent(name="welcome", parameters=("Bo",)), "welcome Bo"),
        (TemplateContent(name="welcome", fallback_text="Welcome, Bo"), "Welcome, Bo"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_what_wechat_does_not_have_is_said_in_words(content: Any, words: str) -> None:
    assert bodies(part(content)) == [said(words)]
    assert changes(part(content)) != ""


# What only WeChat has.

MINI = {"title": "Shop", "appid": "wx1", "pagepath": "pages/index", "thumb_media_id": "THUMB_1"}


def test_a_mini_program_card_goes_as_it_is_given() -> None:
    native = {"msgtype": "miniprogrampage", "miniprogrampage": MINI}
    assert bodies(part(TemplateContent(name="shop", native=native))) == [native]


@pytest.mark.parametrize(
    "native",
    [
        {"msgtype": "miniprogrampage"},
        {"msgtype": "miniprogrampage", "miniprogrampage": "x"},
        {"msgtype": "miniprogrampage", "miniprogrampage": {"n": 2**70}},
        {"msgtype": "text", "text": {"content": "x"}, "touser": "oSomebodyElse"},
        {"msgtype": ["music"]},
        {"data": "x"},
        {"type": "flex"},
    ],
    ids=str,
)
def test_another_native_form_is_not_sent(native: dict[str, Any]) -> None:
    assert bodies(part(TemplateContent(name="shop", native=native, fallback_text="Our shop"))) == [said("Our shop")]


def test_a_template_message_goes_to_its_own_address() -> None:
    data = {"keyword1": {"value": "42"}}
    native: Any = {"data": data, "url": LINK, "touser": "oSomebodyElse", "template_id": "other"}
    (call,) = calls(part(TemplateContent(name="TEMPLATE_1", native=native)))
    assert call.name == "template/send"
    assert "/cgi-bin/message/template/send?" in call.url
    assert call.body == {"touser": TO, "template_id": "TEMPLATE_1", "data": data, "url": LINK}


@pytest.mark.parametrize("music", [{}, {"title": 2**64}], ids=["empty", "too large for JSON"])
def test_a_native_form_that_wechat_would_refuse_is_said_in_words(music: dict[str, Any]) -> None:
    native: Any = {"msgtype": "music", "music": music}
    assert bodies(part(TemplateContent(name="shop", native=native, fallback_text="Our shop"))) == [said("Our shop")]


def test_a_member_that_no_json_can_hold_is_left_out_of_a_template_message() -> None:
    native: Any = {"data": {"a": {"value": "1"}}, "url": 2**64}
    (call,) = calls(part(TemplateContent(name="T", native=native)))
    assert call.body == {"touser": TO, "template_id": "T", "data": {"a": {"value": "1"}}}


# Anything at all.

WORDS = st.text(max_size=40) | st.sampled_from(["", " ", LINK, "ก" * 900, "x" * 3000, "👩‍👩‍👧" * 200])
BUTTONS = st.builds(Button, label=WORDS, data=st.none() | WORDS, url=st.none() | WORDS)
CARDS = st.builds(
    Card,
    title=st.none() | WORDS,
    text=st.none() | WORDS,
    image_url=st.none() | WORDS,
    buttons=st.lists(BUTTONS, max_size=4).map(tuple),
)
JSON = st.recursive(st.none() | st.integers(-(2**70), 2**70) | WORDS, lambda inner: st.dictionaries(WORDS, inner))
NATIVE = st.dictionaries(st.sampled_from(["msgtype", "music", "data", "url"]), JSON | st.just("music"))
CONTENTS = (
    st.builds(TextContent, text=WORDS)
    | st.builds(CardContent, cards=st.lists(CARDS, min_size=1, max_size=3).map(tuple), alt_text=WORDS)
    | st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "video", "audio", "voice", "file"]),
        url=st.none() | WORDS,
        caption=st.none() | WORDS,
    )
    | st.builds(StickerContent, sticker_id=WORDS, url=st.none() | WORDS)
    | st.builds(ContactContent, name=WORDS)
    | st.builds(TemplateContent, name=WORDS, native=NATIVE)
)
PARTS = st.builds(
    Part,
    id=st.just("p"),
    content=CONTENTS,
    rows=st.lists(st.lists(BUTTONS, max_size=8).map(tuple), max_size=3).map(tuple),
    quick_replies=st.lists(BUTTONS, max_size=12).map(tuple),
)


@given(st.lists(PARTS, min_size=1, max_size=3))
def test_whatever_is_asked_there_is_a_valid_call_for_every_part(given_parts: Sequence[Part]) -> None:
    parts = [one.model_copy(update={"id": str(number)}) for number, one in enumerate(given_parts)]
    planned = PLATFORM.plan(message(*parts, peer=TO), WINDOW, PLAIN)
    assert list(dict.fromkeys(id for call in planned for id in call.part_ids)) == [one.id for one in parts]
    for call in planned:
        body = as_sent(call.body)
        assert body["touser"] == TO
        if call.name == "custom/send":
            check_message(body)


def test_no_call_holds_a_secret() -> None:
    planned: OutboundMessage = message(text("x"), peer=OPENID)
    assert APP_SECRET not in repr(PLATFORM.plan(planned, WINDOW, PLAIN))
    assert APP_ID not in repr(PLATFORM.plan(planned, WINDOW, PLAIN))
