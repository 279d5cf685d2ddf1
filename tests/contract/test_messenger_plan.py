"""Messenger's planner: the frame of every call, texts, buttons and quick replies, within every limit."""

import pytest

from connectors.interface import Window
from connectors.messenger import PLATFORM
from schemas.content import TextContent
from schemas.outbound import Button
from tests.contract.messenger_kit import PAGE, USER, channel
from tests.contract.messenger_planning import outbound, plan
from tests.contract.meta_planning import HOUR_MS, LINK, NOW_MS, changes, messages, numbered, part, taps, template

# The frame.


def test_a_text_is_one_call_with_the_token_as_placeholder() -> None:
    (call,) = plan(part(TextContent(text="hi")))
    assert (call.method, call.url) == ("POST", f"https://graph.facebook.com/v26.0/{PAGE}/messages")
    assert call.headers == {"Authorization": "Bearer {secret:page_token}"}
    assert call.body == {
        "recipient": {"id": USER},
        "messaging_type": "RESPONSE",
        "message": {"text": "hi", "metadata": "iris:part-1"},
    }
    assert (call.is_visible, call.idempotency_key, call.uses_reply_token, call.changes) == (True, None, False, ())


def test_the_address_and_the_graph_version_can_be_set() -> None:
    (call,) = plan(part(TextContent(text="hi")), api_base="http://127.0.0.1:1/")
    assert call.url == f"http://127.0.0.1:1/v26.0/{PAGE}/messages"
    message = outbound(part(TextContent(text="hi")))
    (call,) = PLATFORM.plan(message, Window(NOW_MS), channel(graph_version="v25.0"))
    assert call.url == f"https://graph.facebook.com/v25.0/{PAGE}/messages"


def test_only_the_first_call_quotes_and_beside_the_message() -> None:
    first, second = plan(part(TextContent(text="a")), part(TextContent(text="b"), id="part-2"), reply_to="m_1")
    assert first.body["reply_to"] == {"mid": "m_1"}
    assert "reply_to" not in second.body


@pytest.mark.parametrize(
    ("origin", "age_ms", "kind"),
    [
        ("human", 24 * HOUR_MS, "RESPONSE"),
        ("human", 24 * HOUR_MS + 1, "MESSAGE_TAG"),
        ("human", 7 * 24 * HOUR_MS, "MESSAGE_TAG"),
        ("human", 7 * 24 * HOUR_MS + 1, "RESPONSE"),
        # The tag is for people only: the bot's late message meets the platform's refusal.
        ("bot", 24 * HOUR_MS + 1, "RESPONSE"),
    ],
)
def test_only_a_persons_late_answer_bears_the_human_agent_tag(origin: str, age_ms: int, kind: str) -> None:
    window = Window(NOW_MS, last_inbound_ms=NOW_MS - age_ms)
    (call,) = plan(part(TextContent(text="solved")), window=window, origin=origin)
    assert call.body["messaging_type"] == kind
    assert call.body.get("tag") == ("HUMAN_AGENT" if kind == "MESSAGE_TAG" else None)


def test_every_message_of_a_part_is_marked_and_the_last_with_the_plain_id() -> None:
    calls = plan(part(TextContent(text="x" * 4001)))
    assert [call.body["message"]["metadata"] for call in calls] == ["iris:part-1#1", "iris:part-1#2", "iris:part-1"]


def test_a_message_whose_parts_are_all_settled_needs_no_calls() -> None:
    message = outbound(part(TextContent(text="hi"))).model_copy(update={"parts": ()})
    assert PLATFORM.plan(message, Window(NOW_MS), channel()) == ()


# Text.


@pytest.mark.parametrize(("length", "count"), [(2000, 1), (2001, 2)])
def test_text_is_split_beyond_its_limit(length: int, count: int) -> None:
    calls = plan(part(TextContent(text="x" * length)))
    assert [len(call.body["message"]["text"]) for call in calls] == [2000, 1][:count]
    assert changes(calls) == ([] if count == 1 else ["text split into 2 messages"])


def test_text_is_never_cut_inside_a_grapheme() -> None:
    family = "👩‍👩‍👧‍👦"
    calls = plan(part(TextContent(text=family * 300)))
    pieces = [call.body["message"]["text"] for call in calls]
    assert "".join(pieces) == family * 300
    assert all(len(piece) % len(family) == 0 for piece in pieces)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_text_still_settles_its_part(text: str) -> None:
    calls = plan(part(TextContent(text=text)))
    assert len(calls) == 1
    assert changes(calls) == ["the text was empty"]


# Buttons.


def test_buttons_become_a_button_template_of_taps_and_links() -> None:
    link = Button(label="Site", url="https://example.com")
    (call,) = plan(part(TextContent(text="Choose"), *taps("Yes"), link))
    assert template(call) == {
        "template_type": "button",
        "text": "Choose",
        "buttons": [
            {"type": "postback", "title": "Yes", "payload": "YES"},
            {"type": "web_url", "title": "Site", "url": "https://example.com"},
        ],
    }


@pytest.mark.parametrize(("count", "sizes"), [(3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_more_buttons_than_a_message_holds_go_to_further_messages(count: int, sizes: list[int]) -> None:
    calls = plan(part(TextContent(text="Choose"), *numbered(count)))
    assert [len(template(call)["buttons"]) for call in calls] == sizes
    assert template(calls[0])["text"] == "Choose"
    assert changes(calls) == ([] if count == 3 else [f"{count} buttons on {len(sizes)} messages"])


@pytest.mark.parametrize(("length", "count"), [(640, 1), (641, 2)])
def test_a_text_too_long_for_a_template_begins_before_it(length: int, count: int) -> None:
    text = "word " * (length // 5) + "x" * (length % 5)
    calls = plan(part(TextContent(text=text.strip().ljust(length, "y")), *taps("Yes")))
    assert len(calls) == count
    said = [call.body["message"].get("text") or template(call)["text"] for call in calls]
    assert " ".join(said).split() == text.strip().ljust(length, "y").split()
    assert "attachment" in calls[-1].body["message"]


@pytest.mark.parametrize(("length", "title"), [(20, "x" * 20), (21, "x" * 19 + "…")])
def test_a_label_is_cut_at_its_limit_and_that_is_said(length: int, title: str) -> None:
    calls = plan(part(TextContent(text="?"), Button(label="x" * length, data="d")))
    assert template(calls[0])["buttons"][0]["title"] == title
    assert changes(calls) == ([] if length == 20 else ["1 labels cut to 20 characters"])


@pytest.mark.parametrize("length", [1000, 1001])
def test_data_too_long_for_a_button_leaves_the_label_as_text(length: int) -> None:
    calls = plan(part(TextContent(text="?"), Button(label="Big", data="d" * length)))
    if length == 1000:
        assert template(calls[0])["buttons"][0]["payload"] == "d" * 1000
        assert changes(calls) == []
    else:
        assert messages(calls) == [{"text": "?\n• Big"}]
        assert changes(calls) == ["1 buttons written as text: payload too long or no web link"]


def test_a_link_that_is_no_web_link_is_written_out() -> None:
    calls = plan(part(TextContent(text="Call us"), Button(label="Phone", url="tel:+6621234567")))
    assert messages(calls) == [{"text": "Call us\n• Phone: tel:+6621234567"}]


# Quick replies.


def test_quick_replies_stand_on_the_very_last_message() -> None:
    calls = plan(
        part(TextContent(text="a"), quick_replies=taps("Yes")),
        part(TextContent(text="b" * 2001), id="part-2", quick_replies=taps("No")),
    )
    assert ["quick_replies" in call.body["message"] for call in calls] == [False, False, True]
    assert calls[-1].body["message"]["quick_replies"] == [
        {"content_type": "text", "title": "Yes", "payload": "YES"},
        {"content_type": "text", "title": "No", "payload": "NO"},
    ]
    assert "quick replies moved to the last message" in changes(calls)


@pytest.mark.parametrize(("count", "buttons"), [(13, 0), (14, 1)])
def test_more_quick_replies_than_allowed_become_buttons(count: int, buttons: int) -> None:
    (call,) = plan(part(TextContent(text="?"), quick_replies=numbered(count)))
    assert len(call.body["message"]["quick_replies"]) == 13
    if buttons:
        assert [button["payload"] for button in template(call)["buttons"]] == ["B13"]
    assert call.changes == (() if not buttons else ("1 quick replies became buttons",))


def test_a_link_among_quick_replies_becomes_a_button() -> None:
    (call,) = plan(part(TextContent(text="?"), quick_replies=(*taps("Yes"), Button(label="Site", url=LINK))))
    assert [reply["title"] for reply in call.body["message"]["quick_replies"]] == ["Yes"]
    assert [button["url"] for button in template(call)["buttons"]] == [LINK]
