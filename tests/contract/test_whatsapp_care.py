"""Care of WhatsApp channels against the fake Graph API: requests, where webhooks really go, findings, health."""

from collections.abc import Callable

import pytest

from connectors.interface import Channel
from connectors.whatsapp.care import NUMBER_FIELDS, SURFACE, Care, get_number, override_number
from tests.contract.care_kit import asked, checked, healthy, registered, shown, site_of, worst
from tests.fakes.whatsapp import ACCESS_TOKEN, APP_ID, FakeWhatsApp
from tests.fakes.whatsapp_webhooks import ACCOUNT_ID, APP_SECRET, NUMBER_ID, SECOND_NUMBER_ID, VERIFY_TOKEN
from tests.harness.platform import closing, running

URL = "https://iris.example.com/webhooks/whatsapp/shop"
OLD = "https://old.example.com/wa"


fake = running(FakeWhatsApp)
care = closing(lambda _: Care())


def channel_of(fake: FakeWhatsApp, *, id: str = "shop", number: str = NUMBER_ID, **values: str) -> Channel:
    given = {
        "phone_number_id": number,
        "waba_id": ACCOUNT_ID,
        "access_token": ACCESS_TOKEN,
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        "app_id": APP_ID,
        **values,
    }
    return Channel(id, "whatsapp", {name: (value,) for name, value in given.items() if value}, api_base=fake.base_url)


def test_every_request_is_written_with_placeholders() -> None:
    channel = Channel("shop", "whatsapp", {"phone_number_id": ("300",)})
    bearer, base = {"Authorization": "Bearer {secret:access_token}"}, "https://graph.facebook.com/v26.0"
    assert shown(get_number(channel)) == ("GET", f"{base}/300?fields={NUMBER_FIELDS}", bearer, None)
    hook = {"override_callback_uri": URL, "verify_token": "{secret:verify_token}"}
    assert shown(override_number(channel, URL)) == ("POST", f"{base}/300", bearer, {"webhook_configuration": hook})


async def test_with_the_apps_id_its_webhook_leads_here(care: Care, fake: FakeWhatsApp) -> None:
    channel = channel_of(fake)
    assert worst(await registered(care, channel)) == []
    assert fake.app.webhooks["whatsapp_business_account"]["callback_url"] == URL
    assert fake.account.is_subscribed
    assert fake.account.overrides == {}, "no override is needed"
    assert worst(await checked(care, channel)) == []
    assert (await healthy(care, channel)).state == "connected"


async def test_without_it_the_accounts_address_is_overridden(care: Care, fake: FakeWhatsApp) -> None:
    channel = channel_of(fake, app_id="")
    findings = await registered(care, channel)
    assert worst(findings) == []
    assert findings[0].level == "click"
    assert (fake.account.overrides, fake.account.verify_tokens) == ({ACCOUNT_ID: URL}, {ACCOUNT_ID: VERIFY_TOKEN})
    assert (await healthy(care, channel)).state == "connected"


async def test_an_app_that_serves_somebody_else_is_left_alone(care: Care, fake: FakeWhatsApp) -> None:
    theirs = {"object": "whatsapp_business_account", "callback_url": OLD, "active": True, "fields": SURFACE.fields}
    fake.app.webhooks["whatsapp_business_account"] = theirs
    assert worst(await registered(care, channel_of(fake))) == []
    assert fake.app.webhooks["whatsapp_business_account"]["callback_url"] == OLD
    assert fake.account.overrides == {ACCOUNT_ID: URL}


async def test_an_override_of_the_number_itself_is_replaced(care: Care, fake: FakeWhatsApp) -> None:
    """It goes before those of account and app, so nothing else would bring its messages here."""
    fake.account.overrides[NUMBER_ID] = OLD
    assert worst(await registered(care, channel_of(fake))) == []
    assert fake.account.overrides == {NUMBER_ID: URL}
    assert fake.account.verify_tokens[NUMBER_ID] == VERIFY_TOKEN


async def test_registering_again_changes_nothing(care: Care, fake: FakeWhatsApp) -> None:
    first = await registered(care, channel_of(fake))
    fake.journal.clear()
    assert await registered(care, channel_of(fake)) == first
    assert [path for method, path in asked(fake) if method == "POST"] == [f"/v26.0/{ACCOUNT_ID}/subscribed_apps"]


async def test_numbers_of_one_account_share_its_address(care: Care, fake: FakeWhatsApp) -> None:
    first, second = channel_of(fake, app_id=""), channel_of(fake, id="other", number=SECOND_NUMBER_ID, app_id="")
    site = site_of(first, second)
    await care.register(first, site)
    for channel in (first, second):
        assert worst(await care.check(channel, site)) == worst(await care.check(first, site))
    assert fake.account.overrides == {ACCOUNT_ID: URL}


Arrange = Callable[[FakeWhatsApp], None]


def _number(**values: str) -> Arrange:
    def arrange(fake: FakeWhatsApp) -> None:
        fake.account.numbers[NUMBER_ID] |= values

    return arrange


def _elsewhere(fake: FakeWhatsApp) -> None:
    fake.account.overrides[ACCOUNT_ID] = OLD


def _unsubscribed(fake: FakeWhatsApp) -> None:
    fake.account.is_subscribed = False


def _no_webhook(fake: FakeWhatsApp) -> None:
    fake.app.webhooks.clear()


def _fewer_fields(fake: FakeWhatsApp) -> None:
    fake.app.webhooks["whatsapp_business_account"]["fields"] = [{"name": name} for name in SURFACE.fields[:-1]]


LOW = "warning: the number's quality is low: Meta may restrict it"
CASES: list[tuple[Arrange, list[str], str]] = [
    (_number(quality_rating="YELLOW"), [], "connected"),
    (_number(quality_rating="RED"), [LOW], "limited"),
    (_number(status="RESTRICTED"), ["warning: the number is restricted"], "limited"),
    (_elsewhere, [f"error: its webhooks go to {OLD} and not to {URL}"], "connected"),
    (_unsubscribed, ["error: the account is not subscribed to the app: nothing is delivered"], "unsubscribed"),
    (
        _no_webhook,
        [
            f"error: its webhooks go to nobody and not to {URL}",
            "error: the app has no webhook for WhatsApp, so no field is delivered",
        ],
        "unsubscribed",
    ),
    (_fewer_fields, ["warning: the app's webhook lacks the fields user_preferences"], "connected"),
]


@pytest.mark.parametrize(("arrange", "found", "state"), CASES)
async def test_findings_and_health(
    arrange: Arrange, found: list[str], state: str, care: Care, fake: FakeWhatsApp
) -> None:
    channel = channel_of(fake)
    await care.register(channel, site_of(channel))
    arrange(fake)
    assert [f"{finding.level}: {finding.what}" for finding in worst(await checked(care, channel))] == found
    assert (await healthy(care, channel)).state == state


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"access_token": "EAAfake-of-nobody"}, "bad_credentials"),
        ({"phone_number_id": "15555550100"}, "bad_credentials"),
        ({"waba_id": "1"}, "bad_credentials"),
    ],
)
async def test_wrong_credentials_and_ids_are_bad_credentials(
    values: dict[str, str], state: str, care: Care, fake: FakeWhatsApp
) -> None:
    channel = channel_of(fake, **values)
    assert any(finding.level == "error" for finding in await checked(care, channel))
    assert (await healthy(care, channel)).state == state


async def test_a_throttled_question_is_limited(care: Care, fake: FakeWhatsApp) -> None:
    fake.faults.add("token", code=80008)
    assert (await healthy(care, channel_of(fake))).state == "limited"


async def test_without_the_accounts_id_it_says_what_cannot_be_seen(care: Care, fake: FakeWhatsApp) -> None:
    channel = channel_of(fake, waba_id="")
    await care.register(channel, site_of(channel))
    (finding,) = worst(await checked(care, channel))
    assert (finding.level, "waba_id" in finding.todo) == ("warning", True)
