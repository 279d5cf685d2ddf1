"""Every payload of ``tests/payloads/messenger`` becomes exactly the events of its row here.

A row has one entry per item of the body, in order: the item's events as (type, members of ``data``), or the reason why
it is a dead letter.
"""

from typing import Any

import pytest

from tests.contract.messenger_kit import NAMES, OWN_APP, PAGE, USER, accepted, channel, events_of, inbox, payload
from tests.contract.meta_kit import RECEIVED_AT

Row = str | list[tuple[str, dict[str, Any]]]


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"kind": "text", "text": words, **more}


def received(mid: str, content: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    return "message_received", {"message_id": mid, "sender_id": USER, "recipient_id": PAGE, "content": content, **more}


def media(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "url": f"https://cdn.example.com/{name}"}


STICKER = {"kind": "sticker", "sticker_id": "369239263222822", "url": "https://cdn.example.com/s.png"}


def echoed(mid: str, is_ours: bool | None, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    data = {"message_id": mid, "sender_id": PAGE, "recipient_id": USER, "is_ours": is_ours, **more}
    return [("message_echoed", data)]


def control(change: str, **metadata: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("channel_updated", {"subject": "thread_control", "change": change, "metadata": metadata})]


def unrecognised(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [("unrecognised", {"native_kind": kind})]


MESSAGES: list[Row] = [
    [received("m_1", text("สวัสดีครับ 👋 <b>50%</b> a@b.co/x"))],
    [
        (
            "choice_made",
            {
                "message_id": "m_2",
                "sender_id": USER,
                "content": {"kind": "choice", "data": "COLOR_GREEN", "title": "Green", "source": "quick_reply"},
                "reply_to": "m_1",
            },
        )
    ],
    [received("m_3", text("see https://example.com"))],
    [received("m_4", text("/help", entities=[{"type": "command", "name": "help"}]))],
    [
        ("referral_received", {"ref": "flyer7", "source": "ADS", "ad_id": "6045246247433"}),
        received("m_5", text("hi")),
    ],
    [received("m_6", {"kind": "unsupported", "native_kind": "message"})],
    [received("m_7", text("me again"), reply_to="m_1", metadata={"is_self_reply": True})],
]

ATTACHMENTS: list[Row] = [
    [
        received("m_10", media("image", "a.jpg?sig=x")),
        received("m_10", media("video", "b.mp4")),
        received("m_10", media("audio", "c.aac")),
        received("m_10", media("file", "d.pdf")),
    ],
    [received("m_11", STICKER)],
    # The image twin of a sticker is the same sticker.
    [received("m_12", STICKER)],
    [received("m_13", STICKER)],
    # An image without the sticker's id is a picture of its own.
    [received("m_14", media("image", "a.jpg")), received("m_14", STICKER)],
    [
        received("m_15", media("share", "r") | {"title": "Reel", "share_type": "ig_reel", "share_id": "55"}),
        received("m_15", media("share", "p") | {"share_type": "post", "share_id": "77"}),
    ],
    [received("m_16", {"kind": "share", "url": "https://example.com", "title": "Shop", "share_type": "link"})],
    [
        received("m_17", {"kind": "template", "name": "generic", "fallback_text": "Tea"}),
        received("m_17", {"kind": "template", "name": "appointment_booking"}),
    ],
    [received("m_18", {"kind": "location", "latitude": 13.75, "longitude": 100.5, "name": "Here"})],
    [
        received("m_19", {"kind": "unsupported", "native_kind": "hologram"}),
        received("m_19", {"kind": "unsupported", "native_kind": "image"}),
        received("m_19", {"kind": "unsupported", "native_kind": "fallback"}),
        received("m_19", {"kind": "unsupported", "raw": {"type": "", "payload": "text instead of an object"}}),
        received("m_19", {"kind": "unsupported", "raw": {"type": "", "payload": None}}),
    ],
]

ECHOES: list[Row] = [
    echoed("m_20", True, tag="iris:part-1", app_id=OWN_APP, content=text("Hi")),
    echoed("m_21", True, tag=None, app_id=OWN_APP),
    echoed("m_22", True, tag="iris:part-2", app_id="111111111111111"),
    echoed("m_23", False, tag=None, app_id="26390203743090", content=text("typed in the inbox")),
    echoed("m_24", False, tag="job-42", app_id="111111111111111"),
    echoed("m_25", None, tag=None, app_id=None),
    echoed("m_26", True, content={"kind": "template", "name": "button", "fallback_text": "Choose"}),
]

SIGNALS: list[Row] = [
    [
        ("referral_received", {"ref": "flyer7", "source": "SHORTLINK", "metadata": {"type": "OPEN_THREAD"}}),
        ("choice_made", {"message_id": "m_30", "content": {"data": "GET_STARTED", "title": "Get started"}}),
    ],
    [("choice_made", {"message_id": None, "content": {"data": "", "title": "Other app's button"}})],
    [("reaction_changed", {"message_id": "m_4", "sender_id": USER, "emoji": "❤️", "is_removed": False})],
    [("reaction_changed", {"message_id": "m_4", "emoji": "😢", "metadata": {"reaction": "sad"}})],
    [("reaction_changed", {"message_id": "m_4", "emoji": "", "is_removed": True})],
    [("message_edited", {"message_id": "m_1", "content": text("Hello!"), "revision": 1})],
    [("message_edited", {"message_id": "m_1", "content": text("Hello!!"), "revision": 2})],
    [("referral_received", {"ref": "door", "metadata": {"type": "OPEN_THREAD", "referer_uri": "https://example.com"}})],
    [("channel_updated", {"subject": "opt_in", "change": "notification_messages"})],
    [("channel_updated", {"subject": "account_linking", "change": "linked"})],
    [("choice_made", {"message_id": None, "content": {"data": "messaging_feedback", "source": "form"}})],
    [("input_ignored", {"reason": "feedback", "metadata": {"feedback": "Good response", "mid": "m_20"}})],
]

RECEIPTS: list[Row] = [
    [
        ("delivery_reported", {"status": "delivered", "message_id": "m_20", "watermark": None}),
        ("delivery_reported", {"status": "delivered", "message_id": "m_21", "watermark": None}),
        ("delivery_reported", {"status": "delivered", "message_id": None, "watermark": 1789999999905}),
    ],
    [("delivery_reported", {"message_id": None, "watermark": 1789999999906, "recipient_id": USER})],
    [("delivery_reported", {"message_id": "m_22", "watermark": None})],
    unrecognised("delivery"),
    [("message_read", {"reader_id": USER, "message_id": None, "watermark": 1789999999935})],
    unrecognised("read"),
]

CONTROL: list[Row] = [
    [("channel_updated", {"subject": "policy_enforcement", "change": "warning", "metadata": {"reason": "Spam"}})],
    control("passed", new_owner_app_id=OWN_APP, previous_owner_app_id="263902037430900", metadata="back"),
    control("taken", previous_owner_app_id=OWN_APP),
    control("requested", requested_owner_app_id="123"),
    control("roles", **{OWN_APP: ["primary_receiver"]}),
    [("channel_updated", {"subject": "opt_in", "change": "given", "metadata": {"user_ref": "checkbox-1"}})],
]

STANDBY: list[Row] = [
    [("input_ignored", {"reason": "standby", "native_kind": "message", "metadata": {"message_id": "m_50"}})],
    [("input_ignored", {"reason": "standby", "native_kind": "postback", "metadata": {"message_id": "m_51"}})],
    # Another app answers in a thread that it holds: no person took over.
    [("input_ignored", {"reason": "standby", "native_kind": "message", "metadata": {"message_id": "m_52"}})],
    # Evidence of our own sending and reports about it count whoever holds the thread.
    echoed("m_53", True, tag="iris:part-9"),
    [("message_read", {"watermark": 1789999999935})],
]

ODD: list[Row] = [
    "message without sender",
    "reaction without sender",
    unrecognised("message"),
    unrecognised("message"),
    unrecognised("message_edit"),
    unrecognised("reaction"),
    [received("m_61", {"kind": "unsupported", "native_kind": "message"})],
    [received("m_62", text("both")), ("reaction_changed", {"message_id": "m_1", "emoji": "👍"})],
    "the event is str, not an object",
    "the event is int, not an object",
    "the event is NoneType, not an object",
    "the event is list, not an object",
]

CLOCKS: list[Row] = [
    [received(f"m_{number}", text(words))]
    for number, words in enumerate(["ms", "s", "s as text", "no clock", "absurd", "negative", "object"], 70)
]

BATCH: list[Row] = [
    [received("m_80", text("A1"))],
    [("message_received", {"message_id": "m_81", "sender_id": "7000000000000002"})],
    [received("m_80", text("A1"))],
    unrecognised("game_play"),
    "message without sender",
    [("input_ignored", {"reason": "standby"})],
    [received("m_84", text("A2"))],
    unrecognised("changes.feed"),
]

TABLE: dict[str, list[Row]] = {
    "messages": MESSAGES,
    "attachments": ATTACHMENTS,
    "echoes": ECHOES,
    "signals": SIGNALS,
    "receipts": RECEIPTS,
    "control": CONTROL,
    "standby": STANDBY,
    "changes": [unrecognised("changes.feed"), unrecognised("changes.unknown")],
    "unknown": [*[unrecognised("game_play")] * 2, unrecognised("item"), unrecognised("item")],
    "odd": ODD,
    "clocks": CLOCKS,
    "batch": BATCH,
}


@pytest.mark.parametrize("name", TABLE)
def test_each_item_becomes_the_events_of_its_row(name: str) -> None:
    inbox.assert_rows(accepted(payload(name)).records, TABLE[name])


def test_the_table_covers_every_payload() -> None:
    assert set(NAMES) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_ids_of_one_body_repeat_only_for_repeated_events(name: str) -> None:
    ids = [event.id for event in events_of(payload(name))]
    repeats = 1 if name == "batch" else 0
    assert len(ids) - len(set(ids)) == repeats
    assert ids == [event.id for event in events_of(payload(name))]


def test_the_envelope_names_conversation_times_and_turn() -> None:
    event = events_of(payload("messages"))[0]
    assert event.conversation_id == f"fb_main_{USER}"
    assert (event.platform, event.channel) == ("messenger", "main")
    assert (event.occurred_at, event.recorded_at) == (1789999999876, RECEIVED_AT)
    assert (event.correlation_id, event.causation_id) == (event.id, None)


def test_clocks_are_milliseconds_and_fall_back_to_the_entry() -> None:
    times = [event.occurred_at for event in events_of(payload("clocks"))]
    assert times == [1789999999876, 1789999999000, 1789999999000, *[1790000000123] * 4]


def test_events_without_a_person_belong_to_the_channel() -> None:
    events = [event for name in ("control", "changes", "unknown") for event in events_of(payload(name))]
    alone = [event for event in events if event.conversation_id == "fb_main_"]
    assert [event.type for event in alone] == [*["channel_updated"] * 3, *["unrecognised"] * 4]


def test_a_link_preview_stays_with_its_text() -> None:
    content = events_of(payload("messages"))[2].data.content
    assert [entity["type"] for entity in content.entities] == ["fallback"]


def test_without_an_app_id_only_mark_and_inbox_can_tell_an_echo() -> None:
    echoes = events_of(payload("echoes"), channel(app_id=""))
    assert [echo.data.is_ours for echo in echoes] == [True, None, True, False, None, None, True]
