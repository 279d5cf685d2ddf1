"""Templates on a real broker: what the account's list and a webhook say decides what `send` sends."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.content import TemplateContent
from schemas.outbound import OutboundMessage, Part
from schemas.registry import encode
from streams.app import STAGES
from streams.broker import Broker
from tests.fakes.meta import wire_json
from tests.fakes.whatsapp import FakeWhatsApp
from tests.fakes.whatsapp_webhooks import ACCOUNT_ID
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.eventually import eventually
from tests.harness.topics import producing, read_topic

pytestmark = pytest.mark.broker

PEER = "15555550123"
CONVERSATION = f"wa_{CHANNEL}_{PEER}"


def message_of(number: int) -> bytes:
    template = Part(id=f"part-{number}", content=TemplateContent(name="promo", parameters=("Ana",)))
    message = OutboundMessage(
        id=f"message-{number}",
        conversation_id=CONVERSATION,
        platform="whatsapp",
        channel=CHANNEL,
        peer=PEER,
        parts=(template,),
        causation_id="cause",
        correlation_id="turn",
        created_at=1_790_000_000_000,
    )
    return encode(message)


async def test_only_a_template_that_is_approved_by_now_is_sent(broker: Broker, tmp_path: Path) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["whatsapp"], settings={"partitions": 3})
    fake = it.fakes["whatsapp"]
    assert isinstance(fake, FakeWhatsApp)
    fake.account.add_template("promo", "th", "PENDING")

    async def events(kind: str) -> list[dict[str, Any]]:
        stored = await read_topic(it.bootstrap, f"{it.prefix}conversation.events")
        read = [orjson.loads(record.value or b"{}") for record in stored]
        return [event for event in read if event["type"] == kind]

    async def is_known(status: str) -> None:
        stored = await read_topic(it.bootstrap, f"{it.prefix}control")
        states = [orjson.loads(one.value or b"{}") for one in stored if (one.key or b"").startswith(b"template/")]
        assert [state["status"] for state in states][-1:] == [status]

    async def send(number: int) -> None:
        async with producing(it.bootstrap) as producer:
            await producer.send_and_wait(f"{it.prefix}outbound.whatsapp", message_of(number), key=CONVERSATION.encode())

    async with it.running(("intake", *STAGES)):
        await eventually(lambda: is_known("pending"), timeout_s=20)
        await send(1)

        async def has_failed() -> None:
            failed = await events("message_failed")
            assert [event["data"]["reason"] for event in failed] == ["template_not_approved"]

        await eventually(has_failed, timeout_s=20)
        assert not any(call["accepted"] for call in fake.journal)

        value = {"event": "APPROVED", "message_template_name": "promo", "message_template_language": "th"}
        change = {"field": "message_template_status_update", "value": value}
        entry = {"id": ACCOUNT_ID, "changes": [change]}
        assert await fake.deliver(wire_json({"object": "whatsapp_business_account", "entry": [entry]})) == 200
        await eventually(lambda: is_known("approved"), timeout_s=20)

        async def is_sent() -> None:
            await send(2)
            assert any("promo" in text for text in fake.seen(PEER))

        await eventually(is_sent, timeout_s=20, interval_s=0.5)
