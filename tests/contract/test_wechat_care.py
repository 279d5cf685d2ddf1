"""Care of WeChat channels against the fake platform: requests, findings, and the one place that may force a token."""

import pytest

from connectors.interface import Channel
from connectors.wechat.care import Care, get_domain_ip
from tests.contract.care_kit import asked, checked, healthy, registered, rows, shown, worst
from tests.contract.test_wechat_tokens import tokens_asked
from tests.fakes.wechat import (
    APP_ID,
    APP_SECRET,
    DOMAIN_PATH,
    ENCODING_AES_KEY,
    TOKEN,
    TOKEN_PATH,
    FakeWeChat,
)
from tests.harness.platform import Clock, closing, running

URL = "https://iris.example.com/webhooks/wechat/shop"
OK = ("ok", f"WeChat takes AppID {APP_ID}, its AppSecret and our address")


fake = running(FakeWeChat)
care = closing(lambda clock: Care(clock=clock))


def channel_of(fake: FakeWeChat, **values: str) -> Channel:
    given = {"app_id": APP_ID, "app_secret": APP_SECRET, "token": TOKEN, "encoding_aes_key": ENCODING_AES_KEY, **values}
    return Channel("shop", "wechat", {name: (value,) for name, value in given.items() if value}, api_base=fake.base_url)


def test_the_proving_request_is_written_with_a_placeholder() -> None:
    url = "https://api.weixin.qq.com/cgi-bin/get_api_domain_ip?access_token={secret:access_token}"
    assert shown(get_domain_ip(Channel("shop", "wechat", {}))) == ("GET", url, {}, None)


async def test_a_check_proves_the_credentials_and_says_what_to_click(care: Care, fake: FakeWeChat) -> None:
    findings = await checked(care, channel_of(fake))
    assert rows(findings)[0] == OK
    assert [finding.level for finding in findings] == ["ok", "click"]
    assert URL in findings[1].todo
    assert "secure mode" in findings[1].todo
    assert asked(fake) == [("POST", TOKEN_PATH), ("GET", DOMAIN_PATH)]


async def test_register_has_nobody_to_ask(care: Care, fake: FakeWeChat) -> None:
    (finding,) = await registered(care, channel_of(fake))
    assert (finding.level, URL in finding.todo, asked(fake)) == ("click", True, [])


@pytest.mark.parametrize(
    ("values", "fault", "what", "todo"),
    [
        ({"app_id": "wxother"}, 0, "stable_token: 40013", "compare AppID"),
        ({"app_secret": "fake-and-wrong"}, 0, "stable_token: 40125", "reset AppSecret"),
        ({}, 40164, "stable_token: 40164", "IP allow-list"),
        ({}, 50002, "stable_token: 50002", "restricted"),
    ],
)
async def test_a_refused_account_is_bad_credentials_with_the_fix(
    values: dict[str, str], fault: int, what: str, todo: str, care: Care, fake: FakeWeChat
) -> None:
    if fault:
        fake.faults.add("token", path=TOKEN_PATH, code=fault)
    channel = channel_of(fake, **values)
    (finding,) = worst(await checked(care, channel))
    assert (finding.level, what in finding.what, todo in finding.todo) == ("error", True, True), finding
    assert (await healthy(care, channel)).state == "bad_credentials"


@pytest.mark.parametrize(("code", "state"), [(45009, "limited"), (45011, "limited"), (-1, "transient")])
async def test_quotas_and_outages_are_told_apart(code: int, state: str, care: Care, fake: FakeWeChat) -> None:
    fake.faults.add("token", path=DOMAIN_PATH, code=code)
    assert (await healthy(care, channel_of(fake))).state == state


async def test_the_plain_mode_is_warned_about(care: Care, fake: FakeWeChat) -> None:
    (finding,) = worst(await checked(care, channel_of(fake, encoding_aes_key="")))
    assert (finding.level, "plain mode" in finding.what) == ("warning", True)
    (finding,) = worst(await checked(care, channel_of(fake, encoding_aes_key="short")))
    assert finding.what == "encoding_aes_key has 5 characters, not 43"


async def test_health_replaces_a_token_that_keeps_being_given_out_although_it_is_refused(
    care: Care, fake: FakeWeChat
) -> None:
    channel = channel_of(fake)
    assert (await healthy(care, channel)).state == "connected"
    fake.tokens.break_current()
    health = await healthy(care, channel)
    assert (health.state, tokens_asked(fake)) == ("connected", [False, False, True])


async def test_a_check_never_forces(care: Care, fake: FakeWeChat) -> None:
    """It runs beside the installation: force would cut all of its senders off."""
    channel = channel_of(fake)
    await checked(care, channel)
    fake.tokens.break_current()
    (finding,) = worst(await checked(care, channel))
    assert finding.level == "error"
    assert not any(tokens_asked(fake))


async def test_a_token_that_another_process_replaced_is_not_replaced_again(care: Care, fake: FakeWeChat) -> None:
    channel = channel_of(fake)
    await healthy(care, channel)
    fake.tokens.replace()
    assert (await healthy(care, channel)).state == "connected"
    assert not any(tokens_asked(fake))


async def test_force_is_used_at_most_every_30_s(care: Care, fake: FakeWeChat, clock: Clock) -> None:
    channel = channel_of(fake)
    fake.faults.add("token", path=DOMAIN_PATH)
    states = []
    for _ in range(4):
        states.append((await healthy(care, channel)).state)
        clock.now_s += 15
    assert states == ["bad_credentials"] * 4
    assert tokens_asked(fake).count(True) == 2
