"""Media beside plain pictures: stickers, what people share, what the business's own people send from the platform."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.fetch_kit import running, stored_bytes
from tests.fakes.instagram import FakeInstagram
from tests.fakes.line import FakeLine
from tests.fakes.messenger import INBOX_APP_ID, FakeMessenger
from tests.fakes.telegram import FakeTelegram
from tests.fakes.whatsapp import FakeWhatsApp

PICTURE = b"RIFF not much of a picture WEBP" * 40

Native = dict[str, Any]
Sent = Callable[[Any], bytes]
"""From a fake to a webhook body with ``PICTURE`` in it."""


def attached(fake: Any, kind: str, **payload: Any) -> Native:
    """A message of Meta's with one attachment of this type."""
    native: Native = fake.user_media("ann", PICTURE, kind=kind)
    native["message"]["attachments"][0]["payload"] |= payload
    return native


def echoed(fake: Any, native: Native, **more: Any) -> bytes:
    """What was a person's message, as the account's own."""
    native |= {"sender": native["recipient"], "recipient": native["sender"]}
    native["message"] |= {"is_echo": True, **more}
    return bytes(fake.body([native]))


def telegram_sticker(fake: Any) -> bytes:
    native = fake.user_media("ann", PICTURE)
    photo = native["message"].pop("photo")
    native["message"]["sticker"] = photo[-1] | {"set_name": "Cats", "emoji": "😺", "type": "regular"}
    return bytes(fake.body([native]))


def whatsapp_sticker(fake: Any) -> bytes:
    return bytes(fake.body([fake.user_media("ann", PICTURE, kind="sticker", mime_type="image/webp", with_link=False)]))


STICKERS: dict[type[Any], Sent] = {
    FakeMessenger: lambda fake: fake.body([attached(fake, "sticker", sticker_id=369239263222822)]),
    FakeInstagram: lambda fake: fake.body([attached(fake, "sticker", sticker_id=7)]),
    FakeTelegram: telegram_sticker,
    FakeWhatsApp: whatsapp_sticker,
}


@pytest.mark.parametrize("fake", STICKERS, ids=lambda fake: fake.name)
async def test_a_sticker_is_stored_where_the_platform_has_its_picture(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        event = await world.media_of(STICKERS[fake](world.fake))
        assert (event.type, event.data.content.kind, stored_bytes(event)) == ("media_stored", "sticker", PICTURE)


async def test_lines_stickers_lie_nowhere_and_are_not_asked_for(tmp_path: Path) -> None:
    async with running(FakeLine, tmp_path) as world:
        sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988", "keywords": ["hello"]}
        asked = world.requests(world.fake.user_message("ann", "", **sticker))
        assert [request.what for request in asked] == ["profile"]


@pytest.mark.parametrize("kind", ["ig_post", "ig_reel", "ig_story", "reel", "post", "share"])
@pytest.mark.parametrize("fake", [FakeMessenger, FakeInstagram], ids=lambda fake: fake.name)
async def test_what_is_shared_is_stored(fake: type[Any], kind: str, tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        event = await world.media(attached(world.fake, kind, title="Look"))
        assert (event.type, event.data.content.title, stored_bytes(event)) == ("media_stored", "Look", PICTURE)


async def test_a_page_that_is_shared_is_not_fetched(tmp_path: Path) -> None:
    async with running(FakeMessenger, tmp_path) as world:
        asked = world.requests(attached(world.fake, "fallback", title="A page"))
        assert [request.what for request in asked] == ["profile"]


def whatsapp_echo(fake: Any) -> bytes:
    message = fake.user_media("ann", PICTURE)
    document = json.loads(fake.human_message("ann", ""))
    (echo,) = document["entry"][0]["changes"][0]["value"]["message_echoes"]
    del echo["text"]
    echo |= {"type": "image", "image": message["image"]}
    return json.dumps(document).encode()


def telegram_echo(fake: Any) -> bytes:
    native = fake.user_media("ann~connection1", PICTURE)
    native["business_message"]["from"] = {"id": 4711, "is_bot": False, "first_name": "Owner"}
    return bytes(fake.body([native]))


ECHOES: dict[type[Any], Sent] = {
    FakeMessenger: lambda fake: echoed(fake, attached(fake, "image"), app_id=INBOX_APP_ID),
    FakeInstagram: lambda fake: echoed(fake, attached(fake, "image")),
    FakeTelegram: telegram_echo,
    FakeWhatsApp: whatsapp_echo,
}


@pytest.mark.parametrize("fake", ECHOES, ids=lambda fake: fake.name)
async def test_what_a_person_of_the_business_sends_is_stored(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        body = ECHOES[fake](world.fake)
        assert [event.type for event in world.events_of(body)] == ["message_echoed"]
        event = await world.media_of(body)
        assert (event.type, stored_bytes(event)) == ("media_stored", PICTURE)
