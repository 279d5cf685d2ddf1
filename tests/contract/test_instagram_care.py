"""Care of Instagram channels of both logins against the fake Graph API: requests, findings, health."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.instagram.care import MESSAGE_ACCESS, RENEWAL, SURFACE, Care, get_account
from connectors.interface import Channel
from tests.contract.care_kit import asked, checked, healthy, registered, shown, site_of, worst
from tests.fakes.instagram import ACCOUNT_ID, APP_ID, PAGE_ACCOUNT_ID, PAGE_ID, TOKENS, FakeInstagram
from tests.harness.platform import closing, running

URL = "https://iris.example.com/webhooks/instagram/shop"


fake = running(FakeInstagram)
care = closing(lambda _: Care())


def channel_of(fake: FakeInstagram, *, account: str = ACCOUNT_ID, **values: str) -> Channel:
    given = {
        "instagram_id": account,
        "page_id": PAGE_ID if account == PAGE_ACCOUNT_ID else "",
        "access_token": TOKENS[account],
        "app_secret": fake.app_secret,
        "verify_token": fake.verify_token,
        "app_id": APP_ID,
        **values,
    }
    named = {name: (value,) for name, value in given.items() if value}
    return Channel("shop", "instagram", named, api_base=fake.base_url)


def test_each_login_is_asked_at_its_own_host() -> None:
    bearer = {"Authorization": "Bearer {secret:access_token}"}
    url = "https://graph.instagram.com/v26.0/me?fields=user_id,username"
    assert shown(get_account(Channel("shop", "instagram", {}))) == ("GET", url, bearer, None)
    url = "https://graph.facebook.com/v26.0/100?fields=name,instagram_business_account"
    assert shown(get_account(Channel("shop", "instagram", {"page_id": ("100",)}))) == ("GET", url, bearer, None)


@pytest.mark.parametrize(("account", "node"), [(ACCOUNT_ID, ACCOUNT_ID), (PAGE_ACCOUNT_ID, PAGE_ID)])
async def test_register_sets_the_apps_webhook_and_subscribes_the_account_or_its_page(
    account: str, node: str, care: Care, fake: FakeInstagram
) -> None:
    channel = channel_of(fake, account=account)
    assert worst(await registered(care, channel)) == []
    assert fake.app.webhooks["instagram"]["callback_url"] == URL
    assert set(fake.app.subscribed) == {node}
    assert worst(await checked(care, channel)) == []
    assert (await healthy(care, channel)).state == "connected"


async def test_the_instagram_login_may_know_the_app_by_another_id(care: Care, fake: FakeInstagram) -> None:
    """Its dashboard has an app id and secret of its own beside the Facebook app's."""
    channel = channel_of(fake)
    await registered(care, channel)
    fake.app.subscribed[ACCOUNT_ID]["id"] = "another-id-of-the-same-app"
    assert (await healthy(care, channel)).state == "connected"
    paged = channel_of(fake, account=PAGE_ACCOUNT_ID)
    await registered(care, paged)
    fake.app.subscribed[PAGE_ID]["id"] = "another app"
    assert (await healthy(care, paged)).state == "unsubscribed"


async def test_of_several_app_secrets_the_one_that_is_the_apps_is_found(care: Care, fake: FakeInstagram) -> None:
    channel = channel_of(fake)
    secrets = {"app_secret": ("fake-instagram-app-own-secret", fake.app_secret)}
    channel = replace(channel, values={**channel.values, **secrets})
    assert worst(await registered(care, channel)) == []
    assert fake.app.webhooks["instagram"]["callback_url"] == URL
    wrong = replace(channel, values={**channel.values, "app_secret": ("fake-one", "fake-two")})
    assert (await registered(care, wrong))[0].level == "error"


async def test_a_subscription_that_names_no_fields_is_taken_at_its_word(care: Care, fake: FakeInstagram) -> None:
    channel = channel_of(fake)
    await registered(care, channel)
    del fake.app.subscribed[ACCOUNT_ID]["subscribed_fields"]
    assert (await healthy(care, channel)).state == "connected"
    assert worst(await checked(care, channel)) == []
    fake.app.subscribed[ACCOUNT_ID]["subscribed_fields"] = ["message_reactions"]
    assert (await healthy(care, channel)).state == "unsubscribed"


async def test_fields_that_are_not_offered_are_given_up(care: Care, fake: FakeInstagram) -> None:
    await registered(care, channel_of(fake))
    assert fake.app.subscribed[ACCOUNT_ID]["subscribed_fields"] == list(SURFACE.fields)
    fake.app.fields |= set(SURFACE.offered)
    await registered(care, channel_of(fake))
    assert fake.app.subscribed[ACCOUNT_ID]["subscribed_fields"] == [*SURFACE.fields, *SURFACE.offered]


async def test_what_no_api_shows_is_told(care: Care, fake: FakeInstagram) -> None:
    assert {RENEWAL, MESSAGE_ACCESS} <= set(await checked(care, channel_of(fake)))
    findings = await checked(care, channel_of(fake, account=PAGE_ACCOUNT_ID))
    assert MESSAGE_ACCESS in findings
    assert RENEWAL not in findings, "a page's token is looked at instead"


async def test_a_token_of_the_instagram_login_is_not_introspected(care: Care, fake: FakeInstagram) -> None:
    await checked(care, channel_of(fake))
    assert not any("debug_token" in path for _, path in asked(fake))


Arrange = Callable[[FakeInstagram], None]


def _unlinked(fake: FakeInstagram) -> None:
    fake.is_linked = False


def _unsubscribed(fake: FakeInstagram) -> None:
    fake.app.subscribed.clear()


def _scopes(fake: FakeInstagram) -> None:
    fake.app.scopes = ["instagram_basic", "pages_manage_metadata"]


@pytest.mark.parametrize(
    ("arrange", "found", "state"),
    [
        (_unlinked, ["error: page Fake Page is linked to no Instagram account"], "bad_credentials"),
        (_unsubscribed, ["error: the account is not subscribed to the app: nothing is delivered"], "unsubscribed"),
        (_scopes, ["error: the token lacks instagram_manage_messages"], "connected"),
    ],
)
async def test_findings_and_health_through_a_page(
    arrange: Arrange, found: list[str], state: str, care: Care, fake: FakeInstagram
) -> None:
    channel = channel_of(fake, account=PAGE_ACCOUNT_ID)
    await care.register(channel, site_of(channel))
    arrange(fake)
    assert [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))] == found
    assert (await healthy(care, channel)).state == state


async def test_the_app_scoped_id_is_told_from_the_one_that_webhooks_carry(care: Care, fake: FakeInstagram) -> None:
    """The trap of this login: /me gives two ids, and with the wrong one every message would be refused."""
    channel = channel_of(fake, instagram_id="7000000000000042")
    first = worst(await checked(care, channel))[0]
    assert f'instagram_id = "{ACCOUNT_ID}"' in first.todo
    assert (await healthy(care, channel)).state == "bad_credentials"


async def test_an_expired_token_is_bad_credentials(care: Care, fake: FakeInstagram) -> None:
    fake.faults.add("token")
    health = await healthy(care, channel_of(fake))
    assert (health.state, "190/463" in health.detail) == ("bad_credentials", True)
