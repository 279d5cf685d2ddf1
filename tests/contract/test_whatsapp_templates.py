"""WhatsApp's message templates: every request, the rules before it, what lists and webhooks tell."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.care import Template, TemplateDraft, TemplateRefused
from connectors.errors import SendError
from connectors.interface import Channel
from connectors.whatsapp import PLATFORM
from connectors.whatsapp.templates import FIELDS, Templates, create_template, get_templates
from schemas.content import TemplateContent
from schemas.events import ChannelUpdated
from schemas.outbound import OutboundMessage, Part
from tests.contract.care_kit import shown
from tests.contract.test_whatsapp_care import channel_of
from tests.contract.wechat_kit import WINDOW
from tests.fakes.whatsapp import ACCESS_TOKEN, FakeWhatsApp
from tests.fakes.whatsapp_webhooks import ACCOUNT_ID
from tests.harness.platform import closing, running

DRAFT = TemplateDraft("order_update", "th", "UTILITY", "Order {{1}} is ready, {{2}}!", ("A-1001", "Ana"))


fake = running(FakeWhatsApp)
templates = closing(lambda _: Templates())


def test_every_request_is_written_with_placeholders() -> None:
    channel = Channel("shop", "whatsapp", {"waba_id": ("200",)})
    url = "https://graph.facebook.com/v26.0/200/message_templates"
    bearer = {"Authorization": "Bearer {secret:access_token}"}
    assert shown(get_templates(channel)) == ("GET", f"{url}?fields={FIELDS}&limit=100", bearer, None)
    assert get_templates(channel, after="25").url.endswith("&limit=100&after=25")
    body = {"type": "BODY", "text": DRAFT.body, "example": {"body_text": [["A-1001", "Ana"]]}}
    content = {"name": "order_update", "language": "th", "category": "UTILITY", "components": [body]}
    assert shown(create_template(channel, DRAFT)) == ("POST", url, bearer, content)
    framed = replace(DRAFT, header="News", footer="Shop")
    components = shown(create_template(channel, framed))[3]["components"]
    assert components == [
        {"type": "HEADER", "format": "TEXT", "text": "News"},
        body,
        {"type": "FOOTER", "text": "Shop"},
    ]


async def test_a_template_is_handed_in_and_waits(templates: Templates, fake: FakeWhatsApp) -> None:
    made = await templates.create(channel_of(fake), DRAFT)
    assert (made.status, made.is_approved) == ("pending", False)
    assert [(one.name, one.status) for one in await templates.list(channel_of(fake))] == [("order_update", "pending")]


async def test_all_pages_of_the_list_are_read(templates: Templates, fake: FakeWhatsApp) -> None:
    names = [f"t{number:03d}" for number in range(60)]
    for name in names:
        fake.account.add_template(name, "th")
    assert [one.name for one in await templates.list(channel_of(fake))] == names


@pytest.mark.parametrize(
    ("status", "is_approved"),
    [
        ("APPROVED", True),
        *((word, False) for word in ("PENDING", "REJECTED", "IN_APPEAL", "PAUSED", "DISABLED", "LIMIT_EXCEEDED")),
        *((word, False) for word in ("PENDING_DELETION", "DELETED", "ARCHIVED")),
        ("SOMETHING_NEW", None),
    ],
)
async def test_only_approved_is_approved_and_an_unknown_word_is_nobodys_guess(
    status: str, is_approved: bool | None, templates: Templates, fake: FakeWhatsApp
) -> None:
    fake.account.add_template("promo", "th", status, rejected_reason="TAG_CONTENT_MISMATCH")
    (one,) = await templates.list(channel_of(fake))
    assert (one.is_approved, one.reason, one.quality, one.body) == (
        is_approved,
        "TAG_CONTENT_MISMATCH",
        "UNKNOWN",
        "Hello {{1}}",
    )


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "Order Update"}, "write 1 to 512 of a-z, 0-9 and _"),
    ({"category": "NEWS"}, "there are UTILITY, MARKETING"),
    ({"body": "", "examples": ()}, "1 to 1024 are allowed"),
    ({"body": "x" * 1025, "examples": ()}, "1025 characters"),
    ({"header": "h" * 61}, "at most 60"),
    ({"footer": "f" * 61}, "at most 60"),
    ({"body": "Order {{1}} and {{3}}.", "examples": ("a", "b")}, "without gaps"),
    ({"examples": ("A-1001",)}, "1 examples for 2 parameters"),
    ({"body": "{{1}} is ready.", "examples": ("a",)}, "put words around it"),
    ({"body": "Ready: {{1}}", "examples": ("a",)}, "put words around it"),
]


@pytest.mark.parametrize(("change", "why"), REFUSED)
async def test_what_breaks_a_rule_is_told_before_anybody_is_asked(
    change: dict[str, Any], why: str, templates: Templates, fake: FakeWhatsApp
) -> None:
    with pytest.raises(TemplateRefused, match=why):
        await templates.create(channel_of(fake), replace(DRAFT, **change))
    assert fake.journal == []


@pytest.mark.parametrize("change", [{"body": "x" * 1024, "examples": ()}, {"header": "h" * 60}, {"footer": "f" * 60}])
async def test_what_just_fits_is_handed_in(change: dict[str, Any], templates: Templates, fake: FakeWhatsApp) -> None:
    assert (await templates.create(channel_of(fake), replace(DRAFT, **change))).status == "pending"


async def test_a_name_that_is_taken_is_refused_by_the_platform(templates: Templates, fake: FakeWhatsApp) -> None:
    fake.account.add_template("order_update", "th")
    with pytest.raises(SendError, match="already content in this language"):
        await templates.create(channel_of(fake), DRAFT)


async def test_without_the_account_nothing_is_asked(templates: Templates, fake: FakeWhatsApp) -> None:
    for asking in (templates.list(channel_of(fake, waba_id="")), templates.create(channel_of(fake, waba_id=""), DRAFT)):
        with pytest.raises(SendError, match="add waba_id to iris"):
            await asking
    assert fake.journal == []


async def test_a_refusal_shows_no_token(templates: Templates, fake: FakeWhatsApp) -> None:
    fake.account.token = "another"
    with pytest.raises(SendError) as raised:
        await templates.list(channel_of(fake))
    assert ACCESS_TOKEN not in repr(raised.value) + raised.value.reason


NAMED = {"message_template_name": "promo", "message_template_language": "th"}
NEWS: list[tuple[str, dict[str, Any], Template | None]] = [
    (
        "message_template_status_update",
        {**NAMED, "event": "REJECTED", "reason": "INVALID_FORMAT"},
        Template("promo", "th", "rejected", False, reason="INVALID_FORMAT"),
    ),
    (
        "message_template_status_update",
        {**NAMED, "event": "APPROVED", "reason": "NONE", "message_template_category": "UTILITY"},
        Template("promo", "th", "approved", True, category="UTILITY"),
    ),
    ("message_template_status_update", {**NAMED, "event": "FLAGGED"}, Template("promo", "th", "flagged", None)),
    ("message_template_status_update", {**NAMED, "event": "PAUSED"}, Template("promo", "th", "paused", False)),
    (
        "message_template_quality_update",
        {"message_template_name": "promo", "new_quality_score": "RED"},
        Template("promo", "", quality="RED"),
    ),
    ("template_category_update", {**NAMED, "new_category": "MARKETING"}, Template("promo", "th", category="MARKETING")),
    ("account_update", {"event": "VERIFIED_ACCOUNT"}, None),
    ("phone_number_quality_update", {**NAMED, "event": "FLAGGED"}, None),
    ("message_template_status_update", {"event": "APPROVED"}, None),
]


@pytest.mark.parametrize(("subject", "value", "found"), NEWS)
def test_webhooks_say_what_has_changed(subject: str, value: dict[str, Any], found: Template | None) -> None:
    assert Templates().news_of(ChannelUpdated(subject=subject, change="x", metadata=value)) == found


@pytest.mark.parametrize(
    "content",
    [
        TemplateContent(name="promo"),
        TemplateContent(name="promo", language="en_US", parameters=("Ana",)),
        TemplateContent(name="x", native={"name": "promo", "language": {"code": "de"}}),
    ],
)
def test_the_key_of_a_template_is_what_is_really_sent(content: TemplateContent, fake: FakeWhatsApp) -> None:
    message = OutboundMessage(
        id="m",
        conversation_id="wa_shop_15555550123",
        platform="whatsapp",
        channel="shop",
        peer="15555550123",
        parts=(Part(id="p", content=content),),
        causation_id="c",
        correlation_id="t",
        created_at=0,
    )
    (call,) = [call for call in PLATFORM.plan(message, WINDOW, Channel("shop", "whatsapp", {})) if call.is_visible]
    sent = call.body["template"]
    assert Templates().key_of(content) == (sent["name"], sent["language"]["code"])


def test_templates_belong_to_the_account(fake: FakeWhatsApp) -> None:
    assert Templates().account_of(channel_of(fake)) == ACCOUNT_ID
