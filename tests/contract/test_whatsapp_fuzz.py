"""WhatsApp's webhook under random and mutated bodies: nothing raises but WebhookRejected, and nothing is lost."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import WebhookRejected
from connectors.interface import Unprocessable, WebhookRequest
from connectors.whatsapp import PLATFORM
from connectors.whatsapp.contents import READERS
from connectors.whatsapp.messages import READERS as MESSAGE_READERS
from connectors.whatsapp.peers import ITEM_LISTS
from connectors.whatsapp.taps import CHOICES
from connectors.whatsapp.webhook import KINDS
from schemas.inbound import RawEvent
from schemas.registry import decode_event, encode
from tests.contract.whatsapp_kit import ACCOUNT, NAMES, NUMBER, RECEIVED_AT, accepted, channel, payload, read, signed


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_keeps_a_signature(position: int, difference: int) -> None:
    body = payload("mixed")
    changed = bytearray(body)
    changed[position % len(body)] ^= difference
    with pytest.raises(WebhookRejected):
        PLATFORM.accept(WebhookRequest("POST", signed(body).headers, {}, bytes(changed)), channel(), (channel(),))


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
TYPES = st.sampled_from([*READERS, *MESSAGE_READERS, *CHOICES, "sent", "user_changed_number", "user_changed_user_id"])
DETAILS = """body id message_id emoji original_message_id message payload text type button_reply list_reply nfm_reply
response_json title latitude longitude name formatted_name phones emails phone items product_items catalog_id url
sha256 voice wa_id user_id previous_user_id code errors forwarded referred_product source_type"""
DETAIL = st.sampled_from(DETAILS.split())
VALUE = JSON | st.dictionaries(DETAIL, JSON | TYPES | st.dictionaries(DETAIL, JSON, max_size=4), max_size=5)
MEMBERS = """from from_user_id to to_user_id recipient_id recipient_user_id recipient_type group_id id timestamp type
status context referral biz_opaque_callback_data errors pricing value wa_id user_id novelty"""
MEMBER = st.sampled_from([*MEMBERS.split(), *READERS, *MESSAGE_READERS])
ITEM = JSON | st.fixed_dictionaries(
    {"type": TYPES | JSON}, optional={"id": st.text(), "from_user_id": st.text(), "status": TYPES}
).flatmap(lambda head: st.dictionaries(MEMBER, VALUE | TYPES, max_size=5).map(lambda tail: tail | head))
CONTACT = JSON | st.dictionaries(st.sampled_from(["user_id", "wa_id", "profile"]), JSON, max_size=3)
LISTS = st.fixed_dictionaries(
    {}, optional={name: st.lists(ITEM, max_size=3) for name in ITEM_LISTS} | {"contacts": st.lists(CONTACT, max_size=2)}
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([NUMBER, "elsewhere"]), st.sampled_from(["messages", "standby"]), LISTS)))
def test_every_item_of_a_body_is_kept_or_its_change_counted_as_refused(changes: list[Any]) -> None:
    wire = [
        {"field": field, "value": {"metadata": {"phone_number_id": number}, **lists}}
        for number, field, lists in changes
    ]
    body = {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT, "changes": wire}]}
    result = accepted(json.dumps(body).encode())
    owned = [lists for number, _, lists in changes if number == NUMBER]
    items = [sum(len(items) for name, items in lists.items() if name != "contacts") for lists in owned]
    assert len(result.records) == sum(count or 1 for count in items)
    assert result.refused == len(changes) - len(owned)
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
    assert result.records or result.refused
    for record in result.records:
        read(record)


@settings(max_examples=300, deadline=None)
@given(
    ITEM,
    st.sampled_from([*KINDS, "member", "entry", ""]),
    st.dictionaries(st.sampled_from(["field", "contact", "time", "phone_number_id", "entry_id", "member"]), JSON),
    st.text(),
)
def test_normalise_is_total(event: Any, container: str, enclosing: dict[str, Any], peer: str) -> None:
    raw = RawEvent.model_construct(
        platform="whatsapp",
        channel="main",
        peer=peer,
        received_at=RECEIVED_AT,
        enclosing={**enclosing, "container": container},
        event=event,
        body=None,
    )
    assert PLATFORM.normalise(raw)
