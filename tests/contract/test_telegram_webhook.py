"""Telegram inbound: only who knows the secret gets in, every update becomes one record, every record its events."""

import json
from typing import Any

import pytest

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, Unprocessable, WebhookRequest
from connectors.telegram import PLATFORM
from connectors.telegram.update import KINDS
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.registry import encode
from tests.contract.telegram_cases import CHANNEL, SECRET, TOKEN, body_of, payload_cases, raw_of, record_of

HEADER = "x-telegram-bot-api-secret-token"
CASES = payload_cases()
UPDATE = dict(CASES)["messages: plain text"]["body"]


def request(body: bytes = b"{}", *, method: str = "POST", secret: str | None = SECRET) -> WebhookRequest:
    return WebhookRequest(method, {} if secret is None else {HEADER: secret}, {}, body)


def events_of(body: bytes) -> tuple[AnyEvent, ...]:
    found = PLATFORM.normalise(raw_of(record_of(body)))
    assert not isinstance(found, Unprocessable), found.reason
    return found


# Who is let in.


@pytest.mark.parametrize("secret", [SECRET, "older"])
def test_every_configured_secret_opens(secret: str) -> None:
    accepted = PLATFORM.accept(request(body_of(UPDATE), secret=secret), CHANNEL, [CHANNEL])
    assert isinstance(accepted, Accepted)
    assert len(accepted.records) == 1


@pytest.mark.parametrize(
    ("secret", "status"),
    [(None, 401), ("", 403), ("wrong", 403), (SECRET[:-1], 403), (SECRET + " ", 403), ("gehéim", 403), ("\udcff", 403)],
)
def test_a_wrong_secret_stores_nothing(secret: str | None, status: int) -> None:
    with pytest.raises(WebhookRejected) as rejected:
        PLATFORM.accept(request(body_of(UPDATE), secret=secret), CHANNEL, [CHANNEL])
    assert rejected.value.status == status


def test_an_empty_configured_secret_opens_nothing() -> None:
    careless = Channel("main", "telegram", {"secret_token": ("",)})
    with pytest.raises(WebhookRejected):
        PLATFORM.accept(request(secret=""), careless, [careless])


def test_the_secret_of_another_channel_does_not_open_this_one() -> None:
    other = Channel("other", "telegram", {"secret_token": ("theirs",)})
    with pytest.raises(WebhookRejected):
        PLATFORM.accept(request(secret="theirs"), CHANNEL, [CHANNEL, other])


def test_there_is_no_handshake() -> None:
    with pytest.raises(WebhookRejected) as rejected:
        PLATFORM.accept(request(method="GET"), CHANNEL, [CHANNEL])
    assert rejected.value.status == 405


def test_the_secret_is_asked_before_the_body_is_read() -> None:
    with pytest.raises(WebhookRejected) as rejected:
        PLATFORM.accept(request(b"not JSON", secret="wrong"), CHANNEL, [CHANNEL])
    assert rejected.value.status == 403


# What is stored.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"update_id":1}x',
        b"\xff\xfe",
        b'{"a":NaN}',
        b"<xml/>",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_not_json_is_refused_as_bad_request(body: bytes) -> None:
    with pytest.raises(WebhookRejected) as rejected:
        PLATFORM.accept(request(body), CHANNEL, [CHANNEL])
    assert rejected.value.status == 400


@pytest.mark.parametrize("body", [b"[]", b'[{"update_id":1}]', b"5", b'"text"', b"null", b'{"update_id":1e999}'])
def test_json_that_is_no_update_is_kept_whole_and_becomes_a_dead_letter(body: bytes) -> None:
    record = record_of(body)
    assert record.peer == ""
    raw = raw_of(record)
    assert raw.body is not None
    assert isinstance(PLATFORM.normalise(raw), Unprocessable)


def test_the_record_holds_the_update_byte_for_byte() -> None:
    body = b'{ "update_id" : 1, "zzz":"\\u00e4\\/",  "n": 1.0 }'
    assert body in record_of(body).value


def test_half_a_surrogate_pair_does_not_cost_the_message() -> None:
    body = body_of(UPDATE).replace(b'"Hello"', b'"cut \\ud83d"')
    (event,) = events_of(body)
    assert event.data.content.text == "cut \ufffd"


def test_records_name_the_bot_but_never_its_token() -> None:
    assert raw_of(record_of(body_of(UPDATE))).enclosing == {"bot_id": TOKEN.partition(":")[0]}


@pytest.mark.parametrize("token", ["token-without-a-colon", "70000000100001", "secret:half", ":x", "٣:x", ""])
def test_a_token_of_another_form_is_not_taken_for_a_bot(token: str) -> None:
    odd = Channel("main", "telegram", {"bot_token": (token,)})
    (record,) = PLATFORM.split(body_of(UPDATE), odd, [odd]).records
    assert raw_of(record).enclosing == {}


# What it means.


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_an_update_becomes_its_events(case: dict[str, Any]) -> None:
    record = record_of(body_of(case["body"]))
    assert record.peer == case["peer"]
    found = PLATFORM.normalise(raw_of(record))
    if isinstance(found, Unprocessable):
        assert found.reason == case["dead_letter"]
        return
    events = [json.loads(encode(event)) for event in found]
    told = [{name: event[name] for name in ("type", "occurred_at", "data")} for event in events]
    assert told == case["events"]
    for event in events:
        assert event["conversation_id"] == f"tg_main_{case['peer']}"
        assert event["correlation_id"] == event["id"]
        assert event["recorded_at"] == "2026-09-21T14:15:00.555Z"
    assert len({event["id"] for event in events}) == len(events)


def test_every_kind_of_update_has_a_case() -> None:
    covered = {name for _, case in CASES for name in case["body"]}
    assert covered >= KINDS


def test_the_same_bytes_have_the_same_ids_and_another_number_others() -> None:
    again = {**UPDATE, "update_id": UPDATE["update_id"] + 1}
    ids = [[event.id for event in events_of(body_of(update))] for update in (UPDATE, UPDATE, again)]
    assert ids[0] == ids[1] != ids[2]


def test_numbers_that_start_again_do_not_make_two_messages_one() -> None:
    later = {"update_id": UPDATE["update_id"], "message": {**UPDATE["message"], "message_id": 999}}
    assert events_of(body_of(UPDATE))[0].id != events_of(body_of(later))[0].id


def test_chats_that_share_an_id_stay_apart_by_their_business_connection() -> None:
    customer = {"update_id": 1, "business_message": {**UPDATE["message"], "business_connection_id": "BC1"}}
    assert record_of(body_of(UPDATE)).peer != record_of(body_of(customer)).peer


# Hostile input.


@pytest.mark.parametrize("depth", [300, 1000])
@pytest.mark.parametrize("name", ["pinned_message", "entities", "rich_message"])
def test_a_record_of_any_depth_is_no_crash(depth: int, name: str) -> None:
    nested: Any = []
    for _ in range(depth):
        nested = [nested]
    event = {"message": {**UPDATE["message"], name: [{"deep": nested}]}}
    raw = RawEvent(platform="telegram", channel="main", peer="1", received_at=1, enclosing={}, event=event, body=None)
    assert isinstance(PLATFORM.normalise(raw), Unprocessable)


def test_both_chats_of_a_migration_tell_one_fact_of_the_one_that_was() -> None:
    old, new = {"id": -5000, "type": "group"}, {"id": -1_000_000_005_000, "type": "supergroup"}
    told = [
        {"message_id": 11, "date": 1_790_000_000, "chat": old, "migrate_to_chat_id": new["id"]},
        {"message_id": 1, "date": 1_790_000_000, "chat": new, "migrate_from_chat_id": old["id"]},
    ]
    bodies = [body_of({"update_id": number, "message": message}) for number, message in enumerate(told, 1)]
    assert [(record.peer, record.is_fixed) for record in map(record_of, bodies)] == [("-5000", True)] * 2
    (first,), (second,) = map(events_of, bodies)
    assert (first.id, first.conversation_id) == (second.id, "tg_main_-5000")
    assert (second.data.old_identity, second.data.new_identity) == ("-5000", "-1000000005000")


BOT = {"id": 700000001, "is_bot": True, "first_name": "Bot", "username": "shop_bot"}


def entity(kind: str, words: str, before: str = "", **more: Any) -> dict[str, Any]:
    """The entity that covers ``words`` after ``before``; places are counted in UTF-16 units."""
    return {"type": kind, "offset": len(before.encode("utf-16-le")) // 2, "length": len(words), **more}


@pytest.mark.parametrize(
    ("message", "is_addressed"),
    [
        ({"text": "lunch?"}, False),
        ({"text": "/menu", "entities": [entity("bot_command", "/menu")]}, True),
        ({"text": "/menu@shop_bot", "entities": [entity("bot_command", "/menu@shop_bot")]}, True),
        ({"text": "/menu@other_bot", "entities": [entity("bot_command", "/menu@other_bot")]}, False),
        ({"text": "👋🏽 @Shop_Bot", "entities": [entity("mention", "@Shop_Bot", "👋🏽 ")]}, True),
        ({"text": "@ana", "entities": [entity("mention", "@ana")]}, False),
        ({"text": "Bot", "entities": [entity("text_mention", "Bot", user=BOT)]}, True),
        (
            {"photo": [{"file_id": "f"}], "caption": "@shop_bot", "caption_entities": [entity("mention", "@shop_bot")]},
            True,
        ),
        ({"text": "yes", "reply_to_message": {"message_id": 1, "from": BOT}}, True),
        ({"text": "yes", "reply_to_message": {"message_id": 1, "from": {"id": 5, "is_bot": False}}}, False),
        ({"text": "yes", "reply_to_message": {"message_id": 1, "from": {"id": 5, "is_bot": True}}}, False),
    ],
)
def test_in_a_group_only_what_is_meant_for_the_bot_asks_it(message: dict[str, Any], is_addressed: bool) -> None:
    named = Channel("main", "telegram", {**CHANNEL.values, "bot_username": ("@shop_bot",)})
    for chat, expected in (({"id": -5, "type": "group"}, is_addressed), ({"id": 5, "type": "private"}, True)):
        whole = {"message_id": 9, "date": 1_790_000_000, "chat": chat, "from": {"id": 5, "is_bot": False}, **message}
        (record,) = PLATFORM.split(body_of({"update_id": 1, "message": whole}), named, [named]).records
        made = PLATFORM.normalise(raw_of(record))
        assert not isinstance(made, Unprocessable)
        assert made[0].data.metadata.get("is_addressed", True) is expected
