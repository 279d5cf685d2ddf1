"""The fake WhatsApp and our connector, each the other's judge: handshake, signature, people, taps and statuses.

The webhook here is the pure half alone behind a socket; what it accepted is read back as events.
"""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from connectors.errors import SendError
from connectors.interface import Window
from connectors.whatsapp import PLATFORM
from connectors.whatsapp.sender import Sender
from schemas.content import TextContent
from schemas.outbound import Part
from tests.contract.meta_hook import Webhook, channels_of, listening
from tests.contract.meta_planning import NOW_MS, numbered, part, taps
from tests.contract.whatsapp_planning import outbound
from tests.fakes.whatsapp import ACCESS_TOKEN, FakeWhatsApp
from tests.fakes.whatsapp_rules import Refused, check
from tests.fakes.whatsapp_webhooks import NUMBER_ID, SECOND_NUMBER_ID
from tests.harness.eventually import eventually
from tests.harness.platform import running

PHONED, NAMELESS = "bob", "ana"
"""A user whose phone number webhooks show, and one with a username."""


fake = running(FakeWhatsApp, seed=1, redelivery_wait_s=0.01)


@pytest.fixture
async def webhook(fake: FakeWhatsApp) -> AsyncIterator[Webhook]:
    async with listening(
        fake, Webhook(PLATFORM, channels_of(fake, "number_id", (NUMBER_ID, SECOND_NUMBER_ID)))
    ) as hook:
        yield hook


async def send(
    fake: FakeWhatsApp, webhook: Webhook, *, user: str = NAMELESS, said: Part | None = None, to: int = 0
) -> str:
    """Send as the shop's or the cafe's channel; returns the message id."""
    number = webhook.channels[to]
    message = outbound(said or part(TextContent(text="hi")), peer=fake.known_user(user))
    (call,) = PLATFORM.plan(message, Window(NOW_MS), number)
    sender = Sender()
    try:
        (message_id,) = (await sender.perform(call, number, timeout_s=5)).message_ids
    finally:
        await sender.close()
    return message_id


def statuses(webhook: Webhook) -> list[str]:
    return [event.data.status for event in webhook.events if event.type == "delivery_reported"]


async def reported(webhook: Webhook, *expected: str) -> None:
    """These statuses have come, in any order, and no others."""

    def check_statuses() -> None:
        assert sorted(statuses(webhook)) == sorted(expected)

    await eventually(check_statuses)


async def test_users_with_and_without_a_phone_number_are_named_by_their_user_id(
    fake: FakeWhatsApp, webhook: Webhook
) -> None:
    assert (fake.phone_of(PHONED) is not None, fake.phone_of(NAMELESS)) == (True, None)
    for user in (PHONED, NAMELESS, "15555550123"):
        await fake.say(user, "hi")
    peers = [fake.native_user(PHONED), fake.native_user(NAMELESS), "15555550123"]
    assert [event.conversation_id for event in webhook.events] == [f"wa_shop_{peer}" for peer in peers]
    assert [event.data.metadata.get("wa_id") for event in webhook.events] == [
        fake.phone_of(PHONED),
        None,
        "15555550123",
    ]


async def test_two_numbers_of_one_app_reach_their_own_channels(fake: FakeWhatsApp, webhook: Webhook) -> None:
    numbers = {number: [fake.user_message("ana", number)] for number in (SECOND_NUMBER_ID, NUMBER_ID)}
    assert await fake.deliver(fake.body_of_numbers(numbers)) == 200
    assert [(event.channel, event.data.content.text) for event in webhook.events] == [
        ("cafe", SECOND_NUMBER_ID),
        ("shop", NUMBER_ID),
    ]


@pytest.mark.parametrize("user", [PHONED, NAMELESS, "15555550123"])
@pytest.mark.parametrize("order", ["before", "after", "mixed"])
async def test_every_send_is_reported_to_its_conversation(
    fake: FakeWhatsApp, webhook: Webhook, user: str, order: Any
) -> None:
    fake.report_order = order
    wamid = await send(fake, webhook, user=user)
    await reported(webhook, "sent", "delivered", "read")
    assert {(event.data.message_id, event.data.tag) for event in webhook.events} == {(wamid, "iris:part-1")}
    assert {event.conversation_id for event in webhook.events} == {f"wa_shop_{fake.known_user(user)}"}
    assert len({event.id for event in webhook.events}) == 3


async def test_the_first_report_may_come_before_the_answer(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.report_order = "before"
    await send(fake, webhook)
    assert "sent" in statuses(webhook)


async def test_the_answer_may_come_before_any_report(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.report_order = "after"
    webhook.is_open.clear()
    await send(fake, webhook)
    assert webhook.events == []
    webhook.is_open.set()
    await reported(webhook, "sent", "delivered", "read")


async def test_reports_may_come_late_and_turned_round(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.faults.add("late_receipts", times=1, seconds=0)
    await send(fake, webhook)
    await reported(webhook, "read", "delivered", "sent")
    assert statuses(webhook) == ["read", "delivered", "sent"]


async def test_a_send_that_lost_its_answer_shows_in_its_reports(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.faults.add("accept_then_reset", times=1)
    with pytest.raises(SendError, match="may have been sent"):
        await send(fake, webhook)
    await reported(webhook, "sent", "delivered", "read")
    assert {event.data.tag for event in webhook.events} == {"iris:part-1"}
    assert fake.seen(NAMELESS) == ["hi"]


async def test_what_was_accepted_may_fail_afterwards(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.failures[NAMELESS] = 131026
    wamid = await send(fake, webhook)
    await reported(webhook, "failed")
    (event,) = webhook.events
    assert (event.data.message_id, event.data.errors[0]["code"]) == (wamid, 131026)
    assert event.conversation_id == f"wa_shop_{fake.known_user(NAMELESS)}"
    assert fake.seen(NAMELESS) == []


async def test_the_second_numbers_reports_go_to_its_channel(fake: FakeWhatsApp, webhook: Webhook) -> None:
    await send(fake, webhook, to=1)
    await reported(webhook, "sent", "delivered", "read")
    assert {event.channel for event in webhook.events} == {"cafe"}


async def test_a_tap_tells_what_the_button_or_row_carries(fake: FakeWhatsApp, webhook: Webhook) -> None:
    fake.report_order = "none"
    await send(fake, webhook, said=part(TextContent(text="?"), *taps("Yes")))
    await send(fake, webhook, said=part(TextContent(text="?"), *numbered(4)))
    for data in ("YES", "B3", "TEMPLATE"):
        await fake.choose(NAMELESS, data)
    shown = [(event.data.content.source, event.data.content.data, event.data.content.title) for event in webhook.events]
    assert shown == [("button", "YES", "Yes"), ("list_reply", "B3", "b3"), ("button", "TEMPLATE", "TEMPLATE")]
    assert [event.data.reply_to for event in webhook.events] == [*(call["ids"][0] for call in fake.journal), None]


async def test_what_a_person_types_in_the_phone_app_is_not_ours(fake: FakeWhatsApp, webhook: Webhook) -> None:
    assert await fake.deliver(fake.human_message("ana", "I take over")) == 200
    (echo,) = webhook.events
    assert (echo.type, echo.data.is_ours, echo.data.content.text) == ("message_echoed", False, "I take over")
    assert echo.conversation_id == f"wa_shop_{fake.known_user('ana')}"


async def test_a_reaction_is_set_and_taken_back(fake: FakeWhatsApp, webhook: Webhook) -> None:
    await fake.deliver_events([fake.user_reaction("ana", "wamid.1"), fake.user_reaction("ana", "wamid.1", "")])
    assert [(event.data.emoji, event.data.is_removed) for event in webhook.events] == [("❤️", False), ("", True)]


def request(kind: str, value: Any, **frame: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": "15555550123", "type": kind, kind: value} | frame


def text(length: int, **frame: Any) -> dict[str, Any]:
    return request("text", {"body": "x" * length}, **frame)


def buttons(count: int = 1, *, body: int = 1, title: int = 0, id: int = 0) -> dict[str, Any]:
    made = [
        {"type": "reply", "reply": {"id": f"{n}".ljust(id, "d"), "title": f"{n}".ljust(title, "t")}}
        for n in range(count)
    ]
    return request("interactive", {"type": "button", "body": {"text": "x" * body}, "action": {"buttons": made}})


def rows(count: int = 1, **lengths: int) -> dict[str, Any]:
    made = [
        {"id": f"{n}".ljust(lengths.get("id", 0), "d"), "title": f"{n}".ljust(lengths.get("title", 0), "t")}
        | ({"description": "d" * lengths["description"]} if "description" in lengths else {})
        for n in range(count)
    ]
    action = {"button": "b" * lengths.get("button", 1), "sections": [{"rows": made}]}
    return request("interactive", {"type": "list", "body": {"text": "x" * lengths.get("body", 1)}, "action": action})


def link(*, title: int = 1, url: str = "https://example.com", body: int = 1) -> dict[str, Any]:
    parameters = {"display_text": "x" * title, "url": url}
    action = {"name": "cta_url", "parameters": parameters}
    return request("interactive", {"type": "cta_url", "body": {"text": "x" * body}, "action": action})


def image(**more: Any) -> dict[str, Any]:
    return request("image", {"link": "https://example.com/a.jpg"} | more)


def contacts(count: int) -> dict[str, Any]:
    return request("contacts", [{"name": {"formatted_name": "A", "first_name": "A"}}] * count)


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        (text(4096), text(4097)),
        (text(1), text(0)),
        (text(1, biz_opaque_callback_data="x" * 512), text(1, biz_opaque_callback_data="x" * 513)),
        (text(1, context={"message_id": "w"}), text(1, context="w")),
        (text(1), text(1, recipient="US.1")),
        (text(1, recipient_type="group", to="G1="), text(1, to="G1=")),
        (buttons(3), buttons(4)),
        (buttons(1), buttons(0)),
        (buttons(body=1024), buttons(body=1025)),
        (buttons(title=20), buttons(title=21)),
        (buttons(id=256), buttons(id=257)),
        (rows(10), rows(11)),
        (rows(body=4096), rows(body=4097)),
        (rows(title=24), rows(title=25)),
        (rows(description=72), rows(description=73)),
        (rows(id=200), rows(id=201)),
        (rows(button=20), rows(button=21)),
        (link(title=20), link(title=21)),
        (link(body=1024), link(body=1025)),
        (link(), link(url="tel:1")),
        (image(caption="x" * 1024), image(caption="x" * 1025)),
        (image(), image(id="4")),
        (request("audio", {"id": "4", "voice": True}), request("audio", {"id": "4", "caption": "x"})),
        (contacts(257), contacts(258)),
        (
            request("location", {"latitude": 90, "longitude": 180}),
            request("location", {"latitude": 91, "longitude": 0}),
        ),
        (request("reaction", {"message_id": "w", "emoji": ""}), request("reaction", {"message_id": "w"})),
        (request("template", {"name": "t", "language": {"code": "th"}}), request("template", {"name": "t"})),
        ({"messaging_product": "whatsapp", "status": "read", "message_id": "w"}, {"status": "read", "message_id": "w"}),
    ],
)
def test_the_fake_keeps_each_limit_exactly(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    check(taken)
    with pytest.raises(Refused):
        check(refused)


def test_the_fake_takes_a_user_id_as_recipient_only() -> None:
    sent = request("text", {"body": "x"})
    del sent["to"]
    check(sent | {"recipient": "US.10000000000000000001"})
    for wrong in ({"recipient": "15555550123"}, {"to": "US.10000000000000000001"}, {}):
        with pytest.raises(Refused):
            check(sent | wrong)


async def codes_of(fake: FakeWhatsApp, *requests: dict[str, Any], token: str = ACCESS_TOKEN) -> list[int | None]:
    found = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        for body in requests:
            async with session.post(f"{fake.base_url}/v26.0/{NUMBER_ID}/messages", json=body) as answer:
                found.append(((await answer.json()).get("error") or {}).get("code"))
    return found


async def test_the_fake_stops_a_number_that_sends_too_fast(fake: FakeWhatsApp) -> None:
    fake.clock = lambda: 1_790_000_000.0
    fake.messages_per_s = 80
    assert await codes_of(fake, *[text(1)] * 81) == [*[None] * 80, 130429]


async def test_the_fake_knows_its_token_and_marks_messages_as_read(fake: FakeWhatsApp) -> None:
    seen = {"messaging_product": "whatsapp", "status": "read", "message_id": "w", "typing_indicator": {"type": "text"}}
    assert await codes_of(fake, seen) == [None]
    assert await codes_of(fake, seen, token="other") == [190]
    assert fake.seen("15555550123") == []
