"""Instagram's webhook under bodies made of its own vocabulary: every item is kept, or counted as refused."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.interface import Unprocessable
from connectors.shared.meta.contents import READERS
from connectors.shared.meta.normalise import KINDS
from schemas.registry import decode_event, encode
from tests.contract.instagram_kit import ACCOUNT, accepted, read
from tests.contract.mutations import JSON

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
