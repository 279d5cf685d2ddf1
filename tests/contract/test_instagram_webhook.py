"""Instagram's intake: who is let in, which channel gets what, and that nothing of an authentic body is lost.

The way of Meta's bodies is common to its platforms and proven for Messenger in full; here is what could be different.
"""

import sys
from subprocess import run
from typing import Any

import pytest

from connectors.instagram import PLATFORM
from connectors.interface import Accepted, Unprocessable
from connectors.messenger import PLATFORM as MESSENGER
from schemas.inbound import decode_raw
from tests.contract.instagram_kit import (
    ACCOUNT,
    NAMES,
    PAGE,
    SECOND_ACCOUNT,
    USER,
    accepted,
    channel,
    envelope,
    events_of,
    message,
    payload,
)
from tests.contract.meta_kit import SECRET, signed


@pytest.mark.parametrize("secret", ["facebook-app-secret", "instagram-app-secret"])
def test_either_of_two_app_secrets_signs_until_it_is_known_which(secret: str) -> None:
    unsure = channel(secrets=("facebook-app-secret", "instagram-app-secret"))
    result = PLATFORM.accept(signed(payload("messages"), secret=secret), unsure, (unsure,))
    assert isinstance(result, Accepted)
    assert len(result.records) == 7


def test_each_account_of_an_app_goes_to_its_own_channel_and_nobodys_entry_is_refused_alone() -> None:
    shop, cafe = channel("shop"), channel("cafe", account=SECOND_ACCOUNT, page_id=PAGE)
    result = accepted(payload("batch"), shop, cafe)
    assert [record.channel for record in result.records] == [*["shop"] * 4, "cafe", *["shop"] * 3]
    assert result.refused == 1
    assert {event.conversation_id for event in events_of(payload("batch"), shop, cafe)} == {
        f"ig_shop_{USER}",
        "ig_shop_8000000000000002",
        f"ig_cafe_{USER}",
        "ig_shop_",
    }


def test_an_account_of_another_app_is_nobodys_even_on_this_url() -> None:
    stranger = channel("other", account=SECOND_ACCOUNT, secrets=("other-secret",))
    result = accepted(payload("batch"), channel("shop"), stranger)
    assert {record.channel for record in result.records} == {"shop"}
    assert result.refused == 2


def test_the_linked_pages_id_owns_no_entry() -> None:
    linked = channel(page_id=PAGE)
    assert accepted(envelope(message(account=PAGE), account=PAGE), linked).refused == 1


@pytest.mark.parametrize(
    ("item", "peer"),
    [
        ({"sender": {"id": "5"}, "recipient": {"id": ACCOUNT}, "message": {}}, "5"),
        ({"sender": {"id": ACCOUNT}, "recipient": {"id": "5"}, "message": {"is_echo": True}}, "5"),
        ({"sender": {"id": ACCOUNT}, "recipient": {"id": "5"}, "message": {"is_deleted": True}}, "5"),
        ({"sender": {"id": ACCOUNT}, "recipient": {"id": "5"}, "reaction": {}}, "5"),
        ({"sender": {"id": ACCOUNT}, "recipient": {"id": ACCOUNT}, "message": {"is_self": True}}, ACCOUNT),
        ({"recipient": {"id": ACCOUNT}, "message": {}}, ""),
    ],
)
def test_the_peer_is_the_side_that_is_not_the_account(item: dict[str, Any], peer: str) -> None:
    assert [record.peer for record in accepted(envelope(item)).records] == [peer]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_holds_the_bytes_of_its_event_as_they_came(name: str) -> None:
    body = payload(name)
    records = accepted(body, channel(), channel("second", account=SECOND_ACCOUNT)).records
    assert records
    for record in records:
        event = record.value.partition(b',"event":')[2][:-1]
        assert event
        assert event in body


def test_one_mid_on_two_platforms_is_two_events() -> None:
    """Both belong to Meta and may share an app and its secret."""
    (ours,) = events_of(envelope(message(mid="m_1")))
    page = channel()
    body = envelope(message(mid="m_1")).replace(b'"instagram"', b'"page"')
    theirs = MESSENGER.split(body, type(page)("main", "messenger", {}), ()).records[0]
    raw = decode_raw(theirs.value, platform="messenger", channel="main", received_at=1)
    events = MESSENGER.normalise(raw)
    assert not isinstance(events, Unprocessable)
    assert ours.id != events[0].id


def test_inspecting_needs_no_credentials() -> None:
    bare = type(channel())("main", "instagram", {})
    assert len(PLATFORM.split(payload("batch"), bare, (bare,)).records) == 9


def test_secrets_do_not_show_in_a_channel() -> None:
    assert SECRET not in repr(channel())


def test_the_pure_half_loads_no_http_client() -> None:
    code = "import sys, connectors.instagram; sys.exit('aiohttp' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
