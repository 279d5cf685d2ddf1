"""Care of LINE channels against the fake platform: every request, every finding, every state of health."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.interface import Channel
from connectors.line.care import (
    REDELIVERY,
    RESPONSES,
    Care,
    bot_info,
    consumption,
    deliver_test,
    get_endpoint,
    put_endpoint,
    quota,
)
from tests.contract.care_kit import asked, checked, healthy, registered, rows, shown, site_of, worst
from tests.fakes.line import FakeLine
from tests.harness.platform import closing, running

URL = "https://iris.example.com/webhooks/line/shop"
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
TEST = "/v2/bot/channel/webhook/test"


fake = running(FakeLine)
care = closing(lambda _: Care())


def channel_of(fake: FakeLine, *, token: str | None = None, bot: str | None = None) -> Channel:
    values = {"channel_secret": (fake.channel_secret,), "access_token": (token or fake.access_token,)}
    return Channel("shop", "line", values | ({"bot_user_id": (bot,)} if bot else {}), api_base=fake.base_url)


def test_every_request_is_written_with_placeholders() -> None:
    channel, base = Channel("shop", "line", {}), "https://api.line.me"
    bearer = {"Authorization": "Bearer {secret:access_token}"}
    assert [
        shown(call) for call in (bot_info(channel), quota(channel), consumption(channel), get_endpoint(channel))
    ] == [
        ("GET", f"{base}/v2/bot/info", bearer, None),
        ("GET", f"{base}/v2/bot/message/quota", bearer, None),
        ("GET", f"{base}/v2/bot/message/quota/consumption", bearer, None),
        ("GET", base + ENDPOINT, bearer, None),
    ]
    assert shown(put_endpoint(channel, URL)) == ("PUT", base + ENDPOINT, bearer, {"endpoint": URL})
    assert shown(deliver_test(channel)) == ("POST", base + TEST, bearer, {})


async def test_register_sets_the_endpoint_and_has_it_tested(care: Care, fake: FakeLine) -> None:
    findings = await registered(care, channel_of(fake))
    assert worst(findings) == []
    assert fake.account.endpoint == URL
    assert asked(fake) == [("GET", ENDPOINT), ("PUT", ENDPOINT), ("GET", ENDPOINT), ("POST", TEST)]


async def test_registering_again_sets_nothing(care: Care, fake: FakeLine) -> None:
    first = await registered(care, channel_of(fake))
    fake.journal.clear()
    assert await registered(care, channel_of(fake)) == first
    assert ("PUT", ENDPOINT) not in asked(fake)


async def test_the_switches_that_no_api_shows_are_insisted_on_each_time(care: Care, fake: FakeLine) -> None:
    """Also when the token is wrong: without redelivery messages are lost, which no software can make up for."""
    for channel in (channel_of(fake), channel_of(fake, token="fake-but-wrong")):
        for findings in (await checked(care, channel), await registered(care, channel)):
            assert findings[-2:] == [REDELIVERY, RESPONSES]


def _set(**values: Any) -> Callable[[FakeLine], None]:
    def arrange(fake: FakeLine) -> None:
        fake.account.endpoint = URL
        for name, value in values.items():
            setattr(fake if name == "monthly_quota" else fake.account, name, value)

    return arrange


def _failing(reason: str, status: int) -> Callable[[FakeLine], None]:
    return _set(test={"success": False, "statusCode": status, "reason": reason, "detail": "as seen from LINE"})


def _used_up(fake: FakeLine) -> None:
    _set(monthly_quota=200)(fake)
    fake.pushes = 200


def _nearly_used_up(fake: FakeLine) -> None:
    _set(monthly_quota=200)(fake)
    fake.pushes = 180


CASES: list[tuple[Callable[[FakeLine], None], list[str], str]] = [
    (_set(), [], "connected"),
    (lambda fake: None, ["error: no webhook URL is set: LINE delivers nothing"], "unsubscribed"),
    (
        _set(endpoint="https://old.example.com/line"),
        [f"error: the webhook URL is https://old.example.com/line and not that of {URL}"],
        "connected",
    ),
    (_set(is_active=False), ["error: *Use webhook* is off: LINE delivers nothing"], "unsubscribed"),
    (
        _failing("ERROR_STATUS_CODE", 401),
        ["error: LINE's delivery test failed: ERROR_STATUS_CODE (status 401): as seen from LINE"],
        "connected",
    ),
    (
        _failing("REQUEST_TIMEOUT", 0),
        ["error: LINE's delivery test failed: REQUEST_TIMEOUT (status 0): as seen from LINE"],
        "connected",
    ),
    (_nearly_used_up, ["warning: 180 of this month's 200 messages are used"], "connected"),
    (_used_up, ["warning: 200 of this month's 200 messages are used"], "limited"),
]


@pytest.mark.parametrize(("arrange", "found", "state"), CASES)
async def test_findings_and_health(
    arrange: Callable[[FakeLine], None], found: list[str], state: str, care: Care, fake: FakeLine
) -> None:
    arrange(fake)
    channel = channel_of(fake)
    assert [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))] == found
    assert (await healthy(care, channel)).state == state


async def test_a_wrong_token_is_bad_credentials(care: Care, fake: FakeLine) -> None:
    channel = channel_of(fake, token="fake-but-wrong")
    level, what = rows(await checked(care, channel))[0]
    assert (level, "401 Authentication failed" in what) == ("error", True)
    assert (await healthy(care, channel)).state == "bad_credentials"


async def test_the_token_of_another_bot_is_told(care: Care, fake: FakeLine) -> None:
    (first, *_) = await checked(care, channel_of(fake, bot="U" + "9" * 32))
    assert first.level == "error"
    assert f'bot_user_id = "{fake.bot_user_id}"' in first.todo


async def test_a_wrong_address_is_bad_and_an_outage_transient(care: Care, fake: FakeLine) -> None:
    fake.account.routes = {}
    assert (await healthy(care, channel_of(fake))).state == "bad_credentials", "404: the api_base is wrong"
    await fake.stop()
    assert (await healthy(care, channel_of(fake))).state == "transient"


async def test_line_delivers_to_https_only(care: Care, fake: FakeLine) -> None:
    channel = channel_of(fake)
    (finding,) = await care.register(channel, site_of(channel, base="http://iris.example.com"))
    assert (finding.level, asked(fake)) == ("error", [])
