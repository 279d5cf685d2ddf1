"""Telegram's planner: edits, reactions, deletions, albums, reply keyboards, answers to taps, typing and read marks.

The fake carries most of them out, so that a change is seen on the message and its repeat does no harm.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt, Window
from connectors.telegram import PLATFORM
from connectors.telegram.sender import Sender
from schemas.content import LocationContent, MediaContent, TextContent
from schemas.outbound import Button, Card, CardContent, DeletionContent, OutboundMessage, Part, ReactionContent
from tests.contract.telegram_cases import CHANNEL, WINDOW, message, part
from tests.fakes.telegram import SECRET_TOKEN, TOKEN, FakeTelegram

PHOTO = "https://files.example.com/a.jpg"
BUSINESS = "600000001~BC1"
BUY = ((Button(label="Buy", data="buy"),),)
MARKUP = {"inline_keyboard": [[{"text": "Buy", "callback_data": "buy"}]]}


def plan(*parts: Part, **more: Any) -> tuple[Call, ...]:
    return PLATFORM.plan(message(*parts, **more), WINDOW, CHANNEL)


def text(words: str = "Hi", **more: Any) -> Part:
    return part(TextContent(text=words), **more)


def media(kind: str = "image", url: str = PHOTO, *, id: str = "p1", **more: Any) -> Part:
    members = {name: more.pop(name) for name in ("rows", "edit_of") if name in more}
    return part(MediaContent.model_validate({"kind": kind, "url": url} | more), id=id, **members)


# Edits.


@pytest.mark.parametrize(
    ("edited", "method", "fields"),
    [
        (text("new", edit_of="10", rows=BUY), "editMessageText", {"text": "new", "reply_markup": MARKUP}),
        (
            media(caption="new", edit_of="10"),
            "editMessageMedia",
            {"media": {"type": "photo", "media": PHOTO, "caption": "new"}},
        ),
        (
            part(MediaContent(kind="image", caption="new"), edit_of="10", rows=BUY),
            "editMessageCaption",
            {"caption": "new", "reply_markup": MARKUP},
        ),
        (text("", edit_of="10", rows=BUY), "editMessageReplyMarkup", {"reply_markup": MARKUP}),
        (
            part(CardContent(cards=(Card(title="Tea", image_url=PHOTO),), alt_text="t"), edit_of="10"),
            "editMessageMedia",
            {
                "media": {
                    "type": "photo",
                    "media": PHOTO,
                    "caption": "Tea",
                    "caption_entities": [{"type": "bold", "offset": 0, "length": 3}],
                }
            },
        ),
    ],
)
def test_each_edit_has_its_method(edited: Part, method: str, fields: dict[str, Any]) -> None:
    (call,) = plan(edited)
    assert call.name == method
    assert call.body == {"chat_id": 600000001, "message_id": 10, **fields}
    assert call.changes == ()
    assert call.idempotency_key


@pytest.mark.parametrize(
    "edited",
    [
        text(edit_of="wamid.1"),
        part(LocationContent(latitude=1, longitude=1), edit_of="10"),
        media("voice", edit_of="10"),
    ],
)
def test_what_cannot_be_edited_is_a_new_message_and_that_is_said(edited: Part) -> None:
    (call,) = plan(edited)
    assert call.name.startswith("send")
    assert "message_id" not in call.body
    assert call.idempotency_key is None
    assert len(call.changes) == 1


def test_what_does_not_fit_into_the_edited_message_follows_it() -> None:
    first, second = plan(text("x" * 4097, edit_of="10"), reply_to="7")
    assert [first.name, second.name] == ["editMessageText", "sendMessage"]
    assert "reply_parameters" not in first.body
    assert second.body["reply_parameters"]["message_id"] == 7
    assert any("follows it" in change for change in first.changes)


def test_quick_replies_of_an_edit_are_inline_because_no_other_keyboard_can_be_edited_in() -> None:
    (call,) = plan(text("new", edit_of="10", quick_replies=(Button(label="A", data="A"),)))
    assert "inline_keyboard" in call.body["reply_markup"]


def test_an_edit_quotes_nothing_and_says_so() -> None:
    (call,) = plan(text("new", edit_of="10"), reply_to="7")
    assert call.changes == ("shown without a quote: no new message was sent",)


# Reactions and deletions.


def test_a_reaction_is_set_and_taken_away() -> None:
    calls = plan(part(ReactionContent(message_id="9", emoji="❤️")), part(ReactionContent(message_id="9"), id="p2"))
    assert [call.name for call in calls] == ["setMessageReaction"] * 2
    assert [call.body["reaction"] for call in calls] == [[{"type": "emoji", "emoji": "❤"}], []]
    assert [call.body["message_id"] for call in calls] == [9, 9]


@pytest.mark.parametrize("more", [{"peer": BUSINESS}, {}])
def test_a_reaction_that_telegram_has_not_is_said_as_a_message(more: dict[str, Any]) -> None:
    emoji = "👍" if more else "🥐"
    (call,) = plan(part(ReactionContent(message_id="9", emoji=emoji)), **more)
    assert (call.name, call.body["text"]) == ("sendMessage", emoji)
    assert call.changes


def test_a_message_is_taken_back_in_both_kinds_of_chats() -> None:
    (own,) = plan(part(DeletionContent(message_id="9")))
    assert (own.name, own.body) == ("deleteMessage", {"chat_id": 600000001, "message_id": 9})
    (theirs,) = plan(part(DeletionContent(message_id="9")), peer=BUSINESS)
    assert theirs.name == "deleteBusinessMessages"
    assert theirs.body == {"business_connection_id": "BC1", "message_ids": [9]}


# Albums.


def album(*kinds: str, id: str = "a", **more: Any) -> list[Part]:
    return [media(kind, id=f"p{number}", album_id=id, **more) for number, kind in enumerate(kinds, 1)]


def test_media_of_one_album_are_one_call_that_covers_all_of_them() -> None:
    first, *rest = album("image", "video", "image")
    first = first.model_copy(update={"content": first.content.model_copy(update={"caption": "Three"})})
    (call,) = plan(first, *rest, reply_to="7")
    assert (call.name, call.part_ids) == ("sendMediaGroup", ("p1", "p2", "p3"))
    assert call.body["media"] == [
        {"type": "photo", "media": PHOTO, "caption": "Three"},
        {"type": "video", "media": PHOTO},
        {"type": "photo", "media": PHOTO},
    ]
    assert call.body["reply_parameters"]["message_id"] == 7


@pytest.mark.parametrize(
    ("parts", "calls"),
    [
        (album("image"), [1]),
        (album("image", "image"), [2]),
        (album(*["image"] * 10), [10]),
        (album(*["image"] * 11), [10, 1]),
        (album("image", "audio", "audio"), [1, 2]),
        (album("voice", "voice"), [1, 1]),
        ([media(id="p1", album_id="a"), media(id="p2", album_id="b")], [1, 1]),
        ([media(id="p1"), media(id="p2")], [1, 1]),
        ([media(id="p1", album_id="a", rows=BUY), media(id="p2", album_id="a")], [1, 1]),
        ([media(id="p1", album_id="a", caption="x" * 1025), media(id="p2", album_id="a")], [1, 1, 1]),
        ([media(id="p1", album_id="a", edit_of="10"), media(id="p2", album_id="a")], [1, 1]),
    ],
)
def test_which_media_go_together(parts: list[Part], calls: list[int]) -> None:
    made = plan(*parts)
    assert [len(call.body.get("media", "1")) if call.name == "sendMediaGroup" else 1 for call in made] == calls
    assert list(dict.fromkeys(id for call in made for id in call.part_ids)) == [each.id for each in parts]


# Keyboards.


def test_quick_replies_that_say_what_they_carry_vanish_after_a_tap() -> None:
    (call,) = plan(text("?", quick_replies=tuple(Button(label=label, data=label) for label in ("Yes", "No", "Later"))))
    assert call.body["reply_markup"] == {
        "keyboard": [[{"text": "Yes"}, {"text": "No"}], [{"text": "Later"}]],
        "resize_keyboard": True,
        "one_time_keyboard": True,
    }
    assert call.changes == ()


def test_a_person_is_asked_for_place_and_number_by_a_reply_keyboard() -> None:
    asked = (Button(label="Here", asks="location"), Button(label="Call me", asks="phone"))
    (call,) = plan(text("?", quick_replies=asked))
    assert call.body["reply_markup"]["keyboard"] == [
        [{"text": "Here", "request_location": True}, {"text": "Call me", "request_contact": True}]
    ]


@pytest.mark.parametrize(
    ("quick", "more"),
    [
        ((Button(label="Yes", data="YES"),), {}),
        ((Button(label="Yes", data="Yes"),), {"peer": "-1000000000001"}),
        ((Button(label="Yes", data="Yes"),), {"peer": BUSINESS}),
    ],
)
def test_where_a_reply_keyboard_would_lose_the_data_or_be_shown_to_others_it_is_inline(
    quick: tuple[Button, ...], more: dict[str, Any]
) -> None:
    (call,) = plan(text("?", quick_replies=quick), **more)
    assert call.body["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == quick[0].data
    assert call.changes == ("quick replies are buttons that stay after a tap",)


def test_a_question_that_no_keyboard_of_the_chat_can_ask_is_written_as_text() -> None:
    for asked in (Button(label="Mail?", asks="email"), Button(label="Here", asks="location")):
        (call,) = plan(text("?", quick_replies=(asked, Button(label="No", data="NO"))))
        assert call.body["text"] == f"?\n• {asked.label}"
        assert len(call.changes) == 2


# What nobody sees as a message.


def test_every_tap_is_answered_first_with_its_text() -> None:
    first, second, said = plan(text(), callback_ids=("1", "2"), callback_text="Saved", callback_alert=True)
    assert [call.body for call in (first, second)] == [
        {"callback_query_id": id, "text": "Saved", "show_alert": True} for id in ("1", "2")
    ]
    assert [(call.is_visible, call.part_ids) for call in (first, second, said)] == [
        (False, ()),
        (False, ()),
        (True, ("p1",)),
    ]


def test_the_text_of_an_answer_is_cut_at_200_characters_and_that_is_said() -> None:
    at, beyond = (plan(text(), callback_ids=("1",), callback_text="x" * length) for length in (200, 201))
    assert [call.changes for call in at] == [(), ()]
    assert len(beyond[0].body["text"]) == 200
    assert beyond[1].changes == ("callback text cut to 200 characters",)
    (alone,) = plan(text(), callback_text="Saved")
    assert alone.changes == ("callback text left out: there is no tap to answer",)


def test_typing_and_read_marks_go_before_the_message() -> None:
    typing, said = plan(text(), typing=True, mark_read="9")
    assert (typing.name, typing.body, typing.is_visible) == (
        "sendChatAction",
        {"chat_id": 600000001, "action": "typing"},
        False,
    )
    assert said.changes == ("not marked as read: Telegram has that in business chats only",)
    read, said = plan(text(), mark_read="9", peer=BUSINESS)
    assert (read.name, read.is_visible) == ("readBusinessMessage", False)
    assert read.body == {"chat_id": 600000001, "business_connection_id": "BC1", "message_id": 9}
    assert said.changes == ()


# Carried out.


class Chat:
    """One person's chat on the fake."""

    def __init__(self, fake: FakeTelegram) -> None:
        self.fake = fake
        self.peer = fake.known_user("ann")
        values = {"bot_token": (TOKEN,), "secret_token": (SECRET_TOKEN,)}
        self.channel = Channel("main", "telegram", values, api_base=fake.base_url)
        self.sender = Sender()

    def planned(self, *parts: Part, **more: Any) -> tuple[Call, ...]:
        outbound: OutboundMessage = message(*parts, peer=self.peer, **more)
        return PLATFORM.plan(outbound, Window(0), self.channel)

    async def send(self, *parts: Part, **more: Any) -> list[Receipt]:
        calls = self.planned(*parts, **more)
        return [await self.sender.perform(call, self.channel, timeout_s=5) for call in calls]

    def message(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.fake.sent["ann"][int(id)]
        return found


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    fake = FakeTelegram(clock=lambda: 1_790_000_000.0)
    await fake.start()
    made = Chat(fake)
    yield made
    await made.sender.close()
    await fake.stop()


async def test_an_edit_changes_the_message_and_its_repeat_does_no_harm(chat: Chat) -> None:
    ((receipt),) = await chat.send(text("old"))
    (id,) = receipt.message_ids
    (edited,) = await chat.send(text("new", edit_of=id, rows=BUY))
    assert edited.message_ids == (id,)
    assert (chat.message(id)["text"], chat.message(id)["reply_markup"]) == ("new", MARKUP)
    (again,) = await chat.send(text("new", edit_of=id, rows=BUY))
    assert again.message_ids == ()
    assert len(chat.fake.sent["ann"]) == 1


async def test_a_deletion_takes_the_message_away_and_its_repeat_does_no_harm(chat: Chat) -> None:
    ((receipt),) = await chat.send(text("old"))
    for _ in range(2):
        await chat.send(part(DeletionContent(message_id=receipt.message_ids[0])))
        assert chat.fake.sent["ann"] == {}


async def test_an_album_has_an_id_for_each_of_its_parts(chat: Chat) -> None:
    (receipt,) = await chat.send(*album("image", "image", "video"))
    assert len(receipt.message_ids) == 3
    await chat.send(part(ReactionContent(message_id=receipt.message_ids[1], emoji="🎉")))


async def test_an_edit_of_a_message_that_is_not_there_fails_and_says_so(chat: Chat) -> None:
    with pytest.raises(SendError, match="message to edit not found") as caught:
        await chat.send(text("new", edit_of="99"))
    assert (caught.value.retryable, caught.value.unreachable, caught.value.channel_wide) == (False, False, False)
