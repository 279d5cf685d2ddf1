"""A picture on its way through everything: webhook → log → stored file → the AI, which is told our link."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from schemas.envelope import AnyEvent
from streams.broker import Broker
from streams.engine.failpoints import EXIT_CODE
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Log
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker

PICTURE = b"\xff\xd8\xff\xe0 hardly a picture" * 1000

STORED = b'"type":"media_stored"'


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


async def test_media_older_than_its_time_is_deleted_by_fetch(broker: Broker, tmp_path: Path) -> None:
    old = tmp_path / "data" / "media" / "ab" / ("ab" * 32)
    young = old.with_name("ab" + "cd" * 31)
    for path, age_days in ((old, 31), (young, 29)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)
        put_at_s = time.time() - age_days * 86_400
        os.utime(path, (put_at_s, put_at_s))
    settings = {"media_days": 30}
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"], settings=settings).running(["fetch"]):

        def gone() -> None:
            assert not old.exists()

        await eventually(gone, timeout_s=40)
        assert young.exists()


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


async def test_a_crash_between_the_event_and_its_acknowledgement_repeats_work_and_no_effect(
    broker: Broker, tmp_path: Path
) -> None:
    settings = {"instance_id": "one"}
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"], settings=settings).running() as it:
        fake: Any = it.fakes["line"]
        fetch = it.processes["fetch"]
        await fetch.terminate()
        await fetch.start(failpoints="fetch.after_outputs=1")
        await fake.deliver_events([fake.user_media("ann", PICTURE)])

        def died() -> None:
            assert not fetch.is_alive

        await eventually(died, timeout_s=20)
        assert await fetch.wait() == EXIT_CODE
        await fetch.start()

        async def told_twice() -> None:
            records = await read_topic(it.bootstrap, f"{it.prefix}conversation.events")
            assert len([record for record in records if STORED in (record.value or b"")]) == 2

        await eventually(told_twice, timeout_s=20)
        # Of two with one id the first counts.
        assert len(await events_of(it, "media_stored")) == 1
        await it.table_equals_fold()
        assert (len(it.ai.journal), len(fake.seen("ann"))) == (1, 1)


async def test_without_fetch_a_turn_goes_on_when_its_wait_is_over_and_what_comes_late_starts_none(
    broker: Broker, tmp_path: Path
) -> None:
    stages = ("intake", "normalise", "converse", "respond", "send")
    settings = {"media_wait_s": 0.5}
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"], settings=settings).running(stages) as it:
        fake: Any = it.fakes["line"]
        await fake.deliver_events([fake.user_media("ann", PICTURE)])

        def answered() -> None:
            assert len(fake.seen("ann")) == 1

        await eventually(answered, timeout_s=20)
        assert [event.data.name.partition(":")[0] for event in await events_of(it, "timer_fired")] == ["media"]
        await it.start(["fetch"])

        async def stored() -> None:
            assert len(await events_of(it, "media_stored")) == 1

        await eventually(stored, timeout_s=20)
        await it.table_equals_fold()
        assert len(it.ai.journal) == 1
