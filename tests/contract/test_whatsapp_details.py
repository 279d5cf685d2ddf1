"""What a WhatsApp message tells beside its kind's own members is kept: cards as vCards, the rest in ``metadata``."""

import json
from typing import Any

import pytest

from schemas.registry import encode
from tests.contract.whatsapp_kit import change, envelope, events_of, message

BO = {"formatted_name": "Bo Lee", "first_name": "Bo", "last_name": "Lee"}
ALL_OF_IT = {
    "name": BO,
    "phones": [{"phone": "+1 555 0124", "type": "WORK"}],
    "emails": [{"email": "bo@example.com"}],
    "org": {"company": "Tea; Co", "department": "Sales", "title": "Head"},
    "addresses": [{"street": "Main St 1,\nbackyard", "city": "Wien", "zip": "1010", "country": "Austria"}],
    "urls": [{"url": "https://example.com/bo"}],
    "birthday": "1990-01-31",
}


def data_of(kind: str, **members: Any) -> dict[str, Any]:
    (event,) = events_of(envelope(change(messages=[message() | {"type": kind} | members])))
    data: dict[str, Any] = json.loads(encode(event))["data"]
    return data


def test_what_a_contact_card_tells_beyond_numbers_is_kept_as_a_vcard() -> None:
    content = data_of("contacts", contacts=[ALL_OF_IT])["content"]
    assert (content["name"], content["phones"], content["emails"]) == ("Bo Lee", ["+1 555 0124"], ["bo@example.com"])
    assert content["vcard"].split("\r\n") == [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:Lee;Bo;;;",
        "FN:Bo Lee",
        "TEL:+1 555 0124",
        "EMAIL:bo@example.com",
        "ORG:Tea\\; Co;Sales",
        "TITLE:Head",
        "ADR:;;Main St 1\\,\\nbackyard;Wien;;1010;Austria",
        "URL:https://example.com/bo",
        "BDAY:1990-01-31",
        "END:VCARD",
    ]


def test_a_vcard_that_came_is_kept_as_it_came() -> None:
    assert data_of("contacts", contacts=[{**ALL_OF_IT, "vcard": "BEGIN:VCARD"}])["content"]["vcard"] == "BEGIN:VCARD"


@pytest.mark.parametrize(
    "card",
    [
        {"name": BO, "phones": [{"phone": "1"}]},
        {"name": BO, "org": "x", "addresses": {}, "urls": [1], "birthday": 5},
        {"name": BO, "org": {"company": ["x"]}, "addresses": [{"city": 1}], "urls": [{"url": {}}]},
    ],
)
def test_a_card_without_more_needs_no_vcard(card: dict[str, Any]) -> None:
    assert "vcard" not in data_of("contacts", contacts=[card])["content"]


@pytest.mark.parametrize(
    ("kind", "members", "kept"),
    [
        ("location", {"location": {"latitude": 1, "longitude": 2, "url": "https://a.example"}}, "place_url"),
        ("sticker", {"sticker": {"id": "4", "animated": True}}, "is_animated"),
        ("text", {"text": {"body": "x"}, "context": {"frequently_forwarded": True}}, "is_frequently_forwarded"),
        ("text", {"text": {"body": "x"}, "from_parent_user_id": "US.ENT.5"}, "parent_user_id"),
    ],
)
def test_what_contents_have_no_place_for_stands_in_metadata(kind: str, members: dict[str, Any], kept: str) -> None:
    plain = {"text": {"body": "x"}}
    assert data_of(kind, **members)["metadata"].get(kept) in (True, "https://a.example", "US.ENT.5")
    assert kept not in data_of("text", **plain)["metadata"]
