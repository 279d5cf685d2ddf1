"""Media of every platform, from the webhook to the stored file: as its API gives it, for as long as its links live."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.interface import Blob, Channel, MediaSource, ProfileSource
from connectors.registry import fetcher_class, platforms
from connectors.whatsapp.fetcher import Fetcher as WhatsAppFetcher
from schemas.content import MediaContent
from tests.contract.fetch_kit import files, running, stored_bytes
from tests.fakes.instagram import FakeInstagram
from tests.fakes.line import FakeLine
from tests.fakes.messenger import FakeMessenger
from tests.fakes.telegram import FakeTelegram
from tests.fakes.wechat import FakeWeChat
from tests.fakes.whatsapp import FakeWhatsApp

PICTURE = b"\xff\xd8\xff\xe0 not much of a picture" * 40

FAKES: list[type[Any]] = [FakeWhatsApp, FakeLine, FakeTelegram, FakeMessenger, FakeInstagram, FakeWeChat]
every_platform = pytest.mark.parametrize("fake", FAKES, ids=lambda fake: fake.name)


@every_platform
async def test_media_is_stored_whole_under_its_own_digest(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        event = await world.media(world.fake.user_media("ann", PICTURE))
        assert event.type == "media_stored"
        content = event.data.content
        digest = hashlib.sha256(PICTURE).hexdigest()
        assert (content.kind, content.mime_type) == ("image", "image/jpeg")
        assert (content.sha256, content.size_bytes) == (digest, len(PICTURE))
        assert content.url == f"file://{tmp_path}/media/{digest[:2]}/{digest}"
        assert stored_bytes(event) == PICTURE


@every_platform
async def test_what_is_written_twice_after_a_crash_has_one_id(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        request = next(r for r in world.requests(world.fake.user_media("ann", PICTURE)) if r.what == "media")
        (first,), (second,) = await world.fetch(request), await world.fetch(request)
        assert (first, first.causation_id) == (second, request.causation_id)


@every_platform
async def test_media_that_is_gone_is_told_and_no_secret_with_it(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE)
        world.fake.shelf.items.clear()
        event = await world.media(native)
        assert event.type == "media_failed"
        assert (event.data.message_id, event.data.reason) in {
            (world.events(native)[0].data.message_id, reason) for reason in ("gone", "refused")
        }
        for values in world.channel.values.values():
            assert all(value not in event.data.detail for value in values)
        assert world.now < 1_790_000_000 + world.settings.fetch_outage_s_max
        assert files(tmp_path) == []


async def test_whatsapp_asks_for_a_new_link_when_the_webhooks_has_died(tmp_path: Path) -> None:
    async with running(FakeWhatsApp, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE, with_link=True)
        world.now += 301
        event = await world.media(native)
        assert (event.type, stored_bytes(event)) == ("media_stored", PICTURE)
        assert [status for _, status in world.paths] == [404, 200, 200]
        assert world.waits == []


async def test_whatsapp_uses_the_webhooks_link_while_it_lives(tmp_path: Path) -> None:
    async with running(FakeWhatsApp, tmp_path) as world:
        assert stored_bytes(await world.media(world.fake.user_media("ann", PICTURE, with_link=True))) == PICTURE
        assert [status for _, status in world.paths] == [200]


@pytest.mark.parametrize("fake", [FakeWhatsApp, FakeTelegram], ids=lambda fake: fake.name)
async def test_a_new_link_that_is_dead_already_is_asked_for_again(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE)
        world.fake.shelf.link_life_s = 0.0

        def live_again() -> None:
            world.fake.shelf.link_life_s = 60.0

        world.on_wait = live_again
        world.fake.shelf.kill_links()
        assert stored_bytes(await world.media(native)) == PICTURE
        assert world.waits == [0.5]


@pytest.mark.parametrize(
    ("link", "has_token"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://mmg.whatsapp.net/1", True),
        ("http://127.0.0.1:8090/1", True),
        ("http://lookaside.fbsbx.com/1", False),
        ("http://127.0.0.1:8091/1", False),
        ("https://evilfbsbx.com/1", False),
        ("https://fbsbx.com.evil.example/1", False),
        ("https://evil.example/?fbsbx.com", False),
        ("https://[::1/", False),
    ],
)
async def test_whatsapps_token_goes_to_meta_and_to_the_channels_own_server_only(link: str, has_token: bool) -> None:
    """Whatever link a webhook names."""
    sent: list[Mapping[str, str] | None] = []

    async def download(url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
        sent.append(headers)
        return Blob(b"")

    channel = Channel("shop", "whatsapp", {"access_token": ("secret",)}, api_base="http://127.0.0.1:8090")
    fetcher = WhatsAppFetcher()
    await fetcher.media(MediaContent(kind="image", url=link), channel, download, timeout_s=1)
    assert sent == [{"Authorization": "Bearer secret"} if has_token else {}]


async def test_bytes_that_are_not_the_announced_ones_are_not_stored(tmp_path: Path) -> None:
    async with running(FakeWhatsApp, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE)
        next(iter(world.fake.shelf.items.values())).data = PICTURE[:-1]
        event = await world.media(native)
        assert (event.type, event.data.reason) == ("media_failed", "checksum")
        assert files(tmp_path) == []


async def test_line_is_asked_again_while_it_prepares_a_film(tmp_path: Path) -> None:
    async with running(FakeLine, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE, kind="video", mime_type="video/mp4")
        world.fake.shelf.items[native["message"]["id"]].ready_in = 3
        event = await world.media(native)
        assert (event.type, event.data.content.mime_type) == ("media_stored", "video/mp4")
        assert len(world.waits) == 3


async def test_line_is_not_asked_again_for_a_film_that_it_could_not_prepare(tmp_path: Path) -> None:
    async with running(FakeLine, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE, kind="video", mime_type="video/mp4")
        world.fake.shelf.items[native["message"]["id"]].is_broken = True
        event = await world.media(native)
        assert (event.type, event.data.reason, world.waits) == ("media_failed", "gone", [])


async def test_lines_content_from_elsewhere_never_gets_our_token(tmp_path: Path) -> None:
    """A LIFF app may name any address as content; one on our own network is refused before a connection is made."""
    async with running(FakeLine, tmp_path) as world, running(FakeTelegram, tmp_path) as stranger:
        provider = {"type": "external", "originalContentUrl": f"{stranger.fake.base_url}/secret"}
        native = world.fake.user_message("ann", "", type="image", contentProvider=provider)
        event = await world.media(native)
        assert event.data.reason == "address_refused"
        assert (stranger.fake.journal, world.paths) == ([], [])


async def test_telegrams_file_that_is_too_big_for_it_is_told_at_once(tmp_path: Path) -> None:
    async with running(FakeTelegram, tmp_path, media_bytes_max=40_000_000) as world:
        event = await world.media(world.fake.user_media("ann", b"x" * (20 * 1024 * 1024 + 1)))
        assert (event.type, world.waits) == ("media_failed", [])
        assert "file is too big" in event.data.detail


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"media_bytes_max": len(PICTURE) - 1}, "too_large"),
        ({"media_types": "video/*, application/pdf"}, "type_refused"),
    ],
)
@every_platform
async def test_what_is_beyond_a_limit_stays_with_the_platform(
    fake: type[Any], settings: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    async with running(fake, tmp_path, **settings) as world:
        event = await world.media(world.fake.user_media("ann", PICTURE))
        assert (event.type, event.data.reason, world.waits) == ("media_failed", reason, [])
        assert files(tmp_path) == []


@every_platform
async def test_media_at_the_limit_is_stored(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path, media_bytes_max=len(PICTURE)) as world:
        assert (await world.media(world.fake.user_media("ann", PICTURE))).type == "media_stored"


@every_platform
async def test_media_of_a_channel_that_is_no_more_is_told(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        (request, *_) = world.requests(world.fake.user_media("ann", PICTURE))
        (event,) = await world.fetch(request.model_copy(update={"channel": "closed"}))
        assert (event.type, event.data.reason) == ("media_failed", "channel_not_configured")


@pytest.mark.parametrize("fake", [FakeMessenger, FakeInstagram], ids=lambda fake: fake.name)
async def test_metas_signed_link_that_is_dead_is_told_at_once(fake: type[Any], tmp_path: Path) -> None:
    async with running(fake, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE)
        world.fake.shelf.kill_links()
        event = await world.media(native)
        assert (event.type, event.data.reason, world.waits) == ("media_failed", "gone", [])


async def test_wechats_picture_is_fetched_by_its_id_when_its_link_has_died(tmp_path: Path) -> None:
    async with running(FakeWeChat, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE)
        world.fake.shelf.kill_links()
        assert stored_bytes(await world.media(native)) == PICTURE
        assert [status for _, status in world.paths] == [404, 200]


@pytest.mark.parametrize(("kind", "mime_type"), [("voice", "audio/amr"), ("video", "video/mp4")])
async def test_wechats_voice_is_bytes_and_its_film_json_with_a_link(kind: str, mime_type: str, tmp_path: Path) -> None:
    async with running(FakeWeChat, tmp_path) as world:
        event = await world.media(world.fake.user_media("ann", PICTURE, kind=kind, mime_type=mime_type))
        assert (event.type, event.data.content.mime_type, stored_bytes(event)) == ("media_stored", mime_type, PICTURE)


async def test_wechats_error_inside_a_200_is_no_media(tmp_path: Path) -> None:
    async with running(FakeWeChat, tmp_path) as world:
        native = world.fake.user_media("ann", PICTURE, kind="voice", mime_type="audio/amr")
        world.fake.shelf.items.clear()
        event = await world.media(native)
        assert (event.type, event.data.reason, world.waits) == ("media_failed", "gone", [])
        assert "40007" in event.data.detail


async def test_wechats_token_that_somebody_replaced_is_asked_for_again(tmp_path: Path) -> None:
    async with running(FakeWeChat, tmp_path) as world:
        await world.media(world.fake.user_media("ann", PICTURE, kind="voice", mime_type="audio/amr"))
        world.fake.tokens.give(is_forced=True)
        world.now += 301
        event = await world.media(world.fake.user_media("ann", PICTURE, kind="voice", mime_type="audio/amr"))
        assert event.type == "media_stored"
        assert len(world.waits) == 1


def test_every_platform_is_here_and_what_it_calls_its_fetcher_is_one() -> None:
    assert {fake.name for fake in FAKES} == set(platforms())
    for name in platforms():
        made = fetcher_class(name)
        assert made is None or isinstance(made(), MediaSource | ProfileSource), name


async def test_a_story_that_mentions_us_is_kept_before_it_ends(tmp_path: Path) -> None:
    async with running(FakeInstagram, tmp_path) as world:
        event = await world.media(world.fake.user_media("ann", PICTURE, kind="story_mention"))
        assert (event.type, event.data.content.kind, stored_bytes(event)) == ("media_stored", "story", PICTURE)
