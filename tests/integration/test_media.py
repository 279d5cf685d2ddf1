"""A picture on its way through everything: webhook → log → stored file → the AI, which is told our link."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from schemas.envelope import AnyEvent
from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Log
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker

PICTURE = b"\xff\xd8\xff\xe0 hardly a picture" * 1000


async def events_of(it: Deployment, kind: str) -> list[AnyEvent]:
    return Log(await read_topic(it.bootstrap, f"{it.prefix}conversation.events")).of(kind)


def behind(link: str) -> bytes:
    """The stored file."""
    return Path(urlsplit(link).path).read_bytes()


async def test_a_picture_is_stored_before_the_ai_is_asked_about_it_though_its_first_link_has_died(
    broker: Broker, tmp_path: Path
) -> None:
    async with Deployment(broker.bootstrap, tmp_path, platforms=["whatsapp"]).running() as it:
        fake: Any = it.fakes["whatsapp"]
        native = fake.user_media("ann", PICTURE, with_link=True)
        fake.shelf.kill_links()
        await fake.deliver_events([native])

        def answered() -> None:
            assert len(fake.seen("ann")) == 1

        await eventually(answered, timeout_s=20)
        (question,) = it.ai.journal
        link = question["body"]["message"]["media_url"]
        assert hashlib.sha256(behind(link)).digest() == hashlib.sha256(PICTURE).digest()
        (event,) = await events_of(it, "media_stored")
        assert (event.data.content.url, event.data.content.sha256) == (link, hashlib.sha256(PICTURE).hexdigest())
        assert [status for path, status in fake.lookups][:3] == [404, 200, 200]
        (profile,) = await events_of(it, "profile_updated")
        assert profile.data.content["name"] == "ann"
        await it.table_equals_fold()


async def test_a_picture_that_cannot_be_had_does_not_keep_its_turn_waiting(broker: Broker, tmp_path: Path) -> None:
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"]).running() as it:
        fake: Any = it.fakes["line"]
        native = fake.user_media("ann", PICTURE)
        fake.shelf.items.clear()
        await fake.deliver_events([native])

        def answered() -> None:
            assert len(fake.seen("ann")) == 1

        await eventually(answered, timeout_s=20)
        (failed,) = await events_of(it, "media_failed")
        assert failed.data.reason == "gone"
        (requested,) = await events_of(it, "reply_requested")
        assert requested.causation_id == failed.id
        assert it.ai.journal[0]["body"]["message"].get("media_url") is None
