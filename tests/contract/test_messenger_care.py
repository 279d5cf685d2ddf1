"""Care of Messenger channels against the fake Graph API: every request, every finding, every state of health."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from connectors.interface import Channel
from connectors.messenger.care import SURFACE, Care, get_page
from connectors.shared.meta.app import debug_token, get_subscribed, get_webhooks, set_webhook, subscribe
from tests.contract.care_kit import asked, checked, healthy, registered, rows, shown, site_of, worst
from tests.fakes.messenger import PAGE_ID, PAGE_TOKENS, SECOND_PAGE_ID, FakeMessenger
from tests.fakes.messenger_views import APP_ID
from tests.harness.platform import Clock, closing, running

URL = "https://iris.example.com/webhooks/messenger/shop"
NOVEMBER_2026 = datetime(2026, 11, 24, tzinfo=UTC).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOVEMBER_2026)


fake = running(FakeMessenger)
care = closing(lambda clock: Care(clock=clock))


def channel_of(fake: FakeMessenger, *, id: str = "shop", page: str = PAGE_ID, **values: str) -> Channel:
    given = {
        "page_id": page,
        "page_token": PAGE_TOKENS[page],
        "app_secret": fake.app_secret,
        "verify_token": fake.verify_token,
        "app_id": APP_ID,
        **values,
    }
    return Channel(id, "messenger", {name: (value,) for name, value in given.items() if value}, api_base=fake.base_url)


def test_every_request_is_written_with_placeholders() -> None:
    channel = Channel("shop", "messenger", {"app_id": ("900",), "page_id": ("100",)})
    base, fields = "https://graph.facebook.com/v26.0", ",".join(SURFACE.fields)
    as_app = {"Authorization": "Bearer 900|{secret:app_secret}"}
    as_page = {"Authorization": "Bearer {secret:page_token}"}
    assert shown(get_page(channel)) == ("GET", f"{base}/me?fields=id,name", as_page, None)
    url = f"{base}/debug_token?input_token={{secret:page_token}}"
    assert shown(debug_token(channel, SURFACE)) == ("GET", url, as_app, None)
    assert shown(get_webhooks(channel, SURFACE)) == ("GET", f"{base}/900/subscriptions", as_app, None)
    body = {"object": "page", "callback_url": URL, "verify_token": "{secret:verify_token}", "fields": fields}
    given = set_webhook(channel, SURFACE, URL, SURFACE.fields)
    assert shown(given) == ("POST", f"{base}/900/subscriptions", as_app, {**body, "include_values": True})
    assert shown(get_subscribed(channel, SURFACE, "100")) == ("GET", f"{base}/100/subscribed_apps", as_page, None)
    wanted = {"subscribed_fields": fields}
    assert shown(subscribe(channel, SURFACE, "100", wanted)) == ("POST", f"{base}/100/subscribed_apps", as_page, wanted)


def test_a_channels_own_graph_version_is_asked() -> None:
    channel = Channel("shop", "messenger", {"graph_version": ("v24.0",)})
    assert get_page(channel).url == "https://graph.facebook.com/v24.0/me?fields=id,name"


async def test_register_sets_the_apps_webhook_and_subscribes_the_page(care: Care, fake: FakeMessenger) -> None:
    assert rows(await registered(care, channel_of(fake))) == [
        ("ok", f"the app's webhook leads to {URL}"),
        ("ok", "the account is subscribed to the app"),
    ]
    assert fake.app.webhooks["page"]["callback_url"] == URL
    assert fake.app.verify_tokens["page"] == fake.verify_token
    assert fake.app.subscribed[PAGE_ID]["subscribed_fields"] == list(SURFACE.fields)
    assert worst(await checked(care, channel_of(fake))) == []
    assert (await healthy(care, channel_of(fake))).state == "connected"


async def test_registering_again_leaves_the_apps_webhook_alone(care: Care, fake: FakeMessenger) -> None:
    first = await registered(care, channel_of(fake))
    fake.journal.clear()
    assert await registered(care, channel_of(fake)) == first
    assert [path for method, path in asked(fake) if method == "POST"] == [f"/v26.0/{PAGE_ID}/subscribed_apps"]


async def test_pages_of_one_app_share_one_address(care: Care, fake: FakeMessenger) -> None:
    """The second page's registration must not take the address away that the first one's messages come by."""
    first, second = channel_of(fake), channel_of(fake, id="other", page=SECOND_PAGE_ID)
    site = site_of(first, second)
    await care.register(first, site)
    findings = await care.register(second, site)
    assert fake.app.webhooks["page"]["callback_url"] == URL
    assert worst(findings) == []
    assert set(fake.app.subscribed) == {PAGE_ID, SECOND_PAGE_ID}


async def test_the_address_of_another_apps_channel_is_not_taken_for_ours(care: Care, fake: FakeMessenger) -> None:
    """Its app secret is another, so that every body that came there would be refused."""
    mine, other = channel_of(fake), channel_of(fake, id="other", page=SECOND_PAGE_ID, app_secret="fake-other-app")
    await care.register(channel_of(fake, id="other"), site_of())
    found = [finding.what for finding in worst(await care.check(mine, site_of(mine, other)))]
    assert found[0] == f"the app's webhook leads to {URL.replace('shop', 'other')} and not to {URL}"


async def test_missing_fields_of_a_shared_address_are_set_with_its_owners_verify_token(
    care: Care, fake: FakeMessenger
) -> None:
    first, second = channel_of(fake, verify_token="fake-first"), channel_of(fake, id="other", page=SECOND_PAGE_ID)
    fake.app.webhooks["page"] = {"object": "page", "callback_url": URL, "active": True, "fields": ["messages"]}
    await care.register(second, site_of(first, second))
    assert (fake.app.webhooks["page"]["callback_url"], fake.app.verify_tokens["page"]) == (URL, "fake-first")


async def test_a_callback_that_meta_cannot_check_says_what_to_look_at(care: Care, fake: FakeMessenger) -> None:
    fake.app.callback_answers = False
    (first, *_) = await registered(care, channel_of(fake))
    assert first.level == "error"
    assert "verify_token" in first.todo


Arrange = Callable[[FakeMessenger], None]


def _elsewhere(fake: FakeMessenger) -> None:
    fake.app.webhooks["page"]["callback_url"] = "https://old.example.com/fb"


def _unsubscribed(fake: FakeMessenger) -> None:
    fake.app.subscribed.clear()


def _fewer_fields(fake: FakeMessenger) -> None:
    fake.app.subscribed[PAGE_ID]["subscribed_fields"] = ["messages"]


def _scopes(fake: FakeMessenger) -> None:
    fake.app.scopes = ["pages_messaging"]


def _ending(fake: FakeMessenger) -> None:
    fake.app.expires_at = int(NOVEMBER_2026) + 7 * 86_400


def _invalid(fake: FakeMessenger) -> None:
    fake.app.is_valid = False


def _inactive(fake: FakeMessenger) -> None:
    fake.app.webhooks["page"]["active"] = False


def _throttled(fake: FakeMessenger) -> None:
    fake.faults.add("token", code=80006)


LACKING = ", ".join(SURFACE.fields[1:])
CASES: list[tuple[Arrange, list[str], str]] = [
    (_elsewhere, [f"error: the app's webhook leads to https://old.example.com/fb and not to {URL}"], "connected"),
    (_inactive, ["error: the app's webhook is switched off"], "connected"),
    (_unsubscribed, ["error: the account is not subscribed to the app: nothing is delivered"], "unsubscribed"),
    (_fewer_fields, [f"warning: the account's subscription lacks the fields {LACKING}"], "connected"),
    (_scopes, ["error: the token lacks pages_manage_metadata"], "connected"),
    (_ending, ["warning: the token ends on 2026-12-01"], "connected"),
    (_invalid, ["error: page_token is not valid: The session has been invalidated"], "connected"),
]


@pytest.mark.parametrize(("arrange", "found", "state"), CASES)
async def test_findings_and_health(
    arrange: Arrange, found: list[str], state: str, care: Care, fake: FakeMessenger
) -> None:
    channel = channel_of(fake)
    await care.register(channel, site_of(channel))
    arrange(fake)
    assert [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))] == found
    assert (await healthy(care, channel)).state == state


async def test_a_refused_token_is_bad_and_a_throttled_one_limited(care: Care, fake: FakeMessenger) -> None:
    assert (await healthy(care, channel_of(fake, page_token="EAAfake-of-nobody"))).state == "bad_credentials"
    _throttled(fake)
    assert (await healthy(care, channel_of(fake))).state == "limited"


async def test_the_token_of_another_page_is_told(care: Care, fake: FakeMessenger) -> None:
    channel = channel_of(fake, page_token=PAGE_TOKENS[SECOND_PAGE_ID])
    found = [finding.what for finding in worst(await checked(care, channel))]
    assert f"page_token is that of page {SECOND_PAGE_ID}, page_id is {PAGE_ID}" in found
    assert (await healthy(care, channel)).state == "bad_credentials"


async def test_a_wrong_app_secret_is_told_as_such(care: Care, fake: FakeMessenger) -> None:
    found = worst(await checked(care, channel_of(fake, app_secret="fake-and-wrong")))
    assert found[0].todo == "correct app_id and app_secret: the app itself was not accepted"


async def test_without_app_id_it_says_what_cannot_be_seen(care: Care, fake: FakeMessenger) -> None:
    findings = await checked(care, channel_of(fake, app_id=""))
    assert [finding.level for finding in findings] == ["ok", "warning", "click", "error"]
    assert URL in findings[2].what


@pytest.mark.parametrize(
    ("version", "day", "found"),
    [
        ("v26.0", "2028-01-01", []),
        ("v21.0", "2026-10-22", []),
        ("v21.0", "2026-10-23", ["warning: Graph v21.0 ends on 2027-01-21, in 90 days"]),
        ("v21.0", "2027-01-21", ["warning: Graph v21.0 ends on 2027-01-21, in 0 days"]),
        ("v21.0", "2027-01-22", ["error: Graph v21.0 ended on 2027-01-21"]),
        (
            "v3.0",
            "2026-11-24",
            ["warning: Graph v3.0 is none of v19.0, v20.0, v21.0, v22.0, v23.0, v24.0, v25.0, v26.0: "],
        ),
    ],
)
async def test_the_end_of_a_graph_version_is_warned_about_90_days_ahead(
    version: str, day: str, found: list[str], fake: FakeMessenger
) -> None:
    care = Care(clock=Clock(datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()))
    channel = channel_of(fake, graph_version=version)
    await care.register(channel, site_of(channel))
    told = [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))]
    assert [text[: len(wanted)] for text, wanted in zip(told, found, strict=True)] == found
    assert len((await healthy(care, channel)).warnings) == len(found)
    await care.close()
