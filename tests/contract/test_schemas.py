"""What is on the topics stays readable: schemas are checked in, changes are compared, old versions are lifted."""

import json
from typing import Any

import orjson
import pytest

from schemas.base import format_time, parse_time
from schemas.envelope import Event
from schemas.events import EVENT_DATA, ContactJoined, MessageReceived
from schemas.export import FOLDER, as_text, exported, incompatibilities
from schemas.registry import EVENT_MODELS, SchemaError, decode_event, encode
from schemas.upcasters import UPCASTERS


def test_the_checked_in_schemas_are_those_of_the_models() -> None:
    on_disk = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    now = {name: as_text(schema) for name, schema in exported().items()}
    assert set(now) == set(on_disk), "run `python -m schemas.export` and look at the difference"
    changed = [name for name in now if now[name] != on_disk[name]]
    assert not changed, "run `python -m schemas.export` and look at the difference"


@pytest.mark.parametrize("name", sorted(exported()))
def test_data_written_under_the_checked_in_schema_can_still_be_read(name: str) -> None:
    old = json.loads((FOLDER / name).read_text())
    assert incompatibilities(old, exported()[name]) == []


def changed(**edits: Any) -> dict[str, Any]:
    schema = json.loads((FOLDER / "message_received.1.json").read_text())
    data = schema["$defs"]["MessageReceived"]
    for name, value in edits.items():
        if name == "without":
            del data["properties"][value]
        elif name == "required":
            data["required"].append(value)
        elif name == "without_content":
            data["properties"]["content"]["oneOf"] = [
                item for item in data["properties"]["content"]["oneOf"] if not item["$ref"].endswith(value)
            ]
        else:
            data["properties"][name] = value
    return dict(schema)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"without": "reply_token"}, "reply_token: the field is gone"),
        ({"required": "reply_to"}, "reply_to: became required"),
        ({"is_forwarded": {"type": "string"}}, "is_forwarded: no longer takes"),
        ({"without_content": "StickerContent"}, "no longer takes StickerContent"),
    ],
)
def test_a_change_that_old_data_cannot_survive_is_found(edit: dict[str, Any], reason: str) -> None:
    old = json.loads((FOLDER / "message_received.1.json").read_text())
    assert any(reason in found for found in incompatibilities(old, changed(**edit))), incompatibilities(
        old, changed(**edit)
    )


def test_a_new_optional_field_is_no_incompatibility() -> None:
    old = json.loads((FOLDER / "message_received.1.json").read_text())
    assert incompatibilities(old, changed(mood={"type": "string"})) == []


def envelope(kind: str, data: dict[str, Any], **more: Any) -> bytes:
    return orjson.dumps(
        {
            "id": "6f1c0000-0000-5000-8000-000000000001",
            "type": kind,
            "version": 1,
            "conversation_id": "line_shop_U4af",
            "platform": "line",
            "channel": "shop",
            "occurred_at": "2026-11-23T10:00:00.123Z",
            "recorded_at": "2026-11-23T10:00:00.180Z",
            "data": data,
        }
        | more
    )


def test_old_data_is_lifted_by_its_upcaster() -> None:
    old = envelope("contact_joined", {"contact_id": "U4af", "is_unblocked": True}, version=0)
    event = decode_event(old)
    assert event.version == 1
    assert event.data == ContactJoined(contact_id="U4af", how="unblock")


def test_without_its_upcaster_old_data_would_not_be_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(UPCASTERS, ("contact_joined", 0))
    with pytest.raises(SchemaError, match="how"):
        decode_event(envelope("contact_joined", {"contact_id": "U4af", "is_unblocked": True}, version=0))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"type":"teleported"}', "unknown event type"),
        (b'{"type":7}', "unknown event type"),
        (envelope("message_deleted", {"message_id": "1", "colour": "red"}), "colour"),
        (envelope("message_deleted", {"message_id": "1"}, occurred_at="2026-11-23T10:00:00"), "no offset"),
    ],
)
def test_what_does_not_fit_its_schema_is_refused_with_the_reason(value: bytes, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        decode_event(value)


def test_an_event_survives_the_wire_unchanged_and_times_are_rfc_3339_in_milliseconds() -> None:
    raw = envelope(
        "message_received",
        {"message_id": "1", "sender_id": "a", "recipient_id": "b", "content": {"kind": "text", "text": "สวัสดี"}},
    )
    event = decode_event(raw)
    assert isinstance(event, Event)
    assert isinstance(event.data, MessageReceived)
    assert decode_event(encode(event)) == event
    assert orjson.loads(encode(event))["occurred_at"] == "2026-11-23T10:00:00.123Z"


@pytest.mark.parametrize("ms", [0, 1, 999, 1_790_000_000_001, 1_790_000_000_999])
def test_times_go_to_text_and_back(ms: int) -> None:
    assert parse_time(format_time(ms)) == ms


@pytest.mark.parametrize("ms", [-1, 0, 951_782_399_999, 1_790_000_000_999])
def test_a_time_as_we_write_it_is_that_of_any_other_writing(ms: int) -> None:
    text = format_time(ms)
    assert parse_time(text) == parse_time(text.replace("Z", "+00:00")) == parse_time(text.replace("Z", "999+00:00"))


@pytest.mark.parametrize("text", ["2026-11-23T10:00:00.123", "2026-02-30T10:00:00.123Z", "2026-11-23T10:00:60.123Z"])
def test_no_time_is_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|day|second"):
        parse_time(text)


def test_every_event_type_has_a_model_under_its_wire_name() -> None:
    assert set(EVENT_DATA) == set(EVENT_MODELS)
    assert "message_received" in EVENT_DATA
    assert all(name.islower() for name in EVENT_DATA)
