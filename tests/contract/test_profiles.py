"""Profiles of every platform, as much as each of them tells; a contact without one is no failure."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.fetch_kit import running
from tests.fakes.instagram import FakeInstagram
from tests.fakes.line import FakeLine
from tests.fakes.messenger import FakeMessenger
from tests.fakes.telegram import FakeTelegram
from tests.fakes.wechat import FakeWeChat
from tests.fakes.whatsapp import FakeWhatsApp

TOLD: list[tuple[type[Any], str | None, dict[str, Any]]] = [
    (FakeWhatsApp, None, {"name": "ann"}),
    (FakeLine, "th", {"name": "ann"}),
    (FakeTelegram, "en", {"name": "ann Fake", "first_name": "ann", "last_name": "Fake", "bio": "writes"}),
    (FakeMessenger, "th-TH", {"name": "ann Fake", "first_name": "ann", "timezone": 7}),
    (FakeInstagram, None, {"username": "ann.fake", "followers": 12, "follows_us": True, "is_verified": False}),
    (FakeWeChat, "zh-CN", {"is_follower": 1, "followed_at": 1_700_000_000, "follow_scene": "ADD_SCENE_QR"}),
]
every_platform = pytest.mark.parametrize(
    ("fake", "language", "facts"), TOLD, ids=lambda value: getattr(value, "name", "")
)


@every_platform
async def test_a_profile_is_what_the_platform_tells(
    fake: type[Any], language: str | None, facts: dict[str, Any], tmp_path: Path
) -> None:
    async with running(fake, tmp_path) as world:
        native = world.fake.user_message("ann", "hello")
        event = await world.profile(native)
        assert event is not None
        assert event.type == "profile_updated"
        assert event.data.contact_id == world.events(native)[0].data.sender_id
        assert event.data.language == language
        assert event.data.content.items() >= facts.items()
        assert event.causation_id == world.events(native)[0].id


async def test_whatsapp_is_not_asked_for_what_its_webhook_tells(tmp_path: Path) -> None:
    async with running(FakeWhatsApp, tmp_path) as world:
        await world.profile(world.fake.user_message("ann", "hello"))
        assert (world.paths, world.fake.journal) == ([], [])


@pytest.mark.parametrize(
    ("fake", "member"),
    [(FakeLine, ""), (FakeMessenger, "unseen"), (FakeInstagram, "unseen"), (FakeWeChat, "")],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_contact_without_a_profile_is_no_event_and_no_wait(
    fake: type[Any], member: str, tmp_path: Path
) -> None:
    async with running(fake, tmp_path) as world:
        native = world.fake.user_message("ann", "hello")
        if member:
            getattr(world.fake, member).add("ann")
        else:
            world.fake._names.clear()
        assert await world.profile(native) is None
        assert (len(world.paths) >= 1, world.waits) == (True, [])


async def test_telegram_tells_what_came_with_the_message_where_the_bot_may_not_ask(tmp_path: Path) -> None:
    async with running(FakeTelegram, tmp_path) as world:
        world.fake.strangers.add("ann")
        event = await world.profile(world.fake.user_message("ann", "hello", group="group:friends"))
        assert event is not None
        assert (event.data.language, event.data.content) == ("en", {"first_name": "ann", "name": "ann"})


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ({"type": "group", "groupId": "C" + "1" * 32}, f"/v2/bot/group/C{'1' * 32}/member/"),
        ({"type": "room", "roomId": "R" + "1" * 32}, f"/v2/bot/room/R{'1' * 32}/member/"),
        ({"type": "user"}, "/v2/bot/profile/"),
    ],
)
async def test_lines_members_of_groups_are_asked_for_in_their_group(
    source: dict[str, str], path: str, tmp_path: Path
) -> None:
    async with running(FakeLine, tmp_path) as world:
        native = world.fake.user_message("ann", "hello")
        native["source"] |= source
        event = await world.profile(native)
        assert event is not None
        assert event.data.content == {"name": "ann"}
        assert world.paths == [(path + native["source"]["userId"], 200)]
