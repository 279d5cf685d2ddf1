"""Care of WhatsApp channels: number, token, where webhooks really go, the account's subscription, the number's quality.

Asks and writes the Graph API ("Business phone numbers", "Webhooks: overrides", "WhatsApp Business Account:
subscribed_apps"); what Meta's platforms share is in ``connectors.shared.meta``.
"""

from typing import Any

from connectors.care import Finding, Health, Site
from connectors.interface import Call, Channel
from connectors.shared.asking import Verdicts, found, question
from connectors.shared.meta import app
from connectors.shared.meta.app import Surface, graph_url
from connectors.shared.meta.care import MetaCare
from connectors.shared.meta.steps import CALLBACK_REFUSED, GRAPH_LIMIT_CODES, REGISTER
from connectors.shared.meta.values import as_dict
from connectors.whatsapp.api import ERROR_MEANINGS, GRAPH_VERSION
from connectors.whatsapp.entries import ACCOUNT_FIELD, NUMBER_FIELD

SURFACE = Surface(
    object="whatsapp_business_account",
    fields=(
        "messages",
        "standby",
        "messaging_handovers",
        "account_update",
        "account_alerts",
        "phone_number_quality_update",
        "message_template_status_update",
        "message_template_quality_update",
        "template_category_update",
        "user_preferences",
    ),
    offered=("smb_message_echoes",),
    scopes=("whatsapp_business_messaging", "whatsapp_business_management"),
    token="access_token",  # noqa: S106 - the field's name
    version=GRAPH_VERSION,
)
VERDICTS = Verdicts(
    "Business Suite, *Settings > Users > System users*: generate a token that never expires, with both permissions",
    GRAPH_LIMIT_CODES,
    CALLBACK_REFUSED,
)
NUMBER_FIELDS = (
    "verified_name,display_phone_number,quality_rating,throughput,status,platform_type,webhook_configuration"
)
HOOKS = "webhook_configuration"
HOOK_LEVELS = ("phone_number", "whatsapp_business_account", "application")
"""Whose address counts, the first that is set ("Webhooks: overrides")."""
FIELDS = Finding(
    "click",
    "without app_id it cannot be seen which fields the app's webhook delivers",
    f"app dashboard, *WhatsApp > Configuration*: subscribe to {', '.join(SURFACE.fields)}; better: write app_id = …",
)
GOOD_STATUSES = ("CONNECTED", "MIGRATED", "")
LOW_QUALITY = "RED"


def get_number(channel: Channel) -> Call:
    """The number's name, state and quality, and where its webhooks go."""
    path = f"{channel.first(NUMBER_FIELD)}?fields={NUMBER_FIELDS}"
    return question("phone number", "GET", graph_url(channel, SURFACE, path))


def override_number(channel: Channel, url: str) -> Call:
    """This number's webhooks go to ``url``, wherever those of its account go."""
    hook = {"override_callback_uri": url, "verify_token": "{secret:verify_token}"}
    body = {"webhook_configuration": hook}
    return question("override webhook", "POST", graph_url(channel, SURFACE, channel.first(NUMBER_FIELD)), body)


class Care(MetaCare):
    """See ``connectors.care.Care``."""

    surface, meanings, verdicts = SURFACE, ERROR_MEANINGS, VERDICTS

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Version, number, token, the app's webhook, the account's subscription."""
        steps = self._steps
        return (
            *steps.version(channel),
            *await found(self._number(channel, site), VERDICTS),
            *await found(steps.token(channel), VERDICTS),
            *await found(self._app(channel), VERDICTS),
            *await found(self._subscribed(channel), VERDICTS),
        )

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """The app's webhook, then the account's subscription, which overrides the app's address where that could not be
        set, then an override of the number's own where one leads elsewhere."""
        return (
            *await found(self._register_app(channel, site), VERDICTS),
            *await found(self._subscribe(channel, site), VERDICTS),
            *await found(self._lead_here(channel, site), VERDICTS),
        )

    async def _health(self, channel: Channel) -> Health:
        """``limited``: Meta restricts the number, or would soon for its quality."""
        number = await self._look(channel)
        account = channel.first(ACCOUNT_FIELD)
        if account and await self._steps.subscription(channel, account) is None:
            return Health("unsubscribed", "the account is not subscribed to the app")
        if HOOKS in number and not _hook_of(number):
            return Health("unsubscribed", "no webhook is set for the number, its account or its app")
        trouble = _trouble(number)
        return Health("limited", trouble) if trouble else Health("connected")

    async def _look(self, channel: Channel) -> dict[str, Any]:
        answer = await self._steps.asker.ask(get_number(channel), channel)
        return as_dict(answer.body)

    async def _number(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        number = await self._look(channel)
        name = f"the number is {number.get('display_phone_number')} ({number.get('verified_name')})"
        trouble = _trouble(number)
        findings = [Finding("ok", name)]
        if trouble:
            findings.append(Finding("warning", trouble, "look into *WhatsApp Manager > Account tools > Phone numbers*"))
        url = _hook_of(number)
        if HOOKS in number and self._steps.owner_of(url, channel, site) is None:
            wanted = site.webhook_url(channel) or "this installation"
            findings.append(Finding("error", f"its webhooks go to {url or 'nobody'} and not to {wanted}", REGISTER))
        elif url:
            findings.append(Finding("ok", f"its webhooks go to {url}"))
        return tuple(findings)

    async def _app(self, channel: Channel) -> tuple[Finding, ...]:
        """Which fields are delivered is the app's matter; where to, the number has told."""
        if not channel.first("app_id"):
            return (FIELDS,)
        webhook = await self._steps.webhook_of(channel)
        if not webhook:
            return (Finding("error", "the app has no webhook for WhatsApp, so no field is delivered", REGISTER),)
        return self._steps.delivered(webhook)

    async def _register_app(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """An app's webhook that leads elsewhere serves somebody else: it stays, and the account's own is overridden."""
        if not channel.first("app_id") or await self._is_foreign(channel, site):
            return await self._app(channel)
        return await self._steps.register_webhook(channel, site)

    async def _is_foreign(self, channel: Channel, site: Site) -> bool:
        url = (await self._steps.webhook_of(channel)).get("callback_url")
        return bool(url) and self._steps.owner_of(str(url), channel, site) is None

    async def _subscribed(self, channel: Channel) -> tuple[Finding, ...]:
        account = channel.first(ACCOUNT_FIELD)
        if not account:
            what = "waba_id is not configured: neither the account's subscription nor its templates can be looked at"
            return (Finding("warning", what, "write waba_id = …, from *WhatsApp > API Setup*"),)
        return await self._steps.subscribed(channel, account, ())

    async def _subscribe(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """An account has no fields of its own: they are the app's."""
        account = channel.first(ACCOUNT_FIELD)
        if account:
            # An empty body subscribes as well, and takes an override away that is not needed any more.
            body: dict[str, Any] = {}
            if not channel.first("app_id") or await self._is_foreign(channel, site):
                body = {"override_callback_uri": site.webhook_url(channel), "verify_token": "{secret:verify_token}"}
            await self._steps.asker.ask(app.subscribe(channel, SURFACE, account, body), channel)
        return await self._subscribed(channel)

    async def _lead_here(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        number = await self._look(channel)
        # A number's own override goes before all others, so that only another one of its own helps.
        if HOOKS in number and self._steps.owner_of(_hook_of(number), channel, site) is None:
            await self._steps.asker.ask(override_number(channel, site.webhook_url(channel) or ""), channel)
        return await self._number(channel, site)


def _hook_of(number: dict[str, Any]) -> str:
    """Where the number's webhooks really go."""
    hooks = as_dict(number.get(HOOKS))
    return next((str(hooks[level]) for level in HOOK_LEVELS if hooks.get(level)), "")


def _trouble(number: dict[str, Any]) -> str:
    """What restricts the number, in words; empty when nothing does."""
    status = str(number.get("status") or "")
    if status not in GOOD_STATUSES:
        return f"the number is {status.lower()}"
    is_low = number.get("quality_rating") == LOW_QUALITY
    return "the number's quality is low: Meta may restrict it" if is_low else ""
