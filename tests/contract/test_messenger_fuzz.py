"""Messenger's webhook under random and mutated bodies: nothing raises but WebhookRejected, and nothing is lost."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import WebhookRejected
from connectors.interface import Unprocessable, WebhookRequest
from connectors.messenger import PLATFORM
from connectors.shared.meta.normalise import KINDS
from schemas.inbound import RawEvent
from schemas.registry import decode_event, encode
from tests.contract.messenger_kit import PAGE, PAYLOADS, RECEIVED_AT, accepted, channel, payload, read, signed

NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_keeps_a_signature(position: int, change: int) -> None:
    body = payload("batch")
    request = signed(body)
    changed = bytearray(body)
    changed[position % len(body)] ^= change
    with pytest.raises(WebhookRejected):
        PLATFORM.accept(WebhookRequest("POST", request.headers, {}, bytes(changed)), channel(), (channel(),))


def refuse(constant: str) -> float:
    raise ValueError(constant)


def is_json(body: bytes) -> bool:
    """What JSON's grammar allows; NaN and Infinity are Python's own."""
    try:
        json.loads(body, parse_constant=refuse)
    except ValueError:
        return False
    return True


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBER = st.sampled_from([*KINDS, "sender", "recipient", "timestamp", "novelty"])
DETAILS = """mid text attachments quick_reply reply_to referral commands is_echo is_deleted app_id metadata num_edit
action emoji mids watermark payload title id type url sticker_id elements coordinates ref status"""
DETAIL = st.sampled_from(DETAILS.split())
VALUE = JSON | st.dictionaries(DETAIL, JSON | st.dictionaries(DETAIL, JSON, max_size=4), max_size=5)
ITEM = JSON | st.dictionaries(MEMBER, VALUE, max_size=5)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.sampled_from([PAGE, "elsewhere"])},
            optional={name: st.lists(ITEM, max_size=4) for name in ("messaging", "standby", "changes")},
        ),
        max_size=4,
    )
)
def test_every_event_of_an_envelope_is_kept_or_its_entry_counted_as_refused(entries: list[dict[str, Any]]) -> None:
    result = accepted(json.dumps({"object": "page", "entry": entries}).encode())
    owned = [entry for entry in entries if entry["id"] == PAGE]
    expected = sum(
        sum(len(value) for name, value in entry.items() if name != "id") or (len(entry) == 1) for entry in owned
    )
    assert len(result.records) == expected
    assert result.refused == len(entries) - len(owned)
    for record in result.records:
        events = read(record)
        assert events, "a record without any event would be lost"
        for event in () if isinstance(events, Unprocessable) else events:
            assert decode_event(encode(event)).id == event.id


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 10_000), st.binary(min_size=0, max_size=4), st.integers(0, 6))
def test_a_mutated_body_raises_nothing_but_webhook_rejected(name: str, position: int, insert: bytes, cut: int) -> None:
    body = payload(name)
    at = position % len(body)
    mutated = body[:at] + insert + body[at + cut :]
    if not is_json(mutated):
        with pytest.raises(WebhookRejected) as refusal:
            accepted(mutated)
        assert refusal.value.status == 400
        return
    result = accepted(mutated)
    assert result.records or result.refused or not json.loads(mutated)["entry"]
    for record in result.records:
        read(record)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON, st.dictionaries(st.sampled_from(["container", "entry_id", "time", "app_ids"]), JSON), st.text())
def test_normalise_is_total(event: Any, member: Any, enclosing: dict[str, Any], peer: str) -> None:
    for value in (event, {"message": member}, {"sender": member, "delivery": event, "optin": member}):
        raw = RawEvent.model_construct(
            platform="messenger",
            channel="main",
            peer=peer,
            received_at=RECEIVED_AT,
            enclosing=enclosing,
            event=value,
            body=None,
        )
        assert PLATFORM.normalise(raw)
