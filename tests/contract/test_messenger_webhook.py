"""Messenger's intake: who is let in, which channel gets what, and that nothing of an authentic body is lost."""

import json
import sys
from subprocess import run
from typing import Any

import pytest

from connectors.errors import WebhookRejected
from connectors.interface import Unprocessable
from connectors.messenger import PLATFORM
from connectors.shared.splitting import MAX_DEPTH
from schemas.inbound import RawEvent
from tests.contract.messenger_kit import (
    NAMES,
    PAGE,
    USER,
    accepted,
    channel,
    envelope,
    events_of,
    message,
    payload,
    read,
)
from tests.contract.meta_kit import RECEIVED_AT

# Which channel gets what.


def pages_body(*pages: str) -> bytes:
    entries = [
        {"id": page, "time": 1, "messaging": [message(mid=f"m_{page}_{n}", page=page) for n in range(2)]}
        for page in pages
    ]
    return json.dumps({"object": "page", "entry": entries}).encode()


def test_each_page_of_an_app_goes_to_its_own_channel() -> None:
    shop, cafe = channel("shop", page="1"), channel("cafe", page="2")
    result = accepted(pages_body("2", "1"), shop, cafe)
    assert [(record.channel, record.peer) for record in result.records] == [
        *[("cafe", USER)] * 2,
        *[("shop", USER)] * 2,
    ]
    assert result.refused == 0
    assert {event.conversation_id for event in events_of(pages_body("2", "1"), shop, cafe)} == {
        f"fb_cafe_{USER}",
        f"fb_shop_{USER}",
    }


def test_an_entry_that_nobody_owns_is_refused_alone_and_counted() -> None:
    result = accepted(pages_body("9", "1", "8"), channel("shop", page="1"))
    assert [record.channel for record in result.records] == ["shop", "shop"]
    assert result.refused == 2


def test_a_page_of_another_app_is_nobodys_even_on_this_url() -> None:
    shop, stranger = channel("shop", page="1"), channel("other", page="2", secrets=("other-secret",))
    result = accepted(pages_body("1", "2"), shop, stranger)
    assert [record.channel for record in result.records] == ["shop", "shop"]
    assert result.refused == 1


def test_a_channel_without_a_page_id_takes_what_comes_to_its_url() -> None:
    bare = channel("bare", page="")
    free = type(bare)("bare", "messenger", {name: kept for name, kept in bare.values.items() if name != "page_id"})
    assert [record.peer for record in accepted(pages_body("7"), free).records] == [USER, USER]


def test_an_entry_without_an_id_reaches_no_conversation_and_is_kept() -> None:
    body = json.dumps({"object": "page", "entry": [{"messaging": [message()]}, {"id": {}, "messaging": []}]}).encode()
    result = accepted(body)
    assert [(record.channel, record.peer) for record in result.records] == [("main", ""), ("main", "")]
    assert [event.type for event in events_of(body)] == ["unrecognised"] * 2


def test_a_page_id_may_be_a_number() -> None:
    body = json.dumps({"object": "page", "entry": [{"id": int(PAGE), "messaging": [message()]}]}).encode()
    assert [record.peer for record in accepted(body).records] == [USER]


@pytest.mark.parametrize(
    ("item", "peer"),
    [
        ({"sender": {"id": "5"}, "recipient": {"id": PAGE}, "message": {}}, "5"),
        ({"sender": {"id": 5}, "recipient": {"id": PAGE}, "message": {}}, "5"),
        ({"sender": {"id": PAGE}, "recipient": {"id": "5"}, "message": {"is_echo": True}}, "5"),
        ({"sender": {"id": PAGE}, "recipient": {"id": "5"}, "reaction": {}}, "5"),
        ({"sender": {"id": PAGE}, "message": {"is_echo": True}}, ""),
        ({"sender": {"id": "5"}, "never_seen": 1}, "5"),
        ({"recipient": {"id": PAGE}, "message": {}}, ""),
        ({"sender": {"id": True}}, ""),
        ({"sender": {"id": "5" * 5000}}, ""),
        ({"sender": "5"}, ""),
    ],
)
def test_the_peer_is_the_side_that_is_not_the_page(item: dict[str, Any], peer: str) -> None:
    assert [record.peer for record in accepted(envelope(item)).records] == [peer]


# Nothing is lost.


@pytest.mark.parametrize("name", NAMES)
def test_a_record_holds_the_bytes_of_its_event_as_they_came(name: str) -> None:
    body = payload(name)
    for record in accepted(body).records:
        event = record.value.partition(b',"event":')[2][:-1]
        assert event
        assert event in body


def nested(depth: int) -> bytes:
    # The item itself lies four levels deep: body, entry list, entry, messaging list.
    return envelope("DEEP").replace(b'"DEEP"', b"[" * (depth - 4) + b"]" * (depth - 4))


def test_the_deepest_allowed_body_is_kept_and_the_next_is_refused() -> None:
    assert len(accepted(nested(MAX_DEPTH)).records) == 1
    with pytest.raises(WebhookRejected) as refusal:
        accepted(nested(MAX_DEPTH + 1))
    assert refusal.value.status == 400


def test_a_body_a_hundred_thousand_levels_deep_is_refused_at_once() -> None:
    with pytest.raises(WebhookRejected):
        accepted(nested(100_000))


def test_an_item_that_no_number_holds_is_kept_whole_and_its_neighbours_go_on() -> None:
    body = envelope(message(mid="m_1"), "HUGE", message(mid="m_3")).replace(b'"HUGE"', b'{"x":1' + b"0" * 390 + b"}")
    result = accepted(body)
    assert [record.peer for record in result.records] == [USER, "", USER]
    assert isinstance(read(result.records[1]), Unprocessable)


def test_half_an_emoji_costs_a_message_nothing_but_that_character() -> None:
    body = envelope(message("cut WORD")).replace(b"WORD", rb"\ud83d")
    (event,) = events_of(body)
    assert event.data.content.text == "cut \ufffd"


@pytest.mark.parametrize("container", ["messaging", "standby", "changes"])
@pytest.mark.parametrize("value", ["null", "7", '"x"', '{"a":1}'])
def test_a_container_that_is_no_list_is_kept_in_one_piece(container: str, value: str) -> None:
    body = envelope(container=container).replace(f'"{container}": []'.encode(), f'"{container}": {value}'.encode())
    (record,) = accepted(body).records
    assert record.value.endswith(b',"event":' + value.encode() + b"}")
    assert record.peer == ""


def test_a_container_that_is_one_item_is_not_read_as_if_it_stood_in_a_list() -> None:
    """Who wrote it may be anybody: it belongs to no conversation."""
    body = json.dumps({"object": "page", "entry": [{"id": PAGE, "messaging": message()}]}).encode()
    (record,) = accepted(body).records
    assert record.peer == ""
    assert [event.type for event in events_of(body)] == ["unrecognised"]


def test_several_members_of_one_item_are_read_in_an_order_of_ours() -> None:
    """Whatever order they come in, so that a repetition gives the same ids."""
    happened = {"delivery": {"watermark": 1}, "reaction": {"mid": "m_1", "emoji": "x", "action": "react"}}
    item = {name: value for name, value in message().items() if name != "message"}
    bodies = [envelope(item | dict(members)) for members in (happened.items(), reversed(happened.items()))]
    first, second = (events_of(body) for body in bodies)
    assert [event.type for event in first] == ["reaction_changed", "delivery_reported"]
    assert first == second


def test_inspecting_needs_no_credentials() -> None:
    bare = type(channel())("main", "messenger", {})
    assert len(PLATFORM.split(payload("batch"), bare, (bare,)).records) == 8


def test_a_record_too_deep_for_an_envelope_is_a_dead_letter() -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    raw = RawEvent(
        platform="messenger", channel="main", peer=USER, received_at=RECEIVED_AT, enclosing={}, event={"novelty": deep}
    )
    assert isinstance(PLATFORM.normalise(raw), Unprocessable)


def test_the_pure_half_loads_no_http_client() -> None:
    code = "import sys, connectors.messenger; sys.exit('aiohttp' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
