"""WhatsApp's sender against the fake over HTTP: one attempt each, and what every failure leaves the caller to do."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.shared.http import Answer
from connectors.shared.meta.graph import receipt_of
from connectors.whatsapp.api import ERROR_MEANINGS
from connectors.whatsapp.sender import Sender
from schemas.content import TemplateContent, TextContent
from schemas.outbound import PartContent
from tests.contract.meta_planning import part
from tests.contract.whatsapp_kit import channel
from tests.contract.whatsapp_planning import plan
from tests.fakes.whatsapp import ACCESS_TOKEN, PAIR_BURST, PAIR_PAUSE_S, WINDOW_S, FakeWhatsApp
from tests.harness.platform import Clock, closing, running

fake = running(FakeWhatsApp, seed=1)
sender = closing(lambda _: Sender())


def number_of(fake: FakeWhatsApp, *, token: str = ACCESS_TOKEN) -> Channel:
    """The fake's number as a channel of ours."""
    return Channel("main", "whatsapp", channel(access_token=token).values, api_base=fake.base_url)


def call_to(fake: FakeWhatsApp, user: str = "ana", content: PartContent | None = None) -> Call:
    """A call that greets this user."""
    (call,) = plan(part(content or TextContent(text="hi")), api_base=fake.base_url, peer=fake.known_user(user))
    return call


def kept(error: SendError) -> dict[str, Any]:
    """The fields that are set."""
    fields = ("retryable", "ambiguous", "channel_wide", "unreachable", "replan", "retry_after_s")
    return {name: getattr(error, name) for name in fields if getattr(error, name)}


async def failure(fake: FakeWhatsApp, sender: Sender, *, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as raised:
        await sender.perform(call_to(fake), number_of(fake), timeout_s=timeout_s)
    return raised.value


@pytest.mark.parametrize("user", ["ana", "bob", "15555550123"])
async def test_an_accepted_call_gives_the_platforms_id_with_and_without_a_phone_number(
    fake: FakeWhatsApp, sender: Sender, user: str
) -> None:
    receipt = await sender.perform(call_to(fake, user), number_of(fake), timeout_s=5)
    assert receipt == Receipt(tuple(fake.journal[0]["ids"]))
    assert receipt.message_ids[0].startswith("wamid.")
    assert fake.seen(user) == ["hi"]


RETRY, PAUSE = {"retryable": True}, {"channel_wide": True}
NONE: dict[str, Any] = {}

CODES: list[tuple[int, dict[str, Any]]] = [
    *((code, PAUSE) for code in (0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131037, 131042, 131045, 133010)),
    *((code, RETRY) for code in (1, 2, 4, 80007, 131000, 131016, 131052, 131053, 131208, 132069, 133016)),
    (130429, {"retryable": True, "retry_after_s": 1.0}),
    (131056, {"retryable": True, "retry_after_s": 6.0}),
    (131048, {"retryable": True, "channel_wide": True, "retry_after_s": 3600.0}),
    (131057, {"retryable": True, "channel_wide": True, "retry_after_s": 60.0}),
    (131026, {"unreachable": True}),
    *((code, NONE) for code in (100, 131008, 131009, 131021, 131030, 131047, 131049, 131050, 131051, 131020, 131041)),
    *((code, NONE) for code in (130472, 130497, 131062, 131063, 131064, 135000, 137000, 131201, 99999)),
    *((code, NONE) for code in (132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068)),
]
"""Every code of "Error codes", and what its fields say."""


@pytest.mark.parametrize(("code", "fields"), CODES)
async def test_each_code_says_what_to_do(fake: FakeWhatsApp, sender: Sender, code: int, fields: dict[str, Any]) -> None:
    fake.faults.add("permanent", times=1, code=code)
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == (str(code), fields)
    assert (len(fake.journal), fake.seen("ana")) == (1, [])


@pytest.mark.parametrize("code", [4, 80007, 130429, 131048, 131056, 133016])
async def test_throttling_inside_a_400_is_throttling(fake: FakeWhatsApp, sender: Sender, code: int) -> None:
    fake.faults.add("rate", times=1, code=code, status=400)
    assert (await failure(fake, sender)).retryable


@pytest.mark.parametrize("code", [131008, 131047, 131045, 132001, 133010])
async def test_what_will_never_work_is_not_tried_again_whatever_status_it_has(
    fake: FakeWhatsApp, sender: Sender, code: int
) -> None:
    fake.faults.add("permanent", times=1, code=code, status=500)
    assert not (await failure(fake, sender)).retryable


async def test_the_wait_comes_from_the_usage_header_in_minutes(fake: FakeWhatsApp, sender: Sender) -> None:
    fake.faults.add("rate", times=1, retry_after_s=180, code=80007)
    assert (await failure(fake, sender)).retry_after_s == 180
    fake.faults.add("rate", times=1)
    assert (await failure(fake, sender)).retry_after_s == 1.0


async def test_outside_of_the_window_only_a_template_gets_through(
    fake: FakeWhatsApp, sender: Sender, clock: Clock
) -> None:
    fake.user_message("ana", "hello")
    clock.now_s += WINDOW_S
    await sender.perform(call_to(fake), number_of(fake), timeout_s=5)
    clock.now_s += 1
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == ("131047", {})
    template = call_to(fake, content=TemplateContent(name="order_update"))
    assert (await sender.perform(template, number_of(fake), timeout_s=5)).message_ids


async def test_a_pair_that_is_too_fast_waits_and_no_other_does(
    fake: FakeWhatsApp, sender: Sender, clock: Clock
) -> None:
    fake.is_strict = True
    for _ in range(PAIR_BURST):
        await sender.perform(call_to(fake), number_of(fake), timeout_s=5)
    error = await failure(fake, sender)
    assert (error.code, error.retry_after_s, error.channel_wide) == ("131056", PAIR_PAUSE_S, False)
    await sender.perform(call_to(fake, "bob"), number_of(fake), timeout_s=5)
    clock.now_s += PAIR_PAUSE_S
    await sender.perform(call_to(fake), number_of(fake), timeout_s=5)


async def test_a_wrong_number_id_stops_the_channel(fake: FakeWhatsApp, sender: Sender) -> None:
    call = call_to(fake)
    with pytest.raises(SendError) as raised:
        await sender.perform(replace(call, url=call.url.replace("3000", "3999")), number_of(fake), timeout_s=5)
    assert (raised.value.code, kept(raised.value)) == ("100/33", PAUSE)


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, body, "")


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (answer(500, None), {"ambiguous": True}),
        (answer(200, None), {"ambiguous": True}),
        (answer(429, None), {"retryable": True, "retry_after_s": 1.0}),
        (answer(404, None), PAUSE),
        (answer(500, {"error": {"code": 99999}}), RETRY),
        (answer(400, {"error": {"code": 99999, "is_transient": True}}), RETRY),
        (answer(400, {"error": {"code": "190"}}), PAUSE),
        # Errors inside a 200 are errors.
        (answer(200, {"error": {"code": 131026}}), {"unreachable": True}),
        (answer(400, {"error": {"code": 131009, "error_subcode": 2494010}}), NONE),
    ],
)
def test_strange_answers_are_never_counted_as_sent(given: Answer, fields: dict[str, Any]) -> None:
    with pytest.raises(SendError) as raised:
        receipt_of(given, channel(), ERROR_MEANINGS)
    assert kept(raised.value) == fields
