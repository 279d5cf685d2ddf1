"""WhatsApp's webhook under bodies made of its own vocabulary: every item is kept, or counted as refused."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interface import Unprocessable
from connectors.whatsapp.contents import READERS
from connectors.whatsapp.messages import READERS as MESSAGE_READERS
from connectors.whatsapp.peers import ITEM_LISTS
from connectors.whatsapp.taps import CHOICES
from schemas.registry import decode_event, encode
from tests.contract.mutations import JSON
from tests.contract.whatsapp_kit import ACCOUNT, NUMBER, accepted, read

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
