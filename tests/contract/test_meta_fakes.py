"""The fakes of Meta's platforms and our connectors, each the other's judge, as far as all of them are alike.

The webhook here is the pure half alone behind a socket; what it accepted is read back as events.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.registry import platform_named
from tests.contract.meta_hook import Webhook, channel_of, listening
from tests.contract.test_meta_webhooks import META
from tests.fakes.__main__ import discovered


@pytest.fixture(params=META)
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    server = discovered()[request.param](seed=1)
    server.redelivery_wait_s = 0.01
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def webhook(fake: Any) -> AsyncIterator[Webhook]:
    async with listening(fake, Webhook(platform_named(fake.name), [channel_of(fake)])) as hook:
        yield hook


async def test_the_url_check_passes_with_the_right_token_only(fake: Any, webhook: Webhook) -> None:
    assert await fake.check_url()
    assert not await fake.check_url(verify_token="wrong")


async def test_what_a_user_writes_comes_through_its_escapes(fake: Any, webhook: Webhook) -> None:
    text = 'สวัสดี 👋 <b>100%</b> a@b.co/x \\ "q" \\u0041'
    mid = await fake.say("ana", text)
    (event,) = webhook.events
    assert (event.type, event.data.message_id, event.data.content.text) == ("message_received", mid, text)
    assert event.conversation_id == f"{webhook.platform.prefix}shop_{fake.known_user('ana')}"


async def test_a_body_without_a_good_signature_stores_nothing(fake: Any, webhook: Webhook) -> None:
    body = fake.body([fake.user_message("ana", "hi")])
    assert await fake.deliver(body, headers={"X-Hub-Signature-256": "sha256=" + "0" * 64}) == 403
    assert await fake.deliver(body, headers={}) == 403
    assert webhook.records == []


async def test_a_failed_delivery_comes_again_as_the_same_event(fake: Any, webhook: Webhook) -> None:
    fake.faults.add("duplicate_webhook", times=1)
    await fake.say("ana", "hi")
    webhook.status = 503
    await fake.say("bob", "lost for good")
    await webhook.arrived("message_received", "message_received")
    assert len({event.id for event in webhook.events}) == 1
    assert sorted(delivery["status"] for delivery in fake.deliveries) == [200, 200, *[503] * (1 + fake.redeliveries)]
