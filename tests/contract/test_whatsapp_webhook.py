"""WhatsApp's intake: who is let in, which channel gets what, and that nothing of an authentic body is lost."""

import json
import sys
from subprocess import run
from typing import Any

import pytest

from connectors.errors import WebhookRejected
from connectors.interface import Channel, Unprocessable
from connectors.shared.splitting import MAX_DEPTH
from connectors.whatsapp import PLATFORM
from connectors.whatsapp.api import OPAQUE_MAX
from connectors.whatsapp.peers import contact_of, opaque_of, peer_of, read_opaque
from schemas.inbound import RawEvent
from tests.contract.meta_kit import RECEIVED_AT
from tests.contract.whatsapp_kit import (
    ACCOUNT,
    NAMES,
    NUMBER,
    PHONE,
    USER,
    accepted,
    change,
    channel,
    envelope,
    events_of,
    message,
    payload,
    read,
    status,
)

# Which channel gets what.


def numbers_body(*numbers: str) -> bytes:
    """Two messages for each number, all in one entry: one business account has them."""
    return envelope(
        *(
            change(number=number, messages=[message(id=f"wamid.{number}.{n}") for n in range(2)], contacts=[])
            for number in numbers
        )
    )


def test_each_number_of_an_app_goes_to_its_own_channel() -> None:
    shop, cafe = channel("shop", number="1"), channel("cafe", number="2")
    result = accepted(numbers_body("2", "1"), shop, cafe)
    assert [(record.channel, record.peer) for record in result.records] == [
        *[("cafe", USER)] * 2,
        *[("shop", USER)] * 2,
    ]
    assert result.refused == 0
    assert {event.conversation_id for event in events_of(numbers_body("2", "1"), shop, cafe)} == {
        f"wa_cafe_{USER}",
        f"wa_shop_{USER}",
    }


def test_a_number_that_nobody_owns_is_refused_alone_and_counted() -> None:
    result = accepted(numbers_body("9", "1", "8"), channel("shop", number="1"))
    assert [record.channel for record in result.records] == ["shop", "shop"]
    assert result.refused == 2


def test_a_number_of_another_app_is_nobodys_even_on_this_url() -> None:
    shop, stranger = channel("shop", number="1"), channel("other", number="2", secrets=("other-secret",))
    result = accepted(numbers_body("1", "2"), shop, stranger)
    assert [record.channel for record in result.records] == ["shop", "shop"]
    assert result.refused == 1


@pytest.mark.parametrize(
    ("accounts", "owner"),
    [
        ((ACCOUNT, "2"), "shop"),
        (("2", ACCOUNT), "cafe"),
        # Without an account of its own the URL's channel takes what is nobody else's.
        (("", ACCOUNT), "cafe"),
        (("", ""), "shop"),
        (("2", "3"), None),
    ],
)
def test_news_without_a_number_goes_to_the_channel_of_its_account(accounts: tuple[str, str], owner: str | None) -> None:
    known = [channel(id, account=account) for id, account in zip(("shop", "cafe"), accounts, strict=True)]
    result = accepted(envelope({"field": "account_update", "value": {"event": "X"}}), *known)
    assert [record.channel for record in result.records] == ([owner] if owner else [])
    assert result.refused == (owner is None)


def test_messages_without_a_number_reach_no_conversation_and_are_kept() -> None:
    body = envelope({"field": "messages", "value": {"messages": [message()]}})
    assert [(record.channel, record.peer) for record in accepted(body).records] == [("main", "")]
    assert [event.type for event in events_of(body)] == ["unrecognised"]


def test_the_dashboards_sample_is_nobodys() -> None:
    sample = envelope(change(number="123456123", messages=[message()]), account="0")
    assert (accepted(sample).records, accepted(sample).refused) == ((), 1)


def test_inspecting_needs_no_credentials() -> None:
    bare = Channel("main", "whatsapp", {})
    result = PLATFORM.split(payload("mixed"), bare, (bare,))
    assert (len(result.records), result.refused) == (9, 0)


# Where a report belongs.


@pytest.mark.parametrize("peer", [USER, PHONE, "Y2FwaV9ncm91cDo="])
def test_what_is_sent_along_leads_back_to_part_and_conversation(peer: str) -> None:
    opaque = opaque_of("part-1#2", peer)
    assert read_opaque(opaque) == ("iris:part-1#2", peer)
    assert peer_of("statuses", {"biz_opaque_callback_data": opaque, "recipient_user_id": "US.9"}, {}) == peer


@pytest.mark.parametrize(("length", "has_peer"), [(OPAQUE_MAX, True), (OPAQUE_MAX + 1, False)])
def test_what_is_sent_along_never_exceeds_its_limit(length: int, has_peer: bool) -> None:
    peer = "7" * (length - len("iris:part-1:"))
    opaque = opaque_of("part-1", peer)
    assert len(opaque) <= OPAQUE_MAX
    assert read_opaque(opaque) == ("iris:part-1", peer if has_peer else "")


@pytest.mark.parametrize(
    ("report", "peer"),
    [
        ({"recipient_user_id": "US.1", "recipient_id": "155"}, "US.1"),
        ({"recipient_id": "155"}, "155"),
        ({"recipient_id": "155", "biz_opaque_callback_data": "job-42"}, "155"),
        ({"recipient_id": "155", "biz_opaque_callback_data": "iris:part-1"}, "155"),
        ({"recipient_id": "G", "recipient_type": "group", "recipient_participant_user_id": "US.1"}, "G"),
        ({}, ""),
    ],
)
def test_a_report_without_our_mark_goes_by_identity(report: dict[str, Any], peer: str) -> None:
    assert [record.peer for record in accepted(envelope(change(statuses=[status(**report)]))).records] == [peer]


def test_a_report_known_by_phone_finds_the_user_id_in_its_contact() -> None:
    contacts = [{"wa_id": "1"}, {"wa_id": PHONE, "user_id": USER}]
    body = envelope(change(contacts=contacts, statuses=[status(recipient_id=PHONE)]))
    assert [record.peer for record in accepted(body).records] == [USER]


@pytest.mark.parametrize(
    ("item", "contacts", "found"),
    [
        ({"from_user_id": "US.1"}, [{"user_id": "US.2"}, {"user_id": "US.1"}], 1),
        ({"from": "155"}, [{"wa_id": "155", "user_id": "US.1"}], 0),
        ({"from": "155"}, [{"user_id": "US.1"}], 0),
        ({}, [{"user_id": "US.1"}], 0),
        ({}, [{"user_id": "US.1"}, {"user_id": "US.2"}], None),
        ({"from": "155"}, [{"wa_id": "156", "user_id": "US.1"}], None),
        ({"from_user_id": "US.1"}, [{"wa_id": "155", "user_id": "US.2"}], None),
        ({"from": "155"}, [], None),
    ],
)
def test_a_contact_is_the_one_with_the_items_id_or_the_only_one(
    item: dict[str, Any], contacts: list[dict[str, Any]], found: int | None
) -> None:
    assert contact_of("messages", item, contacts) == ({} if found is None else contacts[found])


@pytest.mark.parametrize("strange", [True, {}, [], "7" * 5000, -1, 1.5])
def test_a_strange_id_names_nobody(strange: Any) -> None:
    body = envelope(change(messages=[message() | {"from_user_id": strange}]))
    assert [record.peer for record in accepted(body).records] == [""]


# Nothing is lost.


@pytest.mark.parametrize("name", NAMES)
def test_a_record_holds_the_bytes_of_its_event_as_they_came(name: str) -> None:
    body = payload(name)
    for record in accepted(body).records:
        event = record.value.partition(b',"event":')[2][:-1]
        assert event
        assert event in body


def nested(depth: int) -> bytes:
    # The item itself lies seven levels deep: body, entry list, entry, changes list, change, value, messages list.
    return envelope(change(messages=["DEEP"])).replace(b'"DEEP"', b"[" * (depth - 7) + b"]" * (depth - 7))


def test_the_deepest_allowed_body_is_kept_and_the_next_is_refused() -> None:
    assert len(accepted(nested(MAX_DEPTH)).records) == 1
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(WebhookRejected) as refusal:
            accepted(nested(depth))
        assert refusal.value.status == 400


def test_an_item_that_no_number_holds_is_kept_whole_and_its_neighbours_go_on() -> None:
    body = envelope(change(messages=[message(id="wamid.1"), "HUGE", message(id="wamid.3")]))
    result = accepted(body.replace(b'"HUGE"', b'{"x":1' + b"0" * 390 + b"}"))
    assert [record.peer for record in result.records] == [USER, "", USER]
    assert isinstance(read(result.records[1]), Unprocessable)


def test_half_an_emoji_costs_a_message_nothing_but_that_character() -> None:
    (event,) = events_of(envelope(change(messages=[message("cut WORD")])).replace(b"WORD", rb"\ud83d"))
    assert event.data.content.text == "cut \ufffd"


@pytest.mark.parametrize("given", ["null", "7", '"x"', '{"a":1}'])
@pytest.mark.parametrize("name", ["messages", "statuses", "errors"])
def test_a_list_that_is_none_is_kept_beside_the_others(name: str, given: str) -> None:
    lists: dict[str, Any] = {"user_preferences": [{"user_id": USER, "value": "stop"}], name: "HERE"}
    body = envelope(change(**lists)).replace(b'"HERE"', given.encode())
    kept, whole = accepted(body).records
    assert (kept.peer, whole.peer) == (USER, "")
    assert whole.value.endswith(b',"event":' + given.encode() + b"}")
    (event,) = events_of(body)[1:]
    assert (event.type, event.data.native_kind) == ("unrecognised", name)


@pytest.mark.parametrize("given", ["null", "7", '"x"', "[]", '{"messages":7}', "{}"])
def test_a_value_of_another_form_is_kept_in_one_piece(given: str) -> None:
    body = envelope({"field": "messages", "value": "HERE"}).replace(b'"HERE"', given.encode())
    (event,) = events_of(body)
    assert (event.type, event.data.native_kind) == ("unrecognised", "changes.messages")
    assert event.data.content.raw == {"field": "messages", "value": json.loads(given)}


def test_a_record_too_deep_for_an_envelope_is_a_dead_letter() -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    raw = RawEvent(
        platform="whatsapp",
        channel="main",
        peer=USER,
        received_at=RECEIVED_AT,
        enclosing={"container": "messages", "phone_number_id": NUMBER},
        event={"id": "wamid.1", "type": "novelty", "novelty": deep},
    )
    assert isinstance(PLATFORM.normalise(raw), Unprocessable)


def test_several_contents_of_a_value_keep_the_bodys_order() -> None:
    events = events_of(envelope(change(statuses=[status(id="wamid.8")], messages=[message(id="wamid.9")])))
    assert [event.type for event in events] == ["delivery_reported", "message_received"]


@pytest.mark.parametrize(("depth", "is_parsed"), [(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)])
def test_a_form_nested_too_deep_is_kept_as_text(depth: int, is_parsed: bool) -> None:
    answers = '{"a":' * depth + "1" + "}" * depth
    reply = {"name": "flow", "body": "Sent", "response_json": answers}
    form = message() | {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
    (event,) = events_of(envelope(change(messages=[form])))
    assert event.type == "choice_made"
    assert ("a" in event.data.content.values) == is_parsed
    assert event.data.content.values.get("response_json") == (None if is_parsed else answers)


def test_the_pure_half_loads_no_http_client() -> None:
    code = "import sys, connectors.whatsapp; sys.exit('aiohttp' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
