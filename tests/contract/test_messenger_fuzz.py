"""Messenger's webhook under bodies made of its own vocabulary: every item is kept, or counted as refused."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interface import Unprocessable
from connectors.shared.meta.normalise import KINDS
from schemas.registry import decode_event, encode
from tests.contract.messenger_kit import PAGE, accepted, read
from tests.contract.mutations import JSON

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
