"""Messenger's sender against the fake over HTTP: one attempt each, and what every failure leaves the caller to do."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.messenger.api import ERROR_MEANINGS
from connectors.messenger.sender import Sender
from connectors.shared.http import RATE_WAIT_S, Answer
from connectors.shared.meta.graph import receipt_of
from schemas.content import TextContent
from tests.contract.messenger_kit import channel
from tests.contract.messenger_planning import plan
from tests.contract.meta_planning import part
from tests.fakes.messenger import PAGE_ID, PAGE_TOKENS, WINDOW_S, FakeMessenger
from tests.harness.platform import Clock, closing, running

TOKEN = PAGE_TOKENS[PAGE_ID]


fake = running(FakeMessenger, seed=1)
sender = closing(lambda _: Sender())


def page_of(fake: FakeMessenger, *, token: str = TOKEN) -> Channel:
    """The fake's page as a channel of ours."""
    return Channel("main", "messenger", channel(page_token=token).values, api_base=fake.base_url)


def hello(fake: FakeMessenger, user: str = "ana") -> Call:
    """A call that greets this user."""
    (call,) = plan(part(TextContent(text="hi")), api_base=fake.base_url)
    return replace(call, body=call.body | {"recipient": {"id": fake.known_user(user)}})


def kept(error: SendError) -> dict[str, Any]:
    """The fields that are set."""
    fields = ("retryable", "ambiguous", "channel_wide", "unreachable", "replan")
    return {name: True for name in fields if getattr(error, name)}


async def failure(fake: FakeMessenger, sender: Sender, *, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as raised:
        await sender.perform(hello(fake), page_of(fake), timeout_s=timeout_s)
    return raised.value


async def test_an_accepted_call_gives_the_platforms_id(fake: FakeMessenger, sender: Sender) -> None:
    receipt = await sender.perform(hello(fake), page_of(fake), timeout_s=5)
    assert receipt == Receipt(tuple(fake.journal[0]["ids"]))
    assert receipt.message_ids
    assert fake.seen("ana") == ["hi"]


@pytest.mark.parametrize(
    ("fault", "options", "code", "fields"),
    [
        ("rate", {}, "613", {"retryable": True}),
        ("rate", {"code": 4}, "4", {"retryable": True}),
        ("rate", {"code": 17}, "17", {"retryable": True}),
        ("rate", {"code": 32}, "32", {"retryable": True}),
        ("rate", {"code": 80006}, "80006", {"retryable": True}),
        ("error", {}, "2", {"retryable": True}),
        ("error", {"code": 1200}, "1200", {"retryable": True}),
        ("permanent", {}, "100", {}),
        ("permanent", {"code": 10, "subcode": 2018278}, "10/2018278", {}),
        ("permanent", {"code": 3}, "3", {}),
        ("permanent", {"code": 200}, "200", {}),
        ("permanent", {"subcode": 2018047}, "100/2018047", {}),
        ("permanent", {"subcode": 2018008}, "100/2018008", {"retryable": True}),
        ("permanent", {"subcode": 2018001}, "100/2018001", {"unreachable": True}),
        ("permanent", {"code": 2018300}, "2018300", {}),
        ("permanent", {"code": 1, "subcode": 1357046}, "1/1357046", {"ambiguous": True}),
        ("permanent", {"code": 10, "subcode": 1893063}, "10/1893063", {"retryable": True, "channel_wide": True}),
        ("permanent", {"code": 368}, "368", {"channel_wide": True}),
        ("permanent", {"code": 99999}, "99999", {}),
        ("blocked", {}, "551/1545041", {"unreachable": True}),
        ("blocked", {"code": 200}, "200/1545041", {"unreachable": True}),
        ("token", {}, "190/460", {"channel_wide": True}),
        ("token", {"code": 102}, "102/460", {"channel_wide": True}),
    ],
)
async def test_each_refusal_says_what_to_do(
    fake: FakeMessenger, sender: Sender, fault: str, options: dict[str, Any], code: str, fields: dict[str, Any]
) -> None:
    fake.faults.add(fault, times=1, **options)
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == (code, fields)
    assert (len(fake.journal), fake.seen("ana")) == (1, [])


async def test_the_wait_comes_from_the_usage_header_in_minutes(fake: FakeMessenger, sender: Sender) -> None:
    fake.faults.add("rate", times=1, retry_after_s=180, code=80006)
    assert (await failure(fake, sender)).retry_after_s == 180
    fake.faults.add("rate", times=1)
    assert (await failure(fake, sender)).retry_after_s == RATE_WAIT_S
    fake.faults.add("rate", times=1, code=4)
    assert (await failure(fake, sender)).retry_after_s is None


async def test_a_window_that_closed_is_permanent(fake: FakeMessenger, sender: Sender, clock: Clock) -> None:
    fake.user_message("ana", "hello")
    clock.now_s += WINDOW_S
    await sender.perform(hello(fake), page_of(fake), timeout_s=5)
    clock.now_s += 1
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == ("10/2018278", {})


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body, "")


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (answer(500, None), {"ambiguous": True}),
        (answer(502, {"message": "bad gateway"}), {"ambiguous": True}),
        (answer(200, None), {"ambiguous": True}),
        (answer(200, ["no object"]), {"ambiguous": True}),
        (answer(429, None), {"retryable": True}),
        (answer(302, None), {"channel_wide": True}),
        (answer(401, None), {"channel_wide": True}),
        (answer(404, None), {"channel_wide": True}),
        (answer(500, {"error": {"code": 99999}}), {"retryable": True}),
        (answer(400, {"error": {"code": 99999, "is_transient": True}}), {"retryable": True}),
        (answer(400, {"error": {"code": "190"}}), {"channel_wide": True}),
        (answer(400, {"error": {"code": {}, "error_subcode": []}}), {}),
        # Errors inside a 200 are errors.
        (answer(200, {"error": {"code": 551}}), {"unreachable": True}),
        (answer(400, {"error": {"code": 2500}}), {"channel_wide": True}),
    ],
)
def test_strange_answers_are_never_counted_as_sent(given: Answer, fields: dict[str, Any]) -> None:
    with pytest.raises(SendError) as raised:
        receipt_of(given, channel(), ERROR_MEANINGS)
    assert kept(raised.value) == fields


def test_an_accepted_answer_may_lack_the_id() -> None:
    assert receipt_of(answer(200, {"recipient_id": "1"}), channel(), ERROR_MEANINGS) == Receipt()
