"""What can be said is said on every platform: each kind of content is in some call of the plan, or rightly in none.

The parts are written as people and programs write them, as JSON.
"""

import json
from typing import Any

import pytest

from connectors.interface import Call, Channel, Platform, Window
from connectors.registry import platforms
from schemas.outbound import OutboundMessage

LINK = "https://files.example.com/a.jpg"
TAP, SITE = {"label": "Express", "data": "ship_1"}, {"label": "Site", "url": "https://example.com/"}
CARD = {"title": "Tea", "text": "Green", "image_url": LINK, "url": "https://example.com/tea", "buttons": [TAP]}
ROWS = [TAP | {"description": "1 day"}, {"label": "Post", "data": "ship_2"}]
PEERS = {"telegram": "600000001", "whatsapp": "15555550123"}

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "text": ({"kind": "text", "text": "hello"}, "hello"),
    "image": ({"kind": "image", "url": LINK}, LINK),
    "sticker": ({"kind": "sticker", "sticker_id": "x", "url": LINK}, LINK),
    "location": ({"kind": "location", "latitude": 48.2, "longitude": 16.37, "name": "Shop"}, "Shop"),
    "contact": ({"kind": "contact", "name": "Ana", "phones": ["+15555550124"]}, "+15555550124"),
    "template": ({"kind": "template", "name": "order_update", "parameters": ["A-1001"]}, "A-1001"),
    "card": ({"kind": "card", "alt_text": "drinks", "cards": [CARD, CARD]}, "Green"),
    "list": (
        {"kind": "list", "text": "Choose", "title": "Ship", "sections": [{"title": "Fast", "rows": ROWS}]},
        "1 day",
    ),
    "product": (
        {
            "kind": "product",
            "text": "Our tea",
            "catalog_id": "1",
            "sections": [{"product_ids": ["p1"]}],
            "cards": [CARD],
        },
        "p1|Tea",
    ),
    "catalogue": ({"kind": "product", "text": "All our tea"}, "All our tea"),
    "mini_program": (
        {"kind": "mini_program", "title": "Order", "app_id": "wx1", "page": "a/b", "image_id": "M1", "url": LINK},
        "Order",
    ),
    "reaction": ({"kind": "reaction", "message_id": "77", "emoji": "👍"}, "👍|like"),
}
"""A part's content, and what must be found in some call: one of the words."""


def planned(platform: Platform, *contents: dict[str, Any], **more: Any) -> tuple[Call, ...]:
    peer = PEERS.get(platform.name, "U1")
    parts = [{"id": f"part-{number}", "content": content} for number, content in enumerate(contents)]
    message = {
        "id": "m",
        "conversation_id": f"{platform.prefix}main_{peer}",
        "platform": platform.name,
        "channel": "main",
        "peer": peer,
        "parts": parts,
        "causation_id": "c",
        "correlation_id": "c",
        "created_at": "2026-11-24T10:00:00Z",
        **more,
    }
    return platform.plan(
        OutboundMessage.model_validate(message), Window(1_790_000_000_000), Channel("main", platform.name, {})
    )


@pytest.mark.parametrize("name", sorted(platforms()))
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_said_on_every_platform(kind: str, name: str) -> None:
    content, words = KINDS[kind]
    calls = planned(platforms()[name], content)
    assert {part for call in calls for part in call.part_ids} == {"part-0"}
    shown = json.dumps([call.body for call in calls], ensure_ascii=False)
    assert any(word in shown for word in words.split("|"))


@pytest.mark.parametrize("name", sorted(platforms()))
def test_every_row_of_a_list_can_be_tapped(name: str) -> None:
    calls = planned(platforms()[name], KINDS["list"][0])
    assert all(row["data"] in json.dumps([call.body for call in calls]) for row in ROWS)


@pytest.mark.parametrize("name", sorted(platforms()))
def test_what_nothing_stands_for_is_in_no_call_and_its_neighbours_are(name: str) -> None:
    gone = {"kind": "deletion", "message_id": "77"}
    calls = planned(platforms()[name], KINDS["text"][0], gone, KINDS["image"][0])
    covered = [part for call in calls for part in call.part_ids]
    assert list(dict.fromkeys(part for part in covered if part != "part-1")) == ["part-0", "part-2"]


@pytest.mark.parametrize("name", sorted(platforms()))
def test_an_album_is_one_message_or_said_to_be_several(name: str) -> None:
    picture = KINDS["image"][0] | {"album_id": "a"}
    calls = planned(platforms()[name], picture, picture)
    is_told = any("album" in change for call in calls for change in call.changes)
    # LINE takes five messages in one call.
    assert is_told == (len(calls[0].part_ids) == 1 or "messages" in calls[0].body)


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_text_for_a_tap_is_shown_or_said_to_be_left_out(name: str) -> None:
    calls = planned(platforms()[name], KINDS["text"][0], callback_ids=["1"], callback_text="Saved")
    is_shown = "Saved" in json.dumps([call.body for call in calls])
    is_told = any("callback text left out" in change for call in calls for change in call.changes)
    assert is_shown != is_told


@pytest.mark.parametrize("name", sorted(platforms()))
def test_an_edit_arrives_though_the_platform_may_have_none(name: str) -> None:
    platform = platforms()[name]
    parts = [{"id": "part-0", "content": KINDS["text"][0], "edit_of": "77"}]
    calls = planned(platform, parts=parts)
    assert [call.part_ids for call in calls] == [("part-0",)]
    is_told = any("new message" in change for call in calls for change in call.changes)
    assert is_told == (not calls[0].name.startswith("edit"))


@pytest.mark.parametrize("name", sorted(platforms()))
def test_what_a_text_hides_behind_its_words_is_said_or_told(name: str) -> None:
    url = "https://example.com/p"
    link = {"type": "text_link", "offset": 3, "length": 4, "url": url}
    bold = {"type": "bold", "offset": 3, "length": 4}
    (call,) = planned(platforms()[name], {"kind": "text", "text": "👍 site!", "entities": [bold, link]})
    shown = json.dumps(call.body, ensure_ascii=False)
    if "entities" in shown:
        assert (url in shown, call.changes) == (True, ())
        return
    assert "👍 site (https://example.com/p)!" in shown
    assert call.changes == ("links of a text written after their words", "formatting of a text left out")


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_contact_goes_with_its_vcard_or_without_as_is_told(name: str) -> None:
    for phones in ([], ["+15555550124"]):
        content = {"kind": "contact", "name": "Ana", "phones": phones, "vcard": "BEGIN:VCARD"}
        calls = planned(platforms()[name], content)
        is_told = any("vCard" in change for call in calls for change in call.changes)
        assert is_told != ("BEGIN:VCARD" in json.dumps([call.body for call in calls]))


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_file_has_its_name_or_is_told_to_keep_that_of_its_link(name: str) -> None:
    for name_given in ("a.pdf", "invoice.pdf"):
        content = {"kind": "file", "url": "https://files.example.com/a.pdf?x=1", "file_name": name_given}
        calls = planned(platforms()[name], content)
        is_told = any("keeps the name" in change for call in calls for change in call.changes)
        assert is_told == (name_given not in json.dumps([call.body for call in calls]))


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_buttons_data_comes_back_whole_or_not_at_all(name: str) -> None:
    data = "d" * 1001
    part = {"id": "part-0", "content": KINDS["text"][0], "rows": [[{"label": "Tap", "data": data}]]}
    (call,) = planned(platforms()[name], parts=[part])
    shown = json.dumps(call.body)
    assert ("d" * 64 in shown) == (data in shown)
    assert ("Tap" in shown, bool(call.changes)) == (True, True)


@pytest.mark.parametrize("name", sorted(platforms()))
def test_a_second_line_of_a_button_is_told_to_be_left_out_and_that_of_a_row_is_shown(name: str) -> None:
    button = TAP | {"description": "1 day"}
    shown: list[dict[str, Any]] = [
        {"content": KINDS["text"][0], "rows": [[button]]},
        {"content": KINDS["text"][0], "quick_replies": [button]},
        {"content": {"kind": "card", "alt_text": "x", "cards": [CARD | {"buttons": [button]}]}},
        {"content": KINDS["list"][0]},
    ]
    for part in shown:
        calls = planned(platforms()[name], parts=[{"id": "part-0", **part}])
        is_told = any("second line" in change for call in calls for change in call.changes)
        assert is_told == ("1 day" not in json.dumps([call.body for call in calls])), part


@pytest.mark.parametrize("name", sorted(platforms()))
@pytest.mark.parametrize("kind", ["card", "product"])
def test_a_cards_own_looks_are_shown_or_told_to_be_left_out(kind: str, name: str) -> None:
    colour, bubble = "#2196F3", {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": []}}
    cards = [CARD | {"color": colour}]
    content: dict[str, Any] = {"kind": kind, "cards": cards} | ({"alt_text": "x"} if kind == "card" else {"text": "x"})
    calls = planned(platforms()[name], content)
    shown = json.dumps([call.body for call in calls])
    is_told = any("colour left out" in change for call in calls for change in call.changes)
    is_shown = colour in shown or "Tea" not in shown
    assert is_told != is_shown
    if kind == "card":
        calls = planned(platforms()[name], content | {"flex": bubble})
        is_told = any("flex layout" in change for call in calls for change in call.changes)
        assert is_told != ('"bubble"' in json.dumps([call.body for call in calls]))
