"""What is built without validation is what validation would have built, and is written in the same bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from connectors.shared.envelope import enveloped
from connectors.shared.messages import message_received, plain_text
from schemas.content import Content, MediaContent, TextContent
from schemas.events import ContactJoined, EventData, MessageReceived
from schemas.inbound import RawEvent
from schemas.registry import EVENT_MODELS, decode_event, encode

RAW = RawEvent(platform="pigeon", channel="loft", peer="ann", received_at=1_790_000_000_123, enclosing={}, event={})
GIVEN: dict[str, Any] = {"message_id": "m1", "sender_id": "ann", "recipient_id": "loft"}
OPTIONAL = {"reply_to": "m0", "reply_token": "t1", "is_forwarded": True}
PICTURE = MediaContent(kind="image", url="https://example.org/1.jpg")

contents = st.one_of(st.text().map(plain_text), st.just(PICTURE))
metadatas = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))


def _assert_same(made: BaseModel, validated: BaseModel) -> None:
    assert made == validated
    assert encode(made) == encode(validated)
    assert list(vars(made)) == list(vars(validated)) == list(type(validated).model_fields)
    all_given = {"__pydantic_fields_set__": set(type(made).model_fields)}
    assert made.__getstate__() == validated.__getstate__() | all_given
    assert repr(made) == repr(validated)


@given(st.text())
def test_plain_text_is_the_validated_content(text: str) -> None:
    _assert_same(plain_text(text), TextContent.model_validate({"kind": "text", "text": text}))


@given(contents, metadatas)
@pytest.mark.parametrize("more", [{}, OPTIONAL, *({name: value} for name, value in OPTIONAL.items())])
def test_a_message_is_the_validated_one(more: dict[str, Any], content: Content, metadata: dict[str, Any]) -> None:
    made = message_received(content, **GIVEN, **more, metadata=metadata)
    given_as_json = {**GIVEN, **more, "content": content.model_dump(), "metadata": metadata}
    _assert_same(made, MessageReceived.model_validate(given_as_json))


@pytest.mark.parametrize(
    "data",
    [message_received(plain_text("hi"), **GIVEN, metadata={}), ContactJoined(contact_id="ann", how="follow")],
    ids=["message", "joined"],
)
def test_an_event_is_the_validated_one_and_the_one_that_is_read_back(data: EventData) -> None:
    made = enveloped(data, RAW, prefix="pg_", native_key="k", ordinal=1, occurred_at=1_790_000_000_000)
    _assert_same(made, EVENT_MODELS[made.type].model_validate(made.model_dump()))
    assert decode_event(encode(made)) == made


def test_what_was_built_stays_frozen() -> None:
    made = plain_text("hi")
    with pytest.raises(ValueError, match="frozen"):
        made.text = "bye"  # type: ignore[misc]
