"""WhatsApp's planner: the frame of every call, texts, buttons, lists and links, within every limit."""

import pytest

from connectors.interface import Window
from connectors.whatsapp import PLATFORM
from schemas.content import TemplateContent, TextContent
from schemas.outbound import Button
from tests.contract.meta_planning import LINK, NOW_MS, changes, numbered, part, taps
from tests.contract.whatsapp_kit import NUMBER, PHONE, USER, channel
from tests.contract.whatsapp_planning import contents, interactive, outbound, plan, replies, rows

HELLO = part(TextContent(text="hi"))

# The frame.


def test_a_text_is_one_call_with_the_token_as_placeholder() -> None:
    (call,) = plan(HELLO)
    assert (call.method, call.url) == ("POST", f"https://graph.facebook.com/v26.0/{NUMBER}/messages")
    assert call.headers == {"Authorization": "Bearer {secret:access_token}"}
    assert call.body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient": USER,
        "type": "text",
        "text": {"body": "hi", "preview_url": False},
        "biz_opaque_callback_data": f"iris:part-1:{USER}",
    }
    assert (call.is_visible, call.idempotency_key, call.uses_reply_token, call.changes) == (True, None, False, ())


@pytest.mark.parametrize(
    ("peer", "member", "kind"),
    [
        (PHONE, "to", "individual"),
        (USER, "recipient", "individual"),
        ("US.ENT.10000000000000000001", "recipient", "individual"),
        ("TH." + "a" * 128, "recipient", "individual"),
        ("Y2FwaV9ncm91cDoxNzA1NTU1MDEzOQ==", "to", "group"),
    ],
)
def test_who_has_no_phone_number_is_written_to_by_user_id(peer: str, member: str, kind: str) -> None:
    (call,) = plan(HELLO, peer=peer)
    assert {name: call.body.get(name) for name in ("to", "recipient")} == {"to": None, "recipient": None} | {
        member: peer
    }
    assert call.body["recipient_type"] == kind
    assert call.body["biz_opaque_callback_data"] == f"iris:part-1:{peer}"


def test_the_address_and_the_graph_version_can_be_set() -> None:
    (call,) = plan(HELLO, api_base="http://127.0.0.1:1/")
    assert call.url == f"http://127.0.0.1:1/v26.0/{NUMBER}/messages"
    (call,) = PLATFORM.plan(outbound(HELLO), Window(NOW_MS), channel(graph_version="v25.0"))
    assert call.url == f"https://graph.facebook.com/v25.0/{NUMBER}/messages"


def test_only_the_first_call_quotes() -> None:
    first, second = plan(HELLO, part(TextContent(text="b"), id="part-2"), reply_to="wamid.1")
    assert first.body["context"] == {"message_id": "wamid.1"}
    assert "context" not in second.body


def test_a_template_shows_no_quote() -> None:
    (call,) = plan(part(TemplateContent(name="order_update")), reply_to="wamid.1")
    assert "context" not in call.body


def test_every_message_of_a_part_is_marked_and_the_last_with_the_plain_id() -> None:
    calls = plan(part(TextContent(text="x" * 8193)))
    marks = [call.body["biz_opaque_callback_data"] for call in calls]
    assert marks == [f"iris:part-1#1:{USER}", f"iris:part-1#2:{USER}", f"iris:part-1:{USER}"]


def test_a_message_whose_parts_are_all_settled_needs_no_calls() -> None:
    message = outbound(HELLO).model_copy(update={"parts": ()})
    assert PLATFORM.plan(message, Window(NOW_MS), channel()) == ()


# Text.


@pytest.mark.parametrize(("length", "count"), [(4096, 1), (4097, 2)])
def test_text_is_split_beyond_its_limit(length: int, count: int) -> None:
    calls = plan(part(TextContent(text="x" * length)))
    assert [len(text["body"]) for _, text in contents(calls)] == [4096, 1][:count]
    assert changes(calls) == ([] if count == 1 else ["text split into 2 messages"])


def test_text_is_never_cut_inside_a_grapheme() -> None:
    family = "👩‍👩‍👧‍👦"
    pieces = [text["body"] for _, text in contents(plan(part(TextContent(text=family * 600))))]
    assert "".join(pieces) == family * 600
    assert all(len(piece) % len(family) == 0 for piece in pieces)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_text_still_settles_its_part(text: str) -> None:
    calls = plan(part(TextContent(text=text)))
    assert len(calls) == 1
    assert changes(calls) == ["the text was empty"]


@pytest.mark.parametrize(("text", "preview"), [("see https://example.com", True), ("see example.com", False)])
def test_a_link_gets_its_preview(text: str, preview: bool) -> None:
    assert contents(plan(part(TextContent(text=text)))) == [("text", {"body": text, "preview_url": preview})]


# Buttons.


def test_up_to_three_taps_are_reply_buttons() -> None:
    (call,) = plan(part(TextContent(text="Confirm?"), *taps("Yes", "No", "Later")))
    assert interactive(call)["type"] == "button"
    assert interactive(call)["body"] == {"text": "Confirm?"}
    assert replies(call) == [
        {"id": "YES", "title": "Yes"},
        {"id": "NO", "title": "No"},
        {"id": "LATER", "title": "Later"},
    ]
    assert call.changes == ()


@pytest.mark.parametrize(("count", "sizes"), [(4, [4]), (10, [10]), (11, [10, 1]), (21, [10, 10, 1])])
def test_more_taps_become_lists_of_ten_rows(count: int, sizes: list[int]) -> None:
    calls = plan(part(TextContent(text="Choose"), *numbered(count)))
    assert [len(rows(call)) for call in calls] == sizes
    assert [interactive(call)["body"]["text"] for call in calls] == ["Choose", "⋯", "⋯"][: len(sizes)]
    expected = [f"{count} buttons shown as a list"]
    assert changes(calls) == expected + ([f"{count} buttons on {len(sizes)} messages"] if len(sizes) > 1 else [])


@pytest.mark.parametrize(("language", "label"), [("th", "เลือก"), ("en", "Choose"), ("de", "Choose"), (None, "Choose")])
def test_a_list_is_opened_in_the_persons_language(language: str | None, label: str) -> None:
    (call,) = plan(part(TextContent(text="?"), *numbered(4)), language=language)
    assert interactive(call)["action"]["button"] == label


@pytest.mark.parametrize(("length", "kind"), [(1024, "button"), (1025, "list"), (4096, "list")])
def test_a_text_too_long_for_buttons_stands_above_a_list(length: int, kind: str) -> None:
    (call,) = plan(part(TextContent(text="x" * length), *taps("Yes")))
    assert interactive(call)["type"] == kind
    assert len(interactive(call)["body"]["text"]) == length


def test_a_text_too_long_for_a_list_begins_before_it_and_keeps_its_buttons() -> None:
    calls = plan(part(TextContent(text="x" * 4097), *taps("Yes")))
    assert [kind for kind, _ in contents(calls)] == ["text", "interactive"]
    assert interactive(calls[1])["type"] == "button"
    assert changes(calls) == ["text split into 2 messages"]


@pytest.mark.parametrize(("length", "kind"), [(20, "button"), (21, "list")])
def test_a_label_too_long_for_a_button_is_a_row(length: int, kind: str) -> None:
    (call,) = plan(part(TextContent(text="?"), Button(label="x" * length, data="d")))
    assert interactive(call)["type"] == kind
    shown = replies(call) if kind == "button" else rows(call)
    assert shown == [{"id": "d", "title": "x" * length}]


@pytest.mark.parametrize(
    ("length", "title", "description"),
    [(24, "x" * 24, None), (25, "x" * 23 + "…", "x" * 25), (72, "x" * 23 + "…", "x" * 72)],
)
def test_a_label_too_long_for_a_row_stands_whole_below_it(length: int, title: str, description: str | None) -> None:
    calls = plan(part(TextContent(text="?"), Button(label="x" * length, data="d")))
    assert (rows(calls[0])[0]["title"], rows(calls[0])[0].get("description")) == (title, description)
    assert changes(calls) == ["1 buttons shown as a list"]


def test_a_label_too_long_even_for_that_is_cut_and_that_is_said() -> None:
    calls = plan(part(TextContent(text="?"), Button(label="x" * 73, data="d")))
    assert rows(calls[0])[0]["description"] == "x" * 71 + "…"
    assert changes(calls) == ["1 buttons shown as a list", "1 labels cut to 72 characters"]


@pytest.mark.parametrize(("length", "is_button"), [(256, True), (257, False)])
def test_data_too_long_for_a_button_leaves_the_label_as_text(length: int, is_button: bool) -> None:
    calls = plan(part(TextContent(text="?"), Button(label="Big", data="d" * length)))
    if is_button:
        assert replies(calls[0]) == [{"id": "d" * 256, "title": "Big"}]
    else:
        assert contents(calls) == [("text", {"body": "?\n• Big", "preview_url": False})]
        assert changes(calls)[0].startswith("1 buttons written as text")


@pytest.mark.parametrize(("length", "count"), [(200, 4), (201, 3)])
def test_rows_have_shorter_data_than_buttons(length: int, count: int) -> None:
    (call,) = plan(part(TextContent(text="?"), *numbered(3), Button(label="Big", data="d" * length)))
    assert len(rows(call) if count == 4 else replies(call)) == count
    assert ("• Big" in interactive(call)["body"]["text"]) == (count == 3)


def test_long_data_under_a_long_text_keeps_its_button_below_the_last_words() -> None:
    calls = plan(part(TextContent(text="x" * 1025), Button(label="Big", data="d" * 201)))
    assert [kind for kind, _ in contents(calls)] == ["text", "interactive"]
    assert interactive(calls[1])["type"] == "button"


def test_two_taps_of_one_label_are_rows_because_buttons_differ_in_theirs() -> None:
    (call,) = plan(part(TextContent(text="?"), Button(label="Tea", data="1"), Button(label="Tea", data="2")))
    assert rows(call) == [{"id": "1", "title": "Tea"}, {"id": "2", "title": "Tea"}]


def test_data_that_is_given_twice_makes_one_button() -> None:
    calls = plan(part(TextContent(text="?"), *taps("Yes", "Yes"), Button(label="Also yes", data="YES")))
    assert replies(calls[0]) == [{"id": "YES", "title": "Yes"}]
    assert interactive(calls[0])["body"]["text"] == "?\n• Also yes"
    assert changes(calls)[0].startswith("1 buttons written as text")


def test_quick_replies_are_buttons_of_their_own_part() -> None:
    calls = plan(
        part(TextContent(text="a"), quick_replies=taps("Yes")),
        part(TextContent(text="b"), *taps("One"), id="part-2", quick_replies=taps("Two")),
    )
    assert [[reply["id"] for reply in replies(call)] for call in calls] == [["YES"], ["ONE", "TWO"]]
    assert changes(calls) == ["quick replies shown as buttons"] * 2


# Links.


def test_a_single_link_is_a_link_button() -> None:
    (call,) = plan(part(TextContent(text="See dates"), Button(label="Open", url="https://example.com")))
    assert interactive(call) == {
        "type": "cta_url",
        "body": {"text": "See dates"},
        "action": {"name": "cta_url", "parameters": {"display_text": "Open", "url": "https://example.com"}},
    }


@pytest.mark.parametrize(("length", "label"), [(20, "x" * 20), (21, "x" * 19 + "…")])
def test_the_label_of_a_link_is_cut_at_its_limit_and_that_is_said(length: int, label: str) -> None:
    calls = plan(part(TextContent(text="?"), Button(label="x" * length, url="https://example.com")))
    assert interactive(calls[0])["action"]["parameters"]["display_text"] == label
    assert changes(calls) == ([] if length == 20 else ["1 labels cut to 20 characters"])


@pytest.mark.parametrize(("length", "count"), [(1024, 1), (1025, 2)])
def test_a_text_too_long_for_a_link_button_begins_before_it(length: int, count: int) -> None:
    calls = plan(part(TextContent(text="x" * length), Button(label="Open", url=LINK)))
    assert len(calls) == count
    assert changes(calls) == ([] if count == 1 else ["text split into 2 messages"])


@pytest.mark.parametrize(
    "buttons",
    [
        (Button(label="A", url="https://a.example"), Button(label="B", url="https://b.example")),
        (Button(label="A", url="https://a.example"), *taps("Yes")),
        (Button(label="Phone", url="tel:+6621234567"),),
    ],
)
def test_links_that_cannot_be_the_only_button_are_written_out(buttons: tuple[Button, ...]) -> None:
    calls = plan(part(TextContent(text="?"), *buttons))
    ((kind, value),) = contents(calls)
    text = value["body"] if kind == "text" else value["body"]["text"]
    links = [button for button in buttons if button.url]
    assert text == "\n".join(["?", *(f"• {button.label}: {button.url}" for button in links)])
    assert changes(calls)[0].startswith(f"{len(links)} buttons written as text")
