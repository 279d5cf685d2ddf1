"""The fake Instagram and our connector, each the other's judge: handshake, signature, echoes and read reports.

The webhook here is the pure half alone behind a socket; what it accepted is read back as events.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from connectors.errors import SendError
from connectors.instagram import PLATFORM
from connectors.instagram.sender import Sender
from schemas.content import TextContent
from tests.contract.instagram_planning import plan
from tests.contract.meta_hook import Webhook, channels_of, listening
from tests.contract.meta_planning import part
from tests.fakes.instagram import ACCOUNT_ID, PAGE_ACCOUNT_ID, TOKENS, FakeInstagram
from tests.fakes.instagram_rules import check
from tests.fakes.messenger_rules import Refused
from tests.harness.platform import running

fake = running(FakeInstagram, seed=1, redelivery_wait_s=0.01)


@pytest.fixture
async def webhook(fake: FakeInstagram) -> AsyncIterator[Webhook]:
    async with listening(fake, Webhook(PLATFORM, channels_of(fake, "account", (ACCOUNT_ID, PAGE_ACCOUNT_ID)))) as hook:
        yield hook


async def send(fake: FakeInstagram, webhook: Webhook, *, to: int = 0) -> str:
    """Greet Ana as the shop's or the cafe's channel; returns the message id."""
    account = webhook.channels[to]
    (call,) = plan(part(TextContent(text="hi")), account=account)
    call = replace(call, body=call.body | {"recipient": {"id": fake.known_user("ana")}})
    sender = Sender()
    try:
        (message_id,) = (await sender.perform(call, account, timeout_s=5)).message_ids
    finally:
        await sender.close()
    return message_id


async def test_a_story_reply_and_its_unsend_keep_their_place(fake: FakeInstagram, webhook: Webhook) -> None:
    said = fake.user_story_reply("ana", "Nice story")
    mid = fake.native_id(said)
    await fake.deliver_events([said, fake.user_unsend("ana", mid), fake.user_reaction("ana", mid)])
    assert [(event.type, event.data.message_id) for event in webhook.events] == [
        ("message_received", mid),
        ("message_deleted", mid),
        ("reaction_changed", mid),
    ]
    assert webhook.events[0].data.content.relation == "reply"


@pytest.mark.parametrize("order", ["before", "after", "mixed"])
async def test_every_send_is_echoed_and_known_as_ours(fake: FakeInstagram, webhook: Webhook, order: Any) -> None:
    fake.echo_order, fake.sends_receipts = order, False
    mid = await send(fake, webhook)
    await webhook.arrived("message_echoed")
    (echo,) = webhook.events
    assert (echo.data.message_id, echo.data.tag, echo.data.is_ours) == (mid, "iris:part-1", True)
    assert echo.conversation_id == f"ig_shop_{fake.known_user('ana')}"


async def test_an_echo_without_our_mark_leaves_the_judgement_to_the_conversation(
    fake: FakeInstagram, webhook: Webhook
) -> None:
    fake.echo_order, fake.sends_receipts, fake.echoes_marks = "before", False, False
    mid = await send(fake, webhook)
    (echo,) = webhook.events
    assert (echo.data.message_id, echo.data.tag, echo.data.is_ours) == (mid, None, None)


async def test_the_answer_may_come_before_the_echo(fake: FakeInstagram, webhook: Webhook) -> None:
    fake.echo_order, fake.sends_receipts = "after", False
    webhook.is_open.clear()
    await send(fake, webhook)
    assert webhook.kinds == []
    webhook.is_open.set()
    await webhook.arrived("message_echoed")


async def test_a_send_that_lost_its_answer_shows_in_its_echo(fake: FakeInstagram, webhook: Webhook) -> None:
    fake.sends_receipts = False
    fake.faults.add("accept_then_reset", times=1)
    with pytest.raises(SendError, match="may have been sent"):
        await send(fake, webhook)
    await webhook.arrived("message_echoed")
    assert webhook.events[0].data.tag == "iris:part-1"
    assert fake.seen("ana") == ["hi"]


async def test_what_a_person_types_in_the_app_is_not_claimed(fake: FakeInstagram, webhook: Webhook) -> None:
    assert await fake.deliver_events([fake.human_message("ana", "I take over")]) == 200
    (echo,) = webhook.events
    assert (echo.type, echo.data.is_ours, echo.data.content.text) == ("message_echoed", None, "I take over")


async def test_a_read_report_names_the_message_and_may_overtake_the_echo(fake: FakeInstagram, webhook: Webhook) -> None:
    mid = await send(fake, webhook)
    await webhook.arrived("message_echoed", "message_read")
    (seen,) = [event for event in webhook.events if event.type == "message_read"]
    assert (seen.data.message_id, seen.data.watermark) == (mid, None)


async def test_the_linked_accounts_echo_goes_to_its_channel(fake: FakeInstagram, webhook: Webhook) -> None:
    fake.sends_receipts = False
    await send(fake, webhook, to=1)
    await webhook.arrived("message_echoed")
    assert webhook.events[0].channel == "cafe"


async def test_two_accounts_of_one_app_reach_their_own_channels(fake: FakeInstagram, webhook: Webhook) -> None:
    accounts = {account: [fake.user_message("ana", account)] for account in (PAGE_ACCOUNT_ID, ACCOUNT_ID)}
    assert await fake.deliver(fake.body_of_accounts(accounts)) == 200
    assert [(event.channel, event.data.content.text) for event in webhook.events] == [
        ("cafe", PAGE_ACCOUNT_ID),
        ("shop", ACCOUNT_ID),
    ]


async def test_a_tap_is_a_message_while_the_quick_reply_is_shown(fake: FakeInstagram, webhook: Webhook) -> None:
    fake.quick_replies["ana"] = {"YES": "Yes"}
    await fake.choose("ana", "YES")
    await fake.choose("ana", "YES")
    assert [event.data.content.source for event in webhook.events] == ["quick_reply", "postback"]


def request(**message: Any) -> dict[str, Any]:
    return {"recipient": {"id": "8"}, "message": message}


def attached(kind: str, **payload: Any) -> dict[str, Any]:
    return request(attachment={"type": kind, **({"payload": payload} if payload else {})})


def replies(count: int, kind: str = "text", title: str = "Yes") -> dict[str, Any]:
    return request(text="?", quick_replies=[{"content_type": kind, "title": title, "payload": "YES"}] * count)


def album(count: int, kind: str = "image") -> dict[str, Any]:
    return request(attachments=[{"type": kind, "payload": {"url": "https://files.example.com/a"}}] * count)


def buttons(text: str, count: int) -> dict[str, Any]:
    button = {"type": "postback", "title": "Yes", "payload": "YES"}
    return attached("template", template_type="button", text=text, buttons=[button] * count)


def cards(count: int) -> dict[str, Any]:
    return attached("template", template_type="generic", elements=[{"title": "Tea", "subtitle": "Green"}] * count)


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (request(text="x" * 1000), request(text="x" * 1001)),
        (request(text="ก" * 333), request(text="ก" * 334)),
        (request(text="hi"), request(text="")),
        (request(text="hi"), request(text="hi", sticker_id=369239263222822)),
        (replies(13), replies(14)),
        (replies(1, title="x" * 20), replies(1, title="x" * 21)),
        (replies(1), replies(1, "user_phone_number")),
        (album(10), album(11)),
        (album(1), album(1, "video")),
        (buttons("x" * 640, 3), buttons("x" * 641, 3)),
        (buttons("?", 3), buttons("?", 4)),
        (cards(10), cards(11)),
        (attached("like_heart"), attached("like_heart", url="https://files.example.com/a")),
        (attached("MEDIA_SHARE", id="17900000000000001"), attached("MEDIA_SHARE")),
        (request(text="hi") | {"reply_to": {"mid": "m"}}, request(text="hi", reply_to={"mid": "m"})),
        (
            request(text="hi") | {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"},
            request(text="hi") | {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"},
        ),
        (request(text="hi"), request(text="hi") | {"template": {"name": "x"}}),
        (request(text="hi"), request(text="hi") | {"recipient": {"id": "U1"}}),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check(taken, needs_type=False)
    with pytest.raises(Refused):
        check(refused, needs_type=False)


def test_only_a_pages_send_api_wants_the_messaging_type() -> None:
    check(request(text="hi"), needs_type=False)
    with pytest.raises(Refused):
        check(request(text="hi"), needs_type=True)


async def test_the_fake_stops_an_account_that_calls_too_fast(fake: FakeInstagram) -> None:
    fake.clock = lambda: 1_790_000_000.0
    codes = []
    headers = {"Authorization": f"Bearer {TOKENS[ACCOUNT_ID]}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(101):
            async with session.post(f"{fake.base_url}/v26.0/me/messages", json=request(text="hi")) as answer:
                error = (await answer.json()).get("error") or {}
                codes.append((error.get("code"), error.get("error_subcode")))
    assert codes == [*[(None, None)] * 100, (613, 2534040)]
