"""The fake Messenger and our connector, each the other's judge: handshake, signature, echoes and reports.

The webhook here is the pure half alone behind a socket; what it accepted is read back as events.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from connectors.errors import SendError
from connectors.messenger import PLATFORM
from connectors.messenger.sender import Sender
from schemas.content import TextContent
from tests.contract.messenger_planning import plan
from tests.contract.meta_hook import Webhook, channels_of, listening
from tests.contract.meta_planning import part
from tests.fakes.messenger import PAGE_ID, SECOND_PAGE_ID, FakeMessenger
from tests.fakes.messenger_rules import Refused, check
from tests.harness.platform import running

fake = running(FakeMessenger, seed=1, redelivery_wait_s=0.01)


@pytest.fixture
async def webhook(fake: FakeMessenger) -> AsyncIterator[Webhook]:
    async with listening(fake, Webhook(PLATFORM, channels_of(fake, "page_id", (PAGE_ID, SECOND_PAGE_ID)))) as hook:
        yield hook


async def send(fake: FakeMessenger, webhook: Webhook, *, user: str = "ana", text: str = "hi", to: int = 0) -> str:
    """Send as the shop's or the cafe's channel; returns the message id."""
    page = webhook.channels[to]
    (call,) = plan(part(TextContent(text=text)), api_base=fake.base_url)
    url = call.url.replace(PAGE_ID, page.first("page_id"))
    body = call.body | {"recipient": {"id": fake.known_user(user)}}
    sender = Sender()
    try:
        (message_id,) = (await sender.perform(replace(call, url=url, body=body), page, timeout_s=5)).message_ids
    finally:
        await sender.close()
    return message_id


async def test_two_pages_of_one_app_reach_their_own_channels(fake: FakeMessenger, webhook: Webhook) -> None:
    pages = {page: [fake.user_message("ana", page)] for page in (SECOND_PAGE_ID, PAGE_ID)}
    assert await fake.deliver(fake.body_of_pages(pages)) == 200
    assert [(event.channel, event.data.content.text) for event in webhook.events] == [
        ("cafe", SECOND_PAGE_ID),
        ("shop", PAGE_ID),
    ]


@pytest.mark.parametrize("order", ["before", "after", "mixed"])
async def test_every_send_is_echoed_and_known_as_ours(fake: FakeMessenger, webhook: Webhook, order: Any) -> None:
    fake.echo_order, fake.sends_receipts = order, False
    mid = await send(fake, webhook)
    await webhook.arrived("message_echoed")
    (echo,) = webhook.events
    assert (echo.data.message_id, echo.data.tag, echo.data.is_ours) == (mid, "iris:part-1", True)
    assert echo.conversation_id == f"fb_shop_{fake.known_user('ana')}"


async def test_the_echo_may_come_before_the_answer(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.echo_order, fake.sends_receipts = "before", False
    await send(fake, webhook)
    assert webhook.kinds == ["message_echoed"]


async def test_the_answer_may_come_before_the_echo(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.echo_order, fake.sends_receipts = "after", False
    webhook.is_open.clear()
    await send(fake, webhook)
    assert webhook.kinds == []
    webhook.is_open.set()
    await webhook.arrived("message_echoed")


async def test_a_send_that_lost_its_answer_shows_in_its_echo(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.sends_receipts = False
    fake.faults.add("accept_then_reset", times=1)
    with pytest.raises(SendError, match="may have been sent"):
        await send(fake, webhook)
    await webhook.arrived("message_echoed")
    assert webhook.events[0].data.tag == "iris:part-1"
    assert fake.seen("ana") == ["hi"]


async def test_what_a_person_types_in_the_inbox_is_not_ours(fake: FakeMessenger, webhook: Webhook) -> None:
    assert await fake.deliver_events([fake.human_message("ana", "I take over")]) == 200
    (echo,) = webhook.events
    assert (echo.type, echo.data.is_ours, echo.data.content.text) == ("message_echoed", False, "I take over")


async def test_reports_follow_a_send_and_may_come_late_and_turned_round(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.echo_order = "none"
    mid = await send(fake, webhook)
    await webhook.arrived("delivery_reported", "delivery_reported", "message_read")
    assert [event.data.message_id for event in webhook.events[:2]] == [mid, None]
    webhook.records.clear()
    fake.faults.add("late_receipts", times=1, seconds=0)
    await send(fake, webhook)
    await webhook.arrived("delivery_reported", "delivery_reported", "message_read")
    assert webhook.kinds[0] == "message_read"


async def test_the_second_pages_echo_goes_to_its_channel(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.sends_receipts = False
    await send(fake, webhook, to=1)
    await webhook.arrived("message_echoed")
    assert webhook.events[0].channel == "cafe"


async def test_a_tap_is_a_message_while_the_quick_reply_is_shown(fake: FakeMessenger, webhook: Webhook) -> None:
    fake.echo_order, fake.sends_receipts = "none", False
    fake.quick_replies["ana"] = {"YES": "Yes"}
    await fake.choose("ana", "YES")
    await fake.choose("ana", "YES")
    assert [event.data.content.source for event in webhook.events] == ["quick_reply", "postback"]
    assert [event.data.content.data for event in webhook.events] == ["YES", "YES"]


async def test_a_page_token_sends_for_its_own_page_only(fake: FakeMessenger) -> None:
    token = fake.environment()["FAKE_MESSENGER_PAGE_TOKEN"]
    body = {"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "message": {"text": "hi"}}
    statuses = []
    async with aiohttp.ClientSession() as session:
        for page, given in ((PAGE_ID, token), ("me", token), (SECOND_PAGE_ID, token), (PAGE_ID, "other")):
            url, headers = f"{fake.base_url}/v26.0/{page}/messages", {"Authorization": f"Bearer {given}"}
            async with session.post(url, json=body, headers=headers) as answer:
                statuses.append((answer.status, ((await answer.json()).get("error") or {}).get("code")))
    assert statuses == [(200, None), (200, None), (400, 10), (400, 190)]


def request(**message: Any) -> dict[str, Any]:
    return {"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "message": message}


def button(title: str = "Yes", payload: str = "YES") -> dict[str, str]:
    return {"type": "postback", "title": title, "payload": payload}


def buttons(text: str = "?", *given: dict[str, str]) -> dict[str, Any]:
    payload = {"template_type": "button", "text": text, "buttons": list(given or [button()])}
    return request(attachment={"type": "template", "payload": payload})


def cards(*elements: dict[str, Any]) -> dict[str, Any]:
    return request(attachment={"type": "template", "payload": {"template_type": "generic", "elements": elements}})


def replies(count: int, title: str = "Yes") -> dict[str, Any]:
    reply = {"content_type": "text", "title": title, "payload": "YES"}
    return request(text="?", quick_replies=[reply] * count)


CARD = {"title": "Tea", "subtitle": "Green"}


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (request(text="x" * 2000), request(text="x" * 2001)),
        (request(text="hi"), request(text="")),
        (request(text="hi", metadata="x" * 999), request(text="hi", metadata="x" * 1000)),
        (replies(13), replies(14)),
        (replies(1, "x" * 20), replies(1, "x" * 21)),
        (buttons("x" * 640), buttons("x" * 641)),
        (buttons("?", *[button()] * 3), buttons("?", *[button()] * 4)),
        (buttons("?", button("x" * 20)), buttons("?", button("x" * 21))),
        (buttons("?", button(payload="x" * 1000)), buttons("?", button(payload="x" * 1001))),
        (cards(*[CARD] * 10), cards(*[CARD] * 11)),
        (cards(CARD), cards({"title": "Tea"})),
        (cards(CARD | {"title": "x" * 80}), cards(CARD | {"title": "x" * 81})),
        (cards(CARD | {"subtitle": "x" * 80}), cards(CARD | {"subtitle": "x" * 81})),
        (cards(CARD | {"buttons": [button()] * 3}), cards(CARD | {"buttons": [button()] * 4})),
        (request(text="hi") | {"reply_to": {"mid": "m"}}, request(text="hi", reply_to={"mid": "m"})),
        (
            request(text="hi") | {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
            request(text="hi") | {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"},
        ),
        (request(text="hi"), request(text="hi") | {"recipient": {"id": "U1"}}),
        (request(text="hi"), request(text="hi", sticker_id=1)),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check(taken)
    with pytest.raises(Refused):
        check(refused)


async def test_the_fake_stops_a_page_that_calls_too_fast(fake: FakeMessenger) -> None:
    token = fake.environment()["FAKE_MESSENGER_PAGE_TOKEN"]
    fake.clock = lambda: 1_790_000_000.0
    codes = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        for _ in range(301):
            url = f"{fake.base_url}/v26.0/me/messages"
            async with session.post(url, json=request(text="hi")) as answer:
                codes.append(((await answer.json()).get("error") or {}).get("code"))
    assert codes == [*[None] * 300, 613]
