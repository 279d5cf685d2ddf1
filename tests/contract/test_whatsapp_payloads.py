"""Every payload of ``tests/payloads/whatsapp`` becomes exactly the events of its row here.

A row has one entry per item of the body, in order: the item's events as (type, members of ``data``), or the reason why
it is a dead letter.
"""

from typing import Any

import pytest

from tests.contract.meta_kit import RECEIVED_AT
from tests.contract.whatsapp_kit import (
    NAMES,
    NUMBER,
    PHONE,
    USER,
    accepted,
    change,
    envelope,
    events_of,
    inbox,
    message,
    payload,
    status,
)

Row = str | list[tuple[str, dict[str, Any]]]

PART = "0b8f6a60-93a0-5c3e-9c2a-3d1c7d6f8a11"
WHOLE_DIGEST = bytes(range(32)).hex()


def text(words: str) -> dict[str, Any]:
    return {"kind": "text", "text": words}


def received(number: int, content: dict[str, Any], *, sender: str = USER, **more: Any) -> tuple[str, dict[str, Any]]:
    data = {"message_id": f"wamid.M{number:03d}", "sender_id": sender, "recipient_id": NUMBER, "content": content}
    return "message_received", data | more


def media(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "media_id": f"40000000000000{number}", **more}


def unsupported(kind: str) -> dict[str, Any]:
    return {"kind": "unsupported", "native_kind": kind}


def chosen(number: int, data: str, source: str, **more: Any) -> Row:
    content = {"kind": "choice", "data": data, "source": source, **more}
    return [("choice_made", {"message_id": f"wamid.M{number:03d}", "sender_id": USER, "content": content})]


def reported(status: str, id: str, **more: Any) -> Row:
    return [("delivery_reported", {"status": status, "message_id": f"wamid.OUT{id}", **more})]


def echoed(number: int, content: dict[str, Any]) -> Row:
    data = {"message_id": f"wamid.E{number}", "sender_id": NUMBER, "is_ours": False, "tag": None, "content": content}
    return [("message_echoed", data)]


def updated(subject: str, change: str, **metadata: Any) -> Row:
    return [("channel_updated", {"subject": subject, "change": change, "metadata": metadata})]


def moved(old: str, new: str, cause: str) -> Row:
    return [("identity_changed", {"old_identity": old, "new_identity": new, "cause": cause})]


def ignored(kind: str, number: int) -> Row:
    metadata = {"sender_id": USER, "message_id": f"wamid.M{number}"}
    return [("input_ignored", {"reason": "standby", "native_kind": kind, "metadata": metadata})]


def unrecognised(kind: str) -> Row:
    return [("unrecognised", {"native_kind": kind})]


MESSAGES: list[Row] = [
    [
        received(
            1,
            text("สวัสดีครับ 👋 <b>50%</b> a@b.co/x"),
            reply_to="wamid.OUT1",
            metadata={"name": "Ana", "username": "ana.example", "wa_id": PHONE},
        )
    ],
    [received(2, text("look"), is_forwarded=True, reply_to=None)],
    [received(3, text("everyone"), is_forwarded=True)],
    [received(4, text("this one?"), is_forwarded=False, metadata={"referred_product": {"catalog_id": "9"}})],
    [
        (
            "referral_received",
            {"ref": "ARclick", "source": "ad", "ad_id": "120000000001", "metadata": {"headline": "Tea"}},
        ),
        received(5, text("from the ad")),
    ],
    [
        ("referral_received", {"ref": None, "source": "post", "ad_id": None, "metadata": {"source_id": "77"}}),
        received(6, text("from the post")),
    ],
    [received(7, {"kind": "location", "latitude": 13.75, "longitude": 100.5, "name": "Shop", "address": "Main St 1"})],
    [
        received(
            8,
            {
                "kind": "contact",
                "name": "Bo Lee",
                "phones": ("+1 555 0124",),
                "emails": ("bo@example.com",),
                "user_id": "15550124",
            },
        ),
        received(8, {"kind": "contact", "name": "Cy", "vcard": "BEGIN:VCARD"}),
    ],
    [received(9, {"kind": "order", "catalog_id": "9", "text": "asap"})],
    [received(10, unsupported("poll"), metadata={"errors": [{"code": 131051, "title": "Message type unknown"}]})],
    [received(11, unsupported("unsupported"))],
]

MEDIA: list[Row] = [
    [
        received(
            21,
            media("image", 1, mime_type="image/jpeg", caption="Receipt", sha256=WHOLE_DIGEST)
            | {"url": "https://lookaside.example.com/1"},
        )
    ],
    [received(22, media("video", 2, mime_type="video/mp4", sha256=None, url=None))],
    [received(23, media("file", 3, file_name="i.pdf", caption="Invoice"))],
    [received(24, media("voice", 4, mime_type="audio/ogg; codecs=opus"))],
    [received(25, media("audio", 5, mime_type="audio/mpeg"))],
    [received(26, {"kind": "sticker", "sticker_id": "400000000000006"})],
]

TAPS: list[Row] = [
    chosen(31, "STOP_1", "button", title="Stop"),
    chosen(32, "Stop", "button", title="Stop"),
    chosen(33, "YES", "button", title="ใช่"),
    chosen(34, "ship_1", "list_reply", title="Express", values={"description": "1 day"}),
    chosen(35, "flow", "form", title="Sent", values={"flow_token": "ft1", "rating": "4"}),
    chosen(36, "nfm_reply", "form", values={"response_json": "no json"}),
    chosen(37, "call_permission_reply", "form", values={"response": "accept"}),
    unrecognised("interactive"),
    unrecognised("interactive"),
    unrecognised("button"),
]

AMENDMENTS: list[Row] = [
    [("reaction_changed", {"message_id": "wamid.OUT1", "sender_id": USER, "emoji": "❤️", "is_removed": False})],
    [("reaction_changed", {"message_id": "wamid.OUT1", "emoji": "", "is_removed": True})],
    [("reaction_changed", {"message_id": "wamid.OUT1", "emoji": "", "is_removed": True})],
    # Edits have no number: their time says which is the last.
    [("message_edited", {"message_id": "wamid.M001", "content": text("Hi!"), "revision": 1790000044, "metadata": {}})],
    [("message_edited", {"message_id": "wamid.M021", "content": media("image", 1, caption="New")})],
    [("message_deleted", {"message_id": "wamid.M001", "sender_id": USER, "metadata": {}})],
]

SYSTEM: list[Row] = [
    moved(PHONE, "15555550199", "user_changed_number"),
    moved(PHONE, "15555550199", "customer_changed_number"),
    moved(USER, "US.2", "user_changed_user_id"),
    updated("customer_identity", "changed", hash="h1"),
    unrecognised("system.user_grew_wings"),
    unrecognised("system.user_changed_number"),
    unrecognised("system.unknown"),
]

STATUSES: list[Row] = [
    reported("sent", "1", tag=f"iris:{PART}", recipient_id=USER, metadata={"pricing": {"category": "utility"}}),
    reported("delivered", "1", tag=f"iris:{PART}", metadata={"conversation": {"id": "c1"}}),
    reported("read", "1", tag=f"iris:{PART}#1"),
    reported("played", "1", tag=None),
    [
        (
            "delivery_reported",
            {"status": "failed", "message_id": "wamid.OUT2", "tag": f"iris:{PART}", "recipient_id": USER},
        )
    ],
    reported("delivered", "3", tag="job-42"),
    reported("read", "4", recipient_id="US.7", metadata={"recipient_type": "group"}),
    reported("read", "4", recipient_id="15555550777"),
    unrecognised("status.deleted"),
    unrecognised("status.warning"),
]

IDENTITIES: list[Row] = [
    [received(91, text("only a BSUID"), sender="US.7", metadata={"name": "Bo"})],
    [received(92, text("phone on the message"))],
    [received(93, text("second contact"), sender="US.7")],
    [received(94, text("phone only"), sender=PHONE, metadata={"wa_id": PHONE})],
    [received(95, text("nothing on the message"), sender="US.7")],
    [received(96, text("another's contact"), sender=PHONE)],
    [received(97, text("in a group"), metadata={"group_id": "GROUP1"})],
]

ECHOES: list[Row] = [
    echoed(111, text("typed on the phone")),
    echoed(112, media("image", 7)),
    echoed(113, unsupported("hologram")),
    [("message_edited", {"message_id": "wamid.E111", "content": text("corrected"), "metadata": {"is_echo": True}})],
    [("message_deleted", {"message_id": "wamid.E111", "sender_id": NUMBER, "metadata": {"is_echo": True}})],
    [("reaction_changed", {"message_id": "wamid.M001", "sender_id": NUMBER, "emoji": "👍"})],
    "text without recipient",
    unrecognised("message_echo"),
]

STANDBY: list[Row] = [
    ignored("text", 121),
    ignored("interactive", 122),
    # Facts about people and about what we sent count whoever holds the thread.
    moved(USER, "US.2", "user_changed_user_id"),
    reported("delivered", "1"),
    updated("messaging_handovers", "taken", to_app="meta_business_agent"),
]

ACCOUNT: list[Row] = [
    updated("account_update", "VERIFIED_ACCOUNT"),
    updated("account_alerts", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED", entity_type="BUSINESS"),
    updated("phone_number_quality_update", "FLAGGED", current_limit="TIER_2K"),
    updated("phone_number_name_update", "APPROVED"),
    updated("message_template_status_update", "APPROVED", message_template_name="order_update"),
    updated("message_template_quality_update", "YELLOW"),
    updated("template_category_update", "MARKETING"),
    updated("business_capability_update", "updated", max_daily_conversation_per_phone=1000),
    updated("group_lifecycle_update", "group_create", group_id="GROUP1"),
    updated("opt_in", "stop", category="marketing_messages"),
    updated("error", "130429", title="Rate limit hit"),
    updated("error", "unknown"),
]

UNKNOWN: list[Row] = [
    unrecognised("changes.history"),
    unrecognised("changes.never_seen"),
    unrecognised("changes.messages"),
    [received(141, text("beside it"))],
    unrecognised("request_welcome"),
    unrecognised("user_actions"),
    unrecognised("changes.account_update"),
    unrecognised("changes.messages"),
    unrecognised("changes.unknown"),
    "the change event is int, not an object",
]

ODD: list[Row] = [
    [received(151, text("no sender"), sender="15550000000")],
    unrecognised("text"),
    [received(153, unsupported("text"))],
    [received(154, unsupported("image"))],
    [received(155, unsupported("location"))],
    [received(156, unsupported("contacts"))],
    [received(157, unsupported("order"))],
    unrecognised("reaction"),
    unrecognised("edit"),
    unrecognised("revoke"),
    [("message_edited", {"message_id": "wamid.M001", "content": unsupported("hologram")})],
    [received(162, unsupported("text"))],
    unrecognised("message"),
    "the messages event is str, not an object",
    "the messages event is str, not an object",
    "the messages event is int, not an object",
    "the messages event is NoneType, not an object",
    "the messages event is list, not an object",
]

MIXED: list[Row] = [
    [received(181, text("A1"))],
    [received(182, text("A2"))],
    reported("sent", "1"),
    reported("delivered", "1"),
    updated("error", "131000"),
    updated("account_update", "VERIFIED_ACCOUNT"),
    [received(186, text("B1"), sender="US.7")],
    unrecognised("entry"),
]

CLOCKS: list[Row] = [
    [received(number, text(words))]
    for number, words in enumerate(["s as text", "s", "no clock", "absurd", "words"], 201)
]

TABLE: dict[str, list[Row]] = {
    "messages": MESSAGES,
    "media": MEDIA,
    "taps": TAPS,
    "amendments": AMENDMENTS,
    "system": SYSTEM,
    "statuses": STATUSES,
    "nobody": [
        reported("failed", "7", recipient_id=PHONE, tag=None),
        reported("failed", "8", recipient_id=None, tag=None),
    ],
    "identities": IDENTITIES,
    "echoes": ECHOES,
    "standby": STANDBY,
    "account": ACCOUNT,
    "unknown": UNKNOWN,
    "odd": ODD,
    "senderless": ["text without sender"],
    "mixed": MIXED,
    "clocks": CLOCKS,
}


@pytest.mark.parametrize("name", TABLE)
def test_each_item_becomes_the_events_of_its_row(name: str) -> None:
    inbox.assert_rows(accepted(payload(name)).records, TABLE[name])


def test_the_table_covers_every_payload() -> None:
    assert set(NAMES) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_the_same_bytes_give_the_same_ids_and_different_facts_different_ones(name: str) -> None:
    ids = [event.id for event in events_of(payload(name))]
    assert len(ids) == len(set(ids))
    assert ids == [event.id for event in events_of(payload(name))]


def test_the_envelope_names_conversation_times_and_turn() -> None:
    event = events_of(payload("messages"))[0]
    assert event.conversation_id == f"wa_main_{USER}"
    assert (event.platform, event.channel) == ("whatsapp", "main")
    assert (event.occurred_at, event.recorded_at) == (1_790_000_001_000, RECEIVED_AT)
    assert (event.correlation_id, event.causation_id) == (event.id, None)


def test_clocks_are_seconds_and_fall_back_to_the_time_of_receipt() -> None:
    times = [event.occurred_at for event in events_of(payload("clocks"))]
    assert times == [1_790_000_201_000, 1_790_000_202_000, *[RECEIVED_AT] * 3]


def test_news_of_the_account_has_the_entrys_time_and_belongs_to_the_channel() -> None:
    event = events_of(payload("account"))[0]
    assert (event.conversation_id, event.occurred_at) == ("wa_main_", 1_790_000_130_000)


def test_equal_news_at_another_time_is_other_news() -> None:
    first = events_of(payload("account"))[0]
    later = events_of(payload("account").replace(b'"time":1790000130', b'"time":1790000999'))[0]
    assert first.data == later.data
    assert first.id != later.id


@pytest.mark.parametrize(
    ("name", "conversations"),
    [
        ("identities", ["US.7", USER, "US.7", PHONE, "US.7", PHONE, "GROUP1"]),
        # An identity that changed is told in the conversation that has the old one.
        ("system", [PHONE, PHONE, USER, USER, USER, USER, USER]),
        # What we sent along leads back to the conversation, also where the report knows a phone number only.
        ("statuses", [*[USER] * 6, "GROUP1", "GROUP1", USER, USER]),
        ("nobody", [PHONE, ""]),
        ("echoes", [USER, PHONE, USER, USER, USER, USER, "", USER]),
        ("account", [*[""] * 8, "GROUP1", USER, "", ""]),
    ],
)
def test_each_item_goes_to_the_conversation_of_its_person(name: str, conversations: list[str]) -> None:
    assert [record.peer for record in accepted(payload(name)).records] == conversations


def test_message_with_both_ids_names_the_phone_number_as_an_alias_but_not_in_a_group() -> None:
    both = {"from": PHONE, "from_user_id": USER}
    for items, aliases in (
        ([message() | both], [PHONE]),
        ([message() | both | {"group_id": "GROUP1"}], None),
        ([message()], None),
        ([{name: value for name, value in message().items() if name != "from_user_id"} | {"from": PHONE}], None),
    ):
        (event,) = events_of(envelope(change(messages=items)))
        assert event.data.metadata.get("aliases") == aliases


def test_only_facts_about_a_conversation_itself_stay_with_it_when_it_has_moved() -> None:
    """A report that says what we sent along, and the person's new user id; all else follows the person."""
    fixed = {
        name: [record.is_fixed for record in accepted(payload(name)).records]
        for name in ("statuses", "system", "nobody", "messages")
    }
    assert fixed["system"] == [False, False, True, False, False, False, False]
    assert fixed["statuses"][0]
    assert not any((*fixed["nobody"], *fixed["messages"]))


def test_four_statuses_of_one_message_in_one_body_are_four_facts() -> None:
    told = ["sent", "delivered", "read", "failed"]
    body = envelope(change(statuses=[status(state, recipient_user_id=USER) for state in told]))
    events = events_of(body)
    assert [event.data.status for event in events] == told
    assert len({event.id for event in events}) == 4
    assert {event.data.message_id for event in events} == {"wamid.9"}
