"""Messages to LINE calls: free reply first, nothing lost, every object within LINE's limits, every change told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.interface import Channel, Window
from connectors.shared.text import utf16_units
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.outbound import Button, Card, CardContent, Part, PartContent
from tests.contract.line_planning import (
    NO_TOKEN,
    PEER,
    PICTURE,
    TOKEN,
    actions_in,
    buttons,
    changes,
    objects,
    part,
    plan,
)
from tests.contract.line_setup import channel
from tests.fakes.line_objects import visible_texts

# Which calls.


def test_the_reply_token_goes_first_and_what_is_left_is_pushed() -> None:
    calls = plan(*(part(f"text {number}", f"p{number}") for number in range(12)), window=TOKEN)
    assert [call.name for call in calls] == ["reply", "push", "push"]
    assert [len(call.body["messages"]) for call in calls] == [5, 5, 2]
    assert [part_id for call in calls for part_id in call.part_ids] == [f"p{number}" for number in range(12)]
    assert [call.uses_reply_token for call in calls] == [True, False, False]


def test_a_reply_takes_no_retry_key_and_every_push_has_one_from_the_first_attempt_on() -> None:
    reply, push = plan(*(part("x", f"p{number}") for number in range(6)), window=TOKEN)
    assert reply.body["replyToken"] == "a-reply-token"
    assert reply.idempotency_key is None
    assert "X-Line-Retry-Key" not in reply.headers
    assert push.body["to"] == PEER
    assert push.headers["X-Line-Retry-Key"] == push.idempotency_key


def test_without_a_token_everything_is_pushed() -> None:
    assert [call.name for call in plan(part("a"), part("b", "p2"))] == ["push"]


def test_the_retry_key_follows_from_parts_and_body() -> None:
    def key(*parts: Part) -> str | None:
        return plan(*parts)[-1].idempotency_key

    assert key(part("a")) == key(part("a"))
    different = [key(part("a")), key(part("b")), key(part("a", "p2")), key(part("a"), part("a", "p2"))]
    assert len(set(different)) == 4
    # The same part planned again without those before it, which are sent already, keeps its key.
    six = tuple(part(f"{number}", f"p{number}") for number in range(6))
    assert key(*six) == key(six[5])


def test_equal_pieces_of_one_part_have_different_keys() -> None:
    calls = plan(part("a" * 5000 * 15))
    assert [call.part_ids for call in calls] == [("p1",)] * 3
    assert calls[0].body == calls[1].body
    assert len({call.idempotency_key for call in calls}) == 3


def test_urls_and_secrets() -> None:
    (call,) = plan(part("a"))
    assert call.url == "https://api.line.me/v2/bot/message/push"
    assert call.headers["Authorization"] == "Bearer {secret:access_token}"
    elsewhere = Channel("shop", "line", channel().values, api_base="http://127.0.0.1:9/")
    (call,) = plan(part("a"), to=elsewhere, window=TOKEN)
    assert call.url == "http://127.0.0.1:9/v2/bot/message/reply"


# Text and buttons.


def test_text_is_measured_in_utf16_units() -> None:
    assert len(objects(part("👍" * 2500))) == 1
    assert changes(part("👍" * 2500)) == []
    said = objects(part("👍" * 2501))
    assert [len(item["text"]) for item in said] == [2500, 1]
    assert changes(part("👍" * 2501)) == ["text of 5002 UTF-16 units sent as 2 messages"]


def test_a_short_text_with_up_to_four_buttons_is_one_template() -> None:
    (item,) = objects(part("ก" * 160, rows=(buttons(2), buttons(2))))
    assert item["template"]["text"] == "ก" * 160
    assert [action["data"] for action in item["template"]["actions"]] == ["d0", "d1", "d0", "d1"]


def test_more_text_or_more_buttons_than_a_template_takes_lose_nothing() -> None:
    text, menu = objects(part("ก" * 161, rows=(buttons(2),)))
    assert text == {"type": "text", "text": "ก" * 161}
    assert [action["data"] for action in actions_in(menu)] == ["d0", "d1"]
    (bubble,) = objects(part("Choose", rows=(buttons(5),)))
    assert visible_texts(bubble) == ["Choose"]
    assert len(actions_in(bubble)) == 5
    assert len(actions_in(objects(part("Choose", rows=(buttons(200, data="x" * 300),))))) == 200


def test_a_label_is_cut_at_its_limit_and_it_is_said() -> None:
    at_limit = Button(label="ก" * 20, data="d" * 300)
    above = Button(label="ก" * 21, data="d" * 300)
    assert changes(part("x", rows=((at_limit,),))) == []
    (action,) = actions_in(objects(part("x", rows=((above,),))))
    assert (action["label"], action["data"]) == ("ก" * 19 + "…", "d" * 300)
    assert len(changes(part("x", rows=((above,),)))) == 1


@pytest.mark.parametrize("data", ["d" * 301, "😀" * 151])
def test_a_tap_whose_data_is_too_long_is_written_as_text_for_cut_data_is_another_choice(data: str) -> None:
    above = part("x", rows=((Button(label="Tap", data=data),),))
    assert objects(above) == [{"type": "text", "text": "x\n• Tap"}]
    assert len(changes(above)) == 1


def test_a_link_that_line_cannot_open_becomes_text() -> None:
    long_link = "https://example.com/" + "a" * 9_980
    assert len(long_link) == 10_000
    assert actions_in(objects(part("x", rows=((Button(label="go", url=long_link),),))))[0]["uri"] == long_link
    for url in (long_link + "a", "ftp://example.com"):
        said = objects(part("x", quick_replies=(Button(label="go", url=url),)))
        assert "".join(item["text"] for item in said).replace("\n", "").replace(" ", "") == f"xgo:{url}"
        assert len(changes(part("x", rows=((Button(label="go", url=url),),)))) >= 1


def test_a_tap_on_a_quick_reply_shows_its_label_and_brings_its_data() -> None:
    (item,) = objects(
        part("เลือก", quick_replies=(Button(label="ใช่", data="YES"), Button(label="site", url="https://e.com")))
    )
    assert item["quickReply"]["items"] == [
        {"type": "action", "action": {"type": "postback", "label": "ใช่", "data": "YES", "displayText": "ใช่"}},
        {"type": "action", "action": {"type": "uri", "label": "site", "uri": "https://e.com"}},
    ]


def test_quick_replies_stand_on_the_last_object_of_the_message_only() -> None:
    parts = [part(f"{number}", f"p{number}", quick_replies=buttons(2)) for number in range(7)]
    calls = plan(*parts, window=TOKEN)
    every = [item for call in calls for item in call.body["messages"]]
    assert ["quickReply" in item for item in every] == [False] * (len(every) - 1) + [True]
    assert len(actions_in(every)) == 14
    assert sum("shown as buttons" in change for call in calls for change in call.changes) == 6


def test_thirteen_quick_replies_and_not_fourteen() -> None:
    (item,) = objects(part("x", quick_replies=buttons(13)))
    assert len(item["quickReply"]["items"]) == 13
    more = objects(part("x", quick_replies=buttons(14)))
    assert all("quickReply" not in item for item in more)
    assert len(actions_in(more)) == 14
    assert "LINE takes 13" in changes(part("x", quick_replies=buttons(14)))[0]


def test_an_empty_text_still_carries_its_part_and_its_buttons() -> None:
    assert objects(part(" \n")) == [{"type": "text", "text": "…"}]
    assert len(changes(part(""))) == 1
    assert len(actions_in(objects(part("", rows=(buttons(3),))))) == 3
    assert len(actions_in(objects(part("", quick_replies=buttons(3))))) == 3
    assert actions_in(objects(part("x", rows=((Button(label=""),),))))[0]["label"] == "…"


# Other content.


@pytest.mark.parametrize(
    ("content", "expected", "told"),
    [
        (MediaContent(kind="image", url=PICTURE), [("image", PICTURE)], 0),
        (MediaContent(kind="image", url=PICTURE, caption="Look"), [("image", PICTURE), ("text", "Look")], 1),
        (MediaContent(kind="image", url="http://a.b/c", caption="Look"), [("text", "Look\nhttp://a.b/c")], 1),
        (MediaContent(kind="image", media_id="7"), [("text", "[image]")], 1),
        (MediaContent(kind="video", url=PICTURE, preview_url=PICTURE), [("video", PICTURE)], 0),
        (MediaContent(kind="video", url=PICTURE), [("text", PICTURE)], 1),
        (MediaContent(kind="audio", url=PICTURE, duration_ms=4200), [("audio", PICTURE)], 0),
        (MediaContent(kind="voice", url=PICTURE), [("audio", PICTURE)], 1),
        (MediaContent(kind="file", url=PICTURE, file_name="a.jpg"), [("text", f"a.jpg\n{PICTURE}")], 1),
        (StickerContent(sticker_id="1988", package_id="446"), [("sticker", None)], 0),
        (StickerContent(sticker_id="1988", emoji="👍"), [("text", "👍")], 1),
        (StickerContent(sticker_id="CAACAgI", package_id="446", emoji="👍"), [("text", "👍")], 1),
        (LocationContent(latitude=13.7, longitude=100.5, name="Office"), [("location", None)], 0),
        (LocationContent(latitude=13.7, longitude=100.5), [("location", None)], 0),
        (ContactContent(name="Somchai", phones=("+66",), emails=("s@e.com",)), [("text", "Somchai\n+66\ns@e.com")], 1),
        (TemplateContent(name="order", parameters=("A-1",)), [("text", "order A-1")], 1),
        (TemplateContent(name="order", fallback_text="Your order"), [("text", "Your order")], 1),
    ],
)
def test_each_kind_in_its_nearest_form(content: PartContent, expected: list[tuple[str, str | None]], told: int) -> None:
    shown = [(item["type"], item.get("text") or item.get("originalContentUrl")) for item in objects(part(content))]
    assert shown == expected
    assert len(changes(part(content))) == told
    with_buttons = objects(part(content, rows=(buttons(2),)))
    assert [action["data"] for action in actions_in(with_buttons)] == ["d0", "d1"]


def test_a_media_link_of_2000_characters_and_not_2001() -> None:
    link = "https://example.com/" + "a" * 1980
    assert objects(part(MediaContent(kind="image", url=link)))[0]["type"] == "image"
    assert objects(part(MediaContent(kind="image", url=link + "a")))[0] == {"type": "text", "text": link + "a"}


def test_a_location_name_of_100_and_not_101() -> None:
    def title(length: int) -> tuple[str, list[str]]:
        place = part(LocationContent(latitude=1, longitude=2, name="n" * length, address="a"))
        return objects(place)[0]["title"], changes(place)

    assert title(100) == ("n" * 100, [])
    assert title(101) == ("n" * 99 + "…", ["location title cut to 100"])


def test_a_quote_that_line_cannot_make_is_told_once() -> None:
    calls = plan(*(part("x", f"p{number}") for number in range(6)), reply_to="500000000000000001")
    assert ["quote" in change for call in calls for change in call.changes] == [True]


# Anything at all.

TEXTS = st.sampled_from(["", " ", "Yes", "ใช่", "word. " * 30, "👍🏽" * 90, "a" * 301, "ก" * 161, "word. " * 1200])
LINKS = st.sampled_from(["https://e.com/a", "http://e.com", "tel:1", "ftp://x", "", "https://e.com/" + "a" * 9_990])
BUTTONS = st.builds(Button, label=TEXTS, data=st.none() | TEXTS, url=st.none() | LINKS)
CARDS = st.builds(
    Card,
    title=st.none() | TEXTS,
    text=st.none() | TEXTS,
    image_url=st.none() | LINKS,
    buttons=st.lists(BUTTONS, max_size=3).map(tuple),
)
CONTENTS = st.one_of(
    st.builds(TextContent, text=TEXTS),
    st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "video", "audio", "voice", "file"]),
        url=st.none() | LINKS,
        caption=st.none() | TEXTS,
        preview_url=st.none() | LINKS,
    ),
    st.builds(CardContent, cards=st.lists(CARDS, min_size=1, max_size=3).map(tuple), alt_text=TEXTS),
    st.builds(LocationContent, latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), name=st.none() | TEXTS),
    st.builds(ContactContent, name=TEXTS),
    st.builds(TemplateContent, name=TEXTS, fallback_text=st.none() | TEXTS),
)
PARTS = st.lists(
    st.builds(
        Part,
        id=st.uuids().map(str),
        content=CONTENTS,
        rows=st.lists(st.lists(BUTTONS, max_size=3).map(tuple), max_size=3).map(tuple),
        quick_replies=st.lists(BUTTONS, max_size=3).map(tuple) | st.just(buttons(14)),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda made: made.id,
)


@given(parts=PARTS, window=st.sampled_from([TOKEN, NO_TOKEN]))
def test_whatever_is_asked_line_takes_it_and_every_part_and_tap_is_in_it(parts: list[Part], window: Window) -> None:
    calls = plan(*parts, window=window)
    covered = list(dict.fromkeys(part_id for call in calls for part_id in call.part_ids))
    assert covered == [asked.id for asked in parts]
    keys = [call.idempotency_key for call in calls if call.name == "push"]
    assert len(set(keys)) == len(keys)
    asked_taps = sum(
        button.url is None and utf16_units(button.data or "") <= 300
        for asked in parts
        for row in (*asked.rows, asked.quick_replies, *_card_rows(asked))
        for button in row
    )
    made = [action for call in calls for action in actions_in(call.body["messages"])]
    assert sum(action["type"] == "postback" for action in made) == asked_taps


def _card_rows(asked: Part) -> list[tuple[Button, ...]]:
    return [card.buttons for card in asked.content.cards] if isinstance(asked.content, CardContent) else []
