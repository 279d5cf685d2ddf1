"""Every payload of ``tests/payloads/instagram`` becomes exactly the events of its row here.

A row has one entry per item of the body, in order: the item's events as (type, members of ``data``), or the reason why
it is a dead letter.
"""

from typing import Any

import pytest

from tests.contract.instagram_kit import (
    ACCOUNT,
    NAMES,
    OWN_APP,
    SECOND_ACCOUNT,
    USER,
    accepted,
    channel,
    events_of,
    inbox,
    payload,
)
from tests.contract.meta_kit import RECEIVED_AT

Row = str | list[tuple[str, dict[str, Any]]]

CDN = "https://cdn.example.com/"


def text(words: str) -> dict[str, Any]:
    return {"kind": "text", "text": words}


def received(mid: str, content: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
    data = {"message_id": mid, "sender_id": USER, "recipient_id": ACCOUNT, "content": content, **more}
    return "message_received", data


def media(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "url": f"{CDN}{name}"}


def share(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "share", "share_type": kind, "url": f"{CDN}{name}", **more}


def story_reply(words: str | None) -> dict[str, Any]:
    story = {"story_id": "18000000000000001", "url": f"{CDN}story"}
    return {"kind": "story", "relation": "reply", "text": words, **story}


def unsupported(kind: str) -> dict[str, Any]:
    return {"kind": "unsupported", "native_kind": kind}


def echoed(mid: str, is_ours: bool | None, **more: Any) -> tuple[str, dict[str, Any]]:
    return "message_echoed", {
        "message_id": mid,
        "sender_id": ACCOUNT,
        "recipient_id": USER,
        "is_ours": is_ours,
        **more,
    }


def unrecognised(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [("unrecognised", {"native_kind": kind})]


def ignored(reason: str, kind: str, **metadata: str) -> list[tuple[str, dict[str, Any]]]:
    return [("input_ignored", {"reason": reason, "native_kind": kind, "metadata": metadata})]


MESSAGES: list[Row] = [
    [received("aWdf1", text("สวัสดีครับ 👋 <b>50%</b> a@b.co/x"))],
    [
        (
            "choice_made",
            {
                "message_id": "aWdf2",
                "sender_id": USER,
                "content": {"kind": "choice", "data": "COLOR_GREEN", "title": "Green", "source": "quick_reply"},
            },
        )
    ],
    [received("aWdf3", text("that one"), reply_to="aWdf1")],
    [received("aWdf4", story_reply("Nice story"), reply_to=None)],
    # The story that was answered with a picture, and the picture.
    [received("aWdf5", story_reply(None)), received("aWdf5", media("image", "a.gif"))],
    [
        ("referral_received", {"ref": "summer", "source": "ADS", "ad_id": "6045246247433"}),
        received("aWdf6", text("hi")),
    ],
    [received("aWdf7", unsupported("message"))],
]

ATTACHMENTS: list[Row] = [
    [received("aWdf10", media("image", "a.jpg?sig=x"))],
    [received("aWdf11", media("video", "b.mp4"))],
    [received("aWdf12", media("audio", "c.m4a"))],
    [received("aWdf13", media("file", "d.pdf"))],
    [
        received("aWdf14", text("look")),
        received("aWdf14", media("image", "1.jpg")),
        received("aWdf14", media("image", "2.jpg")),
    ],
    [received("aWdf15", {"kind": "story", "relation": "mention", "url": f"{CDN}mention", "text": None})],
    [received("aWdf16", share("share", "s"))],
    [received("aWdf17", share("ig_post", "p", title="Tea", share_id="17900000000000001"))],
    [received("aWdf18", share("ig_reel", "r", title="Reel", share_id="17900000000000002"))],
    [received("aWdf19", share("reel", "r2"))],
    [received("aWdf20", share("story", "st"))],
    [received("aWdf21", share("ig_story", "st2"))],
    [received("aWdf22", share("media", "m"))],
    # A disappearing picture has no link; a mention without its story says nothing that could be shown.
    [
        received("aWdf23", unsupported("ephemeral")),
        received("aWdf23", unsupported("story_mention")),
        received("aWdf23", unsupported("hologram")),
    ],
]

ECHOES: list[Row] = [
    [echoed("aWdf30", True, tag="iris:part-1", content=text("Hi"))],
    [echoed("aWdf31", None, tag=None, app_id=None, content=text("typed in the app"))],
    [echoed("aWdf32", True, app_id=OWN_APP)],
    [echoed("aWdf33", False, app_id="111111111111111")],
    [
        echoed("aWdf34", True, tag="iris:part-2", content=media("image", "1.jpg")),
        echoed("aWdf34", True, tag="iris:part-2", content=media("image", "2.jpg")),
    ],
    # The business takes its own message back: the echo of an unsend is no second message.
    [("message_deleted", {"message_id": "aWdf31", "sender_id": ACCOUNT})],
    [echoed("aWdf35", None, content=story_reply("thanks for the tag"))],
]

SIGNALS: list[Row] = [
    [("choice_made", {"message_id": "aWdf40", "content": {"data": "GET_STARTED", "title": "Start"}})],
    [("reaction_changed", {"message_id": "aWdf30", "sender_id": USER, "emoji": "❤️", "is_removed": False})],
    [("reaction_changed", {"message_id": "aWdf30", "emoji": "🔥", "metadata": {"reaction": "other"}})],
    [("reaction_changed", {"message_id": "aWdf30", "emoji": "", "is_removed": True})],
    [("message_edited", {"message_id": "aWdf1", "content": text("Hello!"), "revision": 1})],
    [("message_deleted", {"message_id": "aWdf1", "sender_id": USER})],
    [("referral_received", {"ref": "bio", "source": "IGME-SOURCE-LINK", "metadata": {"type": "OPEN_THREAD"}})],
]

READS: list[Row] = [
    [("message_read", {"reader_id": USER, "message_id": "aWdf30", "watermark": None})],
    [("message_read", {"reader_id": USER, "message_id": "aWdf31", "watermark": None})],
    unrecognised("read"),
]

SELF: list[Row] = [
    ignored("self", "message", message_id="aWdf50"),
    ignored("self", "message", message_id="aWdf50"),
    ignored("self", "message", message_id="aWdf51"),
    ignored("self", "reaction", message_id="aWdf51"),
]

STANDBY: list[Row] = [
    ignored("standby", "message", message_id="aWdf60"),
    ignored("standby", "message", message_id="aWdf61"),
    ignored("standby", "message", message_id="aWdf62"),
    [echoed("aWdf63", True, tag="iris:part-9")],
    [("message_read", {"message_id": "aWdf63"})],
    [("channel_updated", {"subject": "thread_control", "change": "passed"})],
]

ODD: list[Row] = [
    "message without sender",
    unrecognised("message"),
    unrecognised("message"),
    [received("aWdf71", story_reply("both ids"), reply_to="aWdf1")],
    [received("aWdf72", text("strange story"))],
    [received("aWdf73", {"kind": "story", "story_id": None, "url": None, "text": "empty story"})],
    unrecognised("message_edit"),
    unrecognised("reaction"),
    unrecognised("novelty"),
    "the event is str, not an object",
    "the event is NoneType, not an object",
]

BATCH: list[Row] = [
    [received("aWdf80", text("A1"))],
    [("message_received", {"message_id": "aWdf81", "sender_id": "8000000000000002"})],
    [received("aWdf80", text("A1"))],
    [("message_read", {"message_id": "aWdf30"})],
    [("message_received", {"message_id": "aWdf82", "recipient_id": SECOND_ACCOUNT})],
    ignored("standby", "message", message_id="aWdf83"),
    [received("aWdf84", text("A2"))],
    unrecognised("changes.comments"),
]

TABLE: dict[str, list[Row]] = {
    "messages": MESSAGES,
    "attachments": ATTACHMENTS,
    "echoes": ECHOES,
    "signals": SIGNALS,
    "reads": READS,
    "self": SELF,
    "standby": STANDBY,
    "changes": [unrecognised("changes.comments"), unrecognised("changes.mentions")],
    # Before Graph v24 a change stood on the entry itself.
    "entries": [unrecognised("changes.comments"), unrecognised("entry")],
    "odd": ODD,
    "batch": BATCH,
}

BOTH = (channel(), channel("second", account=SECOND_ACCOUNT))


@pytest.mark.parametrize("name", TABLE)
def test_each_item_becomes_the_events_of_its_row(name: str) -> None:
    inbox.assert_rows(accepted(payload(name), *BOTH).records, TABLE[name])


def test_the_table_covers_every_payload() -> None:
    assert set(NAMES) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_ids_of_one_body_repeat_only_for_repeated_events(name: str) -> None:
    ids = [event.id for event in events_of(payload(name), *BOTH)]
    assert len(ids) - len(set(ids)) == (1 if name == "batch" else 0)
    assert ids == [event.id for event in events_of(payload(name), *BOTH)]


def test_an_unsend_has_another_id_than_the_message_whose_mid_it_bears() -> None:
    said = events_of(payload("messages"))[0]
    unsent = next(event for event in events_of(payload("signals")) if event.type == "message_deleted")
    assert unsent.data.message_id == said.data.message_id
    assert unsent.id != said.id


def test_a_reaction_that_is_set_again_later_is_a_new_event() -> None:
    body = payload("signals")
    later = body.replace(b"1789999999876", b"1789999999999")
    set_at = [event.id for one in (body, later) for event in events_of(one) if event.type == "reaction_changed"]
    assert len(set(set_at)) == 6


def test_the_envelope_names_conversation_times_and_turn() -> None:
    event = events_of(payload("messages"))[0]
    assert event.conversation_id == f"ig_main_{USER}"
    assert (event.platform, event.channel) == ("instagram", "main")
    assert (event.occurred_at, event.recorded_at) == (1789999999876, RECEIVED_AT)
    assert (event.correlation_id, event.causation_id) == (event.id, None)


def test_what_the_account_says_belongs_to_the_persons_conversation() -> None:
    assert {event.conversation_id for event in events_of(payload("echoes"))} == {f"ig_main_{USER}"}


def test_comments_and_mentions_belong_to_the_channel() -> None:
    events = [event for name in ("changes", "entries") for event in events_of(payload(name))]
    assert {event.conversation_id for event in events} == {"ig_main_"}
