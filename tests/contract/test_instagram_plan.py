"""Instagram's planner: both logins, texts in bytes, albums, media in their limits, the nearest form of all else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.instagram import PLATFORM
from connectors.interface import Window
from connectors.shared.text import utf8_bytes
from schemas.content import ContactContent, LocationContent, MediaContent, StickerContent, TemplateContent, TextContent
from schemas.outbound import Button, Card, CardContent, Part, PartContent
from tests.contract.instagram_kit import ACCOUNT, PAGE, USER, channel
from tests.contract.instagram_planning import LINKED, OWN, outbound, plan
from tests.contract.meta_planning import HOUR_MS, LINK, NOW_MS, changes, messages, numbered, part, taps, template
from tests.fakes.instagram import FakeInstagram

texts_of = FakeInstagram().texts_of

# The frame.


def test_by_instagram_login_a_text_goes_to_instagrams_host_without_a_type() -> None:
    (call,) = plan(part(TextContent(text="hi")))
    assert (call.method, call.url) == ("POST", f"https://graph.instagram.com/v26.0/{ACCOUNT}/messages")
    assert call.headers == {"Authorization": "Bearer {secret:access_token}"}
    assert call.body == {"recipient": {"id": USER}, "message": {"text": "hi", "metadata": "iris:part-1"}}
    assert (call.is_visible, call.idempotency_key, call.uses_reply_token, call.changes) == (True, None, False, ())


def test_through_a_page_it_goes_to_facebooks_host_as_a_response() -> None:
    (call,) = plan(part(TextContent(text="hi")), account=LINKED)
    assert call.url == f"https://graph.facebook.com/v26.0/{PAGE}/messages"
    assert call.headers == {"Authorization": "Bearer {secret:access_token}"}
    assert call.body["messaging_type"] == "RESPONSE"


@pytest.mark.parametrize("account", [OWN, LINKED])
def test_the_address_and_the_graph_version_can_be_set(account: Any) -> None:
    values = account.values | {"graph_version": ("v25.0",)}
    moved = type(account)(account.id, account.platform, values, api_base="http://127.0.0.1:1/")
    (call,) = plan(part(TextContent(text="hi")), account=moved)
    assert call.url == f"http://127.0.0.1:1/v25.0/{account.first('page_id') or ACCOUNT}/messages"


def test_only_the_first_call_quotes_and_beside_the_message() -> None:
    first, second = plan(part(TextContent(text="a")), part(TextContent(text="b"), id="part-2"), reply_to="aWdf1")
    assert first.body["reply_to"] == {"mid": "aWdf1"}
    assert "reply_to" not in second.body


@pytest.mark.parametrize("account", [OWN, LINKED])
@pytest.mark.parametrize(
    ("origin", "age_ms", "is_tagged"),
    [
        ("human", 24 * HOUR_MS, False),
        ("human", 24 * HOUR_MS + 1, True),
        ("human", 7 * 24 * HOUR_MS, True),
        ("human", 7 * 24 * HOUR_MS + 1, False),
        # The tag is for people only: the bot's late message meets the platform's refusal.
        ("bot", 24 * HOUR_MS + 1, False),
    ],
)
def test_only_a_persons_late_answer_bears_the_human_agent_tag(
    account: Any, origin: str, age_ms: int, is_tagged: bool
) -> None:
    window = Window(NOW_MS, last_inbound_ms=NOW_MS - age_ms)
    calls = plan(part(TextContent(text="x" * 1001)), window=window, origin=origin, account=account)
    assert [call.body.get("tag") for call in calls] == (["HUMAN_AGENT"] * 2 if is_tagged else [None] * 2)
    assert all((call.body.get("messaging_type") == "MESSAGE_TAG") is is_tagged for call in calls)


def test_a_message_whose_parts_are_all_settled_needs_no_calls() -> None:
    message = outbound(part(TextContent(text="hi"))).model_copy(update={"parts": ()})
    assert PLATFORM.plan(message, Window(NOW_MS), channel()) == ()


# Text.


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 1000, 1),
        ("x" * 1001, 2),
        ("ก" * 333, 1),
        ("ก" * 334, 2),
        ("👋" * 250, 1),
        ("👋" * 251, 2),
        ("ก" * 333 + "x", 1),
        ("ก" * 333 + "xx", 2),
    ],
)
def test_text_is_split_beyond_a_thousand_bytes(text: str, count: int) -> None:
    calls = plan(part(TextContent(text=text)))
    pieces = [call.body["message"]["text"] for call in calls]
    assert len(pieces) == count
    assert "".join(pieces) == text
    assert all(utf8_bytes(piece) <= 1000 for piece in pieces)
    assert changes(calls) == ([] if count == 1 else ["text split into 2 messages"])


@pytest.mark.parametrize("grapheme", ["👩‍👩‍👧‍👦", "กิ้", "👍🏽", "e\u0301"])
def test_text_is_never_cut_inside_a_grapheme(grapheme: str) -> None:
    calls = plan(part(TextContent(text=grapheme * 400)))
    pieces = [call.body["message"]["text"] for call in calls]
    assert "".join(pieces) == grapheme * 400
    assert all(len(piece) % len(grapheme) == 0 for piece in pieces)


def test_every_message_of_a_part_is_marked_and_the_last_with_the_plain_id() -> None:
    calls = plan(part(TextContent(text="x" * 2001)))
    assert [call.body["message"]["metadata"] for call in calls] == ["iris:part-1#1", "iris:part-1#2", "iris:part-1"]


# Pictures and other media.


def pictures(count: int) -> list[Part]:
    return [part(MediaContent(kind="image", url=f"{LINK}?{n}"), id=f"part-{n}") for n in range(count)]


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (2, [2]), (10, [10]), (11, [10, 1]), (21, [10, 10, 1])])
def test_pictures_that_follow_each_other_share_a_message_of_at_most_ten(count: int, sizes: list[int]) -> None:
    calls = plan(*pictures(count))
    assert [len(call.part_ids) for call in calls] == sizes
    shown = [
        attachment["payload"]["url"]
        for message in messages(calls)
        for attachment in message.get("attachments") or [message["attachment"]]
    ]
    assert shown == [f"{LINK}?{n}" for n in range(count)]
    assert all("attachment" in call.body["message"] for call in calls if len(call.part_ids) == 1)


def test_an_album_bears_the_mark_of_its_last_picture() -> None:
    (call,) = plan(*pictures(3))
    assert call.body["message"]["metadata"] == "iris:part-2"


def test_words_taps_and_other_media_end_an_album() -> None:
    first, second = pictures(2)
    captioned = part(MediaContent(kind="image", url=LINK, caption="Map"), id="captioned")
    asking = part(MediaContent(kind="image", url=LINK), id="asking", quick_replies=taps("Yes"))
    film = part(MediaContent(kind="video", url=LINK), id="film")
    assert [call.part_ids for call in plan(first, captioned, second, film, asking)] == [
        ("part-0",),
        ("captioned",),
        ("captioned",),
        ("part-1",),
        ("film",),
        ("asking",),
    ]


@pytest.mark.parametrize(
    ("kind", "native"),
    [("image", "image"), ("video", "video"), ("audio", "audio"), ("voice", "audio"), ("file", "file")],
)
def test_media_goes_by_link_or_by_the_id_of_its_upload(kind: str, native: str) -> None:
    by_link = plan(part(MediaContent.model_validate({"kind": kind, "url": LINK})))
    assert messages(by_link) == [{"attachment": {"type": native, "payload": {"url": LINK}}}]
    by_id = plan(part(MediaContent.model_validate({"kind": kind, "media_id": "55"})))
    assert messages(by_id) == [{"attachment": {"type": native, "payload": {"attachment_id": "55"}}}]


@pytest.mark.parametrize(
    ("kind", "megabytes"), [("image", 8), ("video", 25), ("audio", 25), ("voice", 25), ("file", 25)]
)
def test_media_beyond_its_limit_is_given_as_a_link_in_words(kind: str, megabytes: int) -> None:
    at_limit = MediaContent.model_validate({"kind": kind, "url": LINK, "size_bytes": megabytes * 1_000_000})
    assert "attachment" in messages(plan(part(at_limit)))[0]
    beyond = at_limit.model_copy(update={"size_bytes": megabytes * 1_000_000 + 1})
    calls = plan(part(beyond))
    assert messages(calls) == [{"text": LINK}]
    assert changes(calls) == [f"{kind} written as text: larger than {megabytes} MB"]


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        ("image", "image/jpeg", "image/webp"),
        ("image", "IMAGE/PNG", "image/gif"),
        ("video", "video/quicktime", "video/x-matroska"),
        ("voice", "audio/mp4", "audio/ogg; codecs=opus"),
        ("file", "application/pdf", "application/zip"),
    ],
)
def test_a_type_that_is_not_taken_is_given_as_a_link_in_words(kind: str, taken: str, refused: str) -> None:
    good = MediaContent.model_validate({"kind": kind, "url": LINK, "mime_type": taken, "caption": "Map"})
    assert [list(message) for message in messages(plan(part(good)))] == [["attachment"], ["text"]]
    calls = plan(part(good.model_copy(update={"mime_type": refused, "file_name": "x"})))
    assert messages(calls) == [{"text": f"Map\nx\n{LINK}"}]
    assert changes(calls) == [f"{kind} written as text: a type that Instagram does not take"]


# Buttons, cards and quick replies.


@pytest.mark.parametrize(("count", "buttons"), [(13, 0), (14, 1)])
def test_quick_replies_are_texts_and_more_than_allowed_become_buttons(count: int, buttons: int) -> None:
    (call,) = plan(part(TextContent(text="?"), quick_replies=numbered(count)))
    replies = call.body["message"]["quick_replies"]
    assert [reply["content_type"] for reply in replies] == ["text"] * 13
    if buttons:
        assert [button["payload"] for button in template(call)["buttons"]] == ["B13"]
    assert call.changes == (() if not buttons else ("1 quick replies became buttons",))


@pytest.mark.parametrize(("length", "title"), [(20, "x" * 20), (21, "x" * 19 + "…")])
def test_a_title_is_cut_at_its_limit_and_that_is_said(length: int, title: str) -> None:
    (call,) = plan(part(TextContent(text="?"), quick_replies=(Button(label="x" * length, data="d"),)))
    assert call.body["message"]["quick_replies"][0]["title"] == title
    assert call.changes == (() if length == 20 else ("1 labels cut to 20 characters",))


@pytest.mark.parametrize(("count", "sizes"), [(3, [3]), (4, [3, 1])])
def test_more_buttons_than_a_message_holds_go_to_further_messages(count: int, sizes: list[int]) -> None:
    calls = plan(part(TextContent(text="Choose"), *numbered(count)))
    assert [len(template(call)["buttons"]) for call in calls] == sizes


@pytest.mark.parametrize(("length", "count"), [(640, 1), (641, 2)])
def test_a_text_too_long_for_a_template_begins_before_it(length: int, count: int) -> None:
    calls = plan(part(TextContent(text="ก" * length), *taps("Yes")))
    # Without a space the words before the template are cut by bytes as well.
    said = "".join(text for call in calls for text in texts_of(call.body))
    assert said == "ก" * length
    assert len(template(calls[-1])["text"]) == (640 if count == 1 else 1)
    assert len(calls) == (1 if count == 1 else 3)


@pytest.mark.parametrize(("count", "sizes"), [(10, [10]), (11, [10, 1])])
def test_more_cards_than_a_template_holds_go_to_a_second_one(count: int, sizes: list[int]) -> None:
    cards = tuple(Card(title=f"Tea {number}", image_url=LINK, buttons=numbered(3)) for number in range(count))
    calls = plan(part(CardContent(cards=cards, alt_text="Teas")))
    assert [len(template(call)["elements"]) for call in calls] == sizes


# What Instagram has in its own form, or not at all.


def test_the_heart_is_the_one_sticker_there_is() -> None:
    calls = plan(part(StickerContent(sticker_id="like_heart"), *taps("Yes")))
    assert messages(calls)[0] == {"attachment": {"type": "like_heart"}}
    assert [button["payload"] for button in template(calls[1])["buttons"]] == ["YES"]


@pytest.mark.parametrize(
    ("sticker", "message", "change"),
    [
        (
            StickerContent(sticker_id="52002734", url=LINK),
            {"attachment": {"type": "image", "payload": {"url": LINK}}},
            "sticker sent as an image",
        ),
        (StickerContent(sticker_id="369239263222822", emoji="👍"), {"text": "👍"}, "sticker written as text"),
    ],
)
def test_another_sticker_takes_the_nearest_form(sticker: StickerContent, message: dict[str, Any], change: str) -> None:
    calls = plan(part(sticker))
    assert (messages(calls), changes(calls)) == ([message], [change])


def test_a_post_of_the_accounts_own_is_shared_by_its_id() -> None:
    calls = plan(part(TemplateContent(name="MEDIA_SHARE", native={"id": "17900000000000001"})))
    assert messages(calls) == [{"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "17900000000000001"}}}]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (TemplateContent(name="order_update", parameters=("A-1001",)), "order_update A-1001"),
        (TemplateContent(name="order_update", fallback_text="Your order A-1001"), "Your order A-1001"),
        (TemplateContent(name="MEDIA_SHARE"), "MEDIA_SHARE"),
    ],
)
def test_a_template_is_written_out(content: TemplateContent, text: str) -> None:
    calls = plan(part(content))
    assert messages(calls) == [{"text": text}]
    assert changes(calls) == ["template written as text: Instagram has no approved templates"]


def test_places_and_people_are_written_out() -> None:
    place, person = LocationContent(latitude=13.75, longitude=100.5, name="Shop"), ContactContent(name="Ana")
    calls = plan(part(place), part(person, id="part-2"))
    assert messages(calls) == [{"text": "Shop\nhttps://www.google.com/maps?q=13.75,100.5"}, {"text": "Ana"}]
    assert changes(calls) == ["location written as text with a map link", "contact written as text"]


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60) | st.text("กิ้👩‍👧 ab\n", max_size=1500)
URLS = st.sampled_from([LINK, "http://example.com", "tel:1", ""])
BUTTONS = st.builds(Button, label=WORDS, data=st.none() | st.text("d", max_size=1200), url=st.none() | URLS)
CARDS = st.builds(
    Card,
    title=st.none() | WORDS,
    text=st.none() | WORDS,
    image_url=st.none() | URLS,
    buttons=st.lists(BUTTONS, max_size=4).map(tuple),
)
CONTENTS: st.SearchStrategy[PartContent] = st.one_of(
    st.builds(TextContent, text=WORDS),
    st.builds(MediaContent, kind=st.just("image"), url=st.just(LINK)),
    st.builds(
        MediaContent,
        kind=st.sampled_from(["image", "voice", "file", "video"]),
        url=st.none() | URLS,
        media_id=st.none() | st.just("5"),
        mime_type=st.none() | st.sampled_from(["image/png", "audio/ogg", "x"]),
        size_bytes=st.none() | st.integers(0, 30_000_000),
        caption=st.none() | WORDS,
    ),
    st.builds(StickerContent, sticker_id=st.sampled_from(["5", "like_heart", ""]), url=st.none() | URLS),
    st.builds(TemplateContent, name=st.just("MEDIA_SHARE") | WORDS, native=st.sampled_from([{}, {"id": "5"}])),
    st.builds(CardContent, cards=st.lists(CARDS, min_size=1, max_size=12).map(tuple), alt_text=WORDS),
    st.builds(ContactContent, name=WORDS, phones=st.lists(WORDS, max_size=2).map(tuple)),
)
PARTS = st.builds(
    Part,
    id=st.uuids().map(str),
    content=CONTENTS,
    rows=st.lists(st.lists(BUTTONS, max_size=4).map(tuple), max_size=2).map(tuple),
    quick_replies=st.lists(BUTTONS, max_size=16).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=4, unique_by=lambda one: one.id), st.sampled_from([OWN, LINKED]))
def test_whatever_is_asked_is_planned_within_the_platforms_rules(parts: list[Part], account: Any) -> None:
    calls = plan(*parts, account=account)
    sent = json.dumps([call.body for call in calls])
    said = "".join("".join(word.split()) for call in calls for word in texts_of(call.body))
    for one in parts:
        if isinstance(one.content, TextContent):
            assert "".join(one.content.text.split()) in said
        for button in (*one.quick_replies, *(button for row in one.rows for button in row)):
            if button.data and len(button.data) <= 1000:
                assert json.dumps(button.data) in sent
            elif button.data is None and button.url:
                assert button.url in sent
