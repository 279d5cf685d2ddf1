"""Instagram's webhook under random and mutated bodies: nothing raises but WebhookRejected, and nothing is lost."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import WebhookRejected
from connectors.instagram import PLATFORM
from connectors.interface import Unprocessable, WebhookRequest
from connectors.shared.meta.contents import READERS
from connectors.shared.meta.normalise import KINDS
from schemas.inbound import RawEvent
from schemas.registry import decode_event, encode
from tests.contract.instagram_kit import ACCOUNT, PAYLOADS, RECEIVED_AT, accepted, channel, payload, read, signed

NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_keeps_a_signature(position: int, change: int) -> None:
    body = payload("batch")
    changed = bytearray(body)
    changed[position % len(body)] ^= change
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
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ATTACHMENT = st.fixed_dictionaries(
    {"type": st.sampled_from([*READERS, "ephemeral"])},
    optional={"payload": JSON | st.dictionaries(st.sampled_from(["url", "id", "title", "ig_post_media_id"]), JSON)},
)
STORY = JSON | st.dictionaries(st.sampled_from(["url", "id"]), JSON)
MESSAGE = st.fixed_dictionaries(
    {"mid": JSON | st.text(min_size=1, max_size=8)},
    optional={
        "text": JSON,
        "attachments": JSON | st.lists(ATTACHMENT, max_size=3),
        "reply_to": JSON | st.fixed_dictionaries({"story": STORY}, optional={"mid": JSON}),
        "quick_reply": JSON | st.fixed_dictionaries({"payload": JSON}),
        "referral": JSON,
        **{flag: st.booleans() | JSON for flag in ("is_echo", "is_deleted", "is_self", "is_unsupported")},
    },
)
SIDE = st.fixed_dictionaries({"id": st.sampled_from([ACCOUNT, "5", 5, None])}) | JSON
ITEM = JSON | st.fixed_dictionaries(
    {"sender": SIDE, "recipient": SIDE},
    optional={"timestamp": JSON, "message": MESSAGE, **{kind: JSON for kind in KINDS if kind != "message"}},
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ITEM, max_size=4), st.sampled_from(["messaging", "standby", "changes"]), st.booleans())
def test_every_item_becomes_events_that_can_be_written_or_a_dead_letter(
    items: list[Any], container: str, is_owned: bool
) -> None:
    entry = {"id": ACCOUNT if is_owned else "elsewhere", container: items}
    result = accepted(json.dumps({"object": "instagram", "entry": [entry]}).encode())
    assert (len(result.records), result.refused) == ((len(items), 0) if is_owned else (0, 1))
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


@settings(max_examples=100, deadline=None)
@given(JSON, JSON, st.dictionaries(st.sampled_from(["container", "entry_id", "time", "app_ids"]), JSON), st.text())
def test_normalise_is_total(event: Any, member: Any, enclosing: dict[str, Any], peer: str) -> None:
    for value in (event, {"message": member}, {"sender": member, "read": event, "referral": member}):
        raw = RawEvent.model_construct(
            platform="instagram",
            channel="main",
            peer=peer,
            received_at=RECEIVED_AT,
            enclosing=enclosing,
            event=value,
            body=None,
        )
        assert PLATFORM.normalise(raw)
