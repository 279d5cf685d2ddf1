"""Care of Telegram channels against the fake Bot API: every request, every finding, every state of health."""

from collections.abc import Callable

import pytest

from connectors.interface import Channel
from connectors.telegram.care import ALLOWED_UPDATES, Care, get_me, get_webhook_info, set_webhook
from connectors.telegram.update import KINDS
from tests.contract.care_kit import asked, checked, healthy, registered, rows, shown, site_of, worst
from tests.fakes.telegram import SECRET_TOKEN, TOKEN, FakeTelegram
from tests.harness.platform import closing, running

UNASKED = sorted(KINDS - {"message"})
URL = "https://iris.example.com/webhooks/telegram/shop"


fake = running(FakeTelegram)
care = closing(lambda clock: Care(clock=clock))


def channel_of(fake: FakeTelegram, *, token: str = TOKEN, secret: str = SECRET_TOKEN) -> Channel:
    return Channel("shop", "telegram", {"bot_token": (token,), "secret_token": (secret,)}, api_base=fake.base_url)


def test_every_request_is_written_with_placeholders() -> None:
    channel = Channel("shop", "telegram", {})
    base = "https://api.telegram.org/bot{secret:bot_token}"
    assert shown(get_me(channel)) == ("GET", f"{base}/getMe", {}, None)
    assert shown(get_webhook_info(channel)) == ("GET", f"{base}/getWebhookInfo", {}, None)
    body = {"url": URL, "secret_token": "{secret:secret_token}", "allowed_updates": sorted(KINDS)}
    assert shown(set_webhook(channel, URL)) == ("POST", f"{base}/setWebhook", {}, body)


async def test_register_sets_address_secret_and_every_update_that_we_understand(care: Care, fake: FakeTelegram) -> None:
    assert rows(await registered(care, channel_of(fake))) == [("ok", f"updates are delivered to {URL}")]
    assert (fake.hook.url, fake.hook.secret_token) == (URL, SECRET_TOKEN)
    assert {"message_reaction", "chat_member", "business_message"} <= set(fake.hook.allowed_updates or ())
    assert fake.journal[0]["body"]["allowed_updates"] == ALLOWED_UPDATES


async def test_registering_twice_is_registering_once(care: Care, fake: FakeTelegram) -> None:
    first = await registered(care, channel_of(fake))
    assert await registered(care, channel_of(fake)) == first
    assert worst(await checked(care, channel_of(fake))) == []


async def test_a_check_only_asks(care: Care, fake: FakeTelegram) -> None:
    await checked(care, channel_of(fake))
    assert asked(fake) == [("GET", f"/bot{TOKEN}/getMe"), ("GET", f"/bot{TOKEN}/getWebhookInfo")]


def _leads_elsewhere(fake: FakeTelegram) -> None:
    fake.hook.url = "https://old.example.com/telegram"


def _asks_for_little(fake: FakeTelegram) -> None:
    fake.hook.url, fake.hook.allowed_updates = URL, ["message"]


def _never_asked(fake: FakeTelegram) -> None:
    fake.hook.url, fake.hook.allowed_updates = URL, None


def _fails_now(fake: FakeTelegram) -> None:
    fake.hook.url, fake.hook.allowed_updates, fake.hook.pending = URL, ALLOWED_UPDATES, 3
    fake.hook.last_error = (int(fake.clock()) - 60, "Wrong response from the webhook: 403 Forbidden")


def _failed_long_ago(fake: FakeTelegram) -> None:
    _fails_now(fake)
    fake.hook.last_error = (int(fake.clock()) - 3600, "Connection timed out")


def _revoked(fake: FakeTelegram) -> None:
    fake.faults.add("token")


CASES: list[tuple[Callable[[FakeTelegram], None], list[str], str]] = [
    (lambda fake: None, ["error: no webhook is set: Telegram delivers nothing"], "unsubscribed"),
    (
        _leads_elsewhere,
        [f"error: the webhook leads to https://old.example.com/telegram and not to {URL}"],
        "connected",
    ),
    (
        _asks_for_little,
        [f"warning: updates that are not asked for: {', '.join(UNASKED[:5])} and {len(UNASKED) - 5} more"],
        "connected",
    ),
    (
        _never_asked,
        ["warning: updates that are not asked for: chat_member, message_reaction, message_reaction_count"],
        "connected",
    ),
    (
        _fails_now,
        [
            "error: deliveries fail: Wrong response from the webhook: 403 Forbidden; 3 wait, for at most 24 h",
        ],
        "transient",
    ),
    (_failed_long_ago, [], "connected"),
    (_revoked, ["error: getMe: 401 Unauthorized"], "bad_credentials"),
]


@pytest.mark.parametrize(("arrange", "found", "state"), CASES)
async def test_findings_and_health(
    arrange: Callable[[FakeTelegram], None], found: list[str], state: str, care: Care, fake: FakeTelegram
) -> None:
    arrange(fake)
    channel = channel_of(fake)
    assert [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))] == found
    assert (await healthy(care, channel)).state == state


async def test_a_token_of_nobody_is_told_without_itself(care: Care, fake: FakeTelegram) -> None:
    channel = channel_of(fake, token="700000001:AAfakeButWrong-00000000000000000000")
    assert rows(await checked(care, channel)) == [("error", "getMe: 401 Unauthorized")]
    assert rows(await registered(care, channel)) == [("error", "setWebhook: 401 Unauthorized")]


async def test_a_platform_that_is_away_is_unclear_and_transient(care: Care, fake: FakeTelegram) -> None:
    await fake.stop()
    channel = channel_of(fake)
    assert [finding.level for finding in await checked(care, channel)] == ["unclear"]
    assert (await healthy(care, channel)).state == "transient"


@pytest.mark.parametrize("base", ["http://iris.example.com", "https://iris.example.com:9000"])
async def test_an_address_that_telegram_never_delivers_to_is_not_registered(
    base: str, care: Care, fake: FakeTelegram
) -> None:
    channel = channel_of(fake)
    (finding,) = await care.register(channel, site_of(channel, base=base))
    assert finding.level == "error"
    assert "443, 80, 88, 8443" in finding.todo
    assert asked(fake) == []


async def test_a_secret_that_telegram_does_not_take_is_told_before_it_is_asked(care: Care, fake: FakeTelegram) -> None:
    (finding,) = await registered(care, channel_of(fake, secret="fake secret with spaces"))
    assert (finding.level, finding.todo) == ("error", "make one with: openssl rand -hex 32")
    assert asked(fake) == []
