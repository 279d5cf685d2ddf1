"""Stored media on its way out, wired as in production: the stage reads it back from the store and the platform gets it.

Only the broker is missing: the stage is the one that ``streams.app`` builds, its table is in memory.
"""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import platform_named, platforms
from schemas.content import MediaContent
from schemas.ids import conversation_id
from schemas.outbound import OutboundMessage, Part
from schemas.registry import encode
from streams.app import BUILDERS, build_topics, configured_channels
from streams.engine.api import Record
from streams.media_store import media_store
from streams.settings import Settings
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform
from tests.harness.channels import configure
from tests.unit.send_view import MemoryView, Table

PICTURE = b"\x89PNG hardly a picture" * 100_000
"""More than aiohttp writes at once."""

UPLOADING = ("messenger", "telegram", "wechat", "whatsapp")


async def sent(fake: FakePlatform, url: str) -> dict[str, str]:
    """How the log says that the parts of one message with this picture ended."""
    settings = Settings()
    topics, channels = build_topics(settings), configured_channels(settings)
    platform = platform_named(fake.name)
    peer = fake.known_user("ann")
    message = OutboundMessage(
        id="m",
        conversation_id=conversation_id(platform.prefix, "shop", peer),
        platform=fake.name,
        channel="shop",
        peer=peer,
        parts=(Part(id="p", content=MediaContent(kind="image", url=url, mime_type="image/png")),),
        causation_id="c",
        correlation_id="c",
        created_at=int(fake.clock() * 1000),
    )
    stage = BUILDERS["send"](settings, topics, channels)
    await stage.start()
    try:
        key = message.conversation_id.encode()
        table = Table()
        view = MemoryView(table, key)
        await view.commit(
            await stage.handle(view, [Record(topics.outbound(fake.name), 0, 0, 0, key, encode(message), ())])
        )
    finally:
        await stage.stop()
    return {event.type: getattr(event.data, "reason", "") for event in table.log}


@pytest.fixture(params=UPLOADING)
async def fake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    server = discovered()[request.param]()
    await server.start()
    configure([server], tmp_path, monkeypatch)
    yield server
    await server.stop()


async def test_the_platform_gets_the_very_bytes_that_were_stored(fake: Any) -> None:
    url = await media_store(Settings()).put(PICTURE, hashlib.sha256(PICTURE).hexdigest())
    outcomes = await sent(fake, url)
    assert set(outcomes) == {"send_started", "message_sent"}
    assert PICTURE in b"".join(uploaded_to(fake))


async def test_a_link_of_that_form_that_leads_elsewhere_is_not_followed(fake: Any, tmp_path: Path) -> None:
    """Somebody's answer may name any link: outside of the store there is nothing to be had, whatever it is called."""
    digest = hashlib.sha256(PICTURE).hexdigest()
    elsewhere = tmp_path / "elsewhere" / digest[:2] / digest
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(PICTURE)
    outcomes = await sent(fake, f"file://{elsewhere}")
    assert set(outcomes) == {"send_started", "message_failed"}
    assert uploaded_to(fake) == []


def uploaded_to(fake: Any) -> list[bytes]:
    """The files that a fake has taken."""
    match fake.name:
        case "messenger":
            return [file.data for file in fake.attachments.taken]
        case "telegram":
            return [file.data for file in fake.files.taken]
        case "whatsapp":
            return [file.data for file in fake.uploaded.taken]
        case _:
            return list(fake.uploaded_bytes)


def test_every_platform_is_known_here() -> None:
    """A platform that takes uploads belongs into this test."""
    assert set(platforms()) - set(UPLOADING) == {"instagram", "line"}
