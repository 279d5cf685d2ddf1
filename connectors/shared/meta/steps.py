"""What the care of Meta's three platforms shares: version, token, the app's webhook, an account's subscription.

Asks and writes the Graph API through the planned calls of ``shared.meta.app``. Each step returns findings; failures of
the asking itself become findings too.
"""

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.care import Finding, Health, Site
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.asking import LIMIT_CODES, Asker, Verdicts
from connectors.shared.http import Answer
from connectors.shared.meta import app
from connectors.shared.meta.app import FACEBOOK_BASE, Surface, version_of
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.meanings import Meanings
from connectors.shared.meta.values import as_dict, as_id, as_int, as_list
from connectors.shared.meta.versions import version_warning

GRAPH_LIMIT_CODES = LIMIT_CODES | {
    *("4", "17", "32", "613", "80001", "80002", "80006", "80007", "80008", "130429", "131048", "10/1893063", "2534122")
}
"""Error codes of too many calls, and of accounts that Meta has restricted for a while ("Rate Limits")."""

BAD_PARAMETER = "100"
TOKEN_REFUSED = "190"  # noqa: S105 - an error code
CALLBACK_REFUSED = {
    "2200": "Meta asked the address and did not get its challenge: is it reachable, and `iris serve` running with this "
    "verify_token?"
}
"""The URL check that a new callback triggers has failed ("Webhooks: Getting Started")."""

TOKEN_WARNING_S = 14 * 86_400.0
"""Ours: how long before its end a token is warned about."""

REGISTER = "run `iris channels register`"
SECOND_SWITCH = "app dashboard, *Webhooks*: set callback URL and verify token, and tick the fields"


class Steps:
    """The steps of one platform. ``clock`` gives Unix seconds."""

    def __init__(
        self, surface: Surface, meanings: Meanings, verdicts: Verdicts, *, clock: Callable[[], float] = time.time
    ) -> None:
        def judge(answer: Answer, call: Call, channel: Channel) -> None:
            receipt_of(answer, channel, meanings)

        self.asker = Asker(judge)
        self.surface = surface
        self.verdicts = verdicts
        self._clock = clock

    def on(self, surface: Surface) -> "Steps":
        """The same steps on another surface of the platform, over the same connections."""
        other = copy(self)
        other.surface = surface
        return other

    # Version and token.

    def warnings(self, channel: Channel) -> tuple[str, ...]:
        """What will matter later: the end of the channel's Graph version."""
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        warning = version_warning(version_of(channel, self.surface), today)
        return (warning,) if warning else ()

    def version(self, channel: Channel) -> tuple[Finding, ...]:
        """A warning 90 days ahead, and an error once the version is gone."""
        todo = f'write graph_version = "{self.surface.version}", or leave it out'
        return tuple(
            Finding("error" if "ended on" in warning else "warning", warning, todo)
            for warning in self.warnings(channel)
        )

    async def token(self, channel: Channel) -> tuple[Finding, ...]:
        """What Meta says about the token; it needs the app's id and proves the app's secret by the way."""
        if not channel.first("app_id"):
            what = "app_id is not configured: neither the token's life nor the app's webhook can be looked at"
            return (Finding("warning", what, "write app_id = …, from the app dashboard, Settings > Basic"),)
        try:
            answer = await self.ask_as_app(app.debug_token(channel, self.surface), channel)
        except SendError as error:
            if self.verdicts.state(error) != "bad_credentials":
                return (self.verdicts.finding(error),)
            return (Finding("error", error.reason, "correct app_id and app_secret: the app itself was not accepted"),)
        return self._token(as_dict(answer.member("data")), channel)

    def _token(self, data: dict[str, Any], channel: Channel) -> tuple[Finding, ...]:
        if data.get("is_valid") is not True:
            why = as_dict(data.get("error")).get("message", "no reason given")
            return (Finding("error", f"{self.surface.token} is not valid: {why}", self.verdicts.renew),)
        if as_id(data.get("app_id")) not in ("", *channel.all("app_id")):
            what = f"{self.surface.token} belongs to app {as_id(data.get('app_id'))}, not to app_id"
            return (Finding("error", what, "take the token of the app whose id and secret are configured"),)
        missing = [scope for scope in self.surface.scopes if scope not in as_list(data.get("scopes"))]
        findings = [Finding("error", f"the token lacks {scope}", self.verdicts.renew) for scope in missing]
        ends_s = as_int(data.get("expires_at")) or 0
        if ends_s and ends_s - self._clock() < TOKEN_WARNING_S:
            ends = datetime.fromtimestamp(ends_s, UTC).date()
            findings.append(Finding("warning", f"the token ends on {ends}", self.verdicts.renew))
        return tuple(findings) or (Finding("ok", "the token is valid and may do what is needed"),)

    # The app's webhook.

    async def webhook(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Whether the app's callback leads here, and whether all fields are asked for."""
        if not channel.first("app_id"):
            where = site.webhook_url(channel) or "this installation"
            what = f"without app_id the app's webhook cannot be seen; it has to be {where}"
            return (Finding("click", what, SECOND_SWITCH),)
        found = await self.webhook_of(channel)
        url = str(found.get("callback_url") or "")
        if not url:
            return (Finding("error", f"the app has no webhook for {self.surface.object}", REGISTER),)
        if self.owner_of(url, channel, site) is None:
            wanted = site.webhook_url(channel) or "this installation"
            return (Finding("error", f"the app's webhook leads to {url} and not to {wanted}", REGISTER),)
        return Finding("ok", f"the app's webhook leads to {url}"), *self.delivered(found)

    def delivered(self, webhook: dict[str, Any]) -> tuple[Finding, ...]:
        """What is wrong with what the app's webhook delivers, wherever it leads."""
        if webhook.get("active") is False:
            return (Finding("error", "the app's webhook is switched off", REGISTER),)
        return tuple(_fields(self._missing(webhook), "the app's webhook"))

    async def register_webhook(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Point the app's callback here with all fields, unless it is so: one address serves all accounts of an app, so
        that of another channel of the same app is left as it is."""
        if not channel.first("app_id"):
            return await self.webhook(channel, site)
        found = await self.webhook_of(channel)
        current = str(found.get("callback_url") or "")
        owner = self.owner_of(current, channel, site)
        if owner is None or found.get("active") is False or self._missing(found):
            owner = owner or channel
            await self._set_webhook(owner, site.webhook_url(owner) or current)
        return await self.webhook(channel, site)

    def owner_of(self, url: str, channel: Channel, site: Site) -> Channel | None:
        """The channel of the same app whose webhook this address is, None when it leads elsewhere."""
        same_app = [one for one in site.channels if set(one.all("app_secret")) & set(channel.all("app_secret"))]
        return next((one for one in (channel, *same_app) if Site(site.base).is_ours(url, one)), None)

    async def webhook_of(self, channel: Channel) -> dict[str, Any]:
        """The app's webhook of this object, empty where there is none; raises SendError."""
        answer = await self.ask_as_app(app.get_webhooks(channel, self.surface), channel)
        found = (as_dict(one) for one in as_list(answer.member("data")))
        return next((one for one in found if one.get("object") == self.surface.object), {})

    async def _set_webhook(self, channel: Channel, url: str) -> None:
        """Raises SendError. Fields that Meta does not offer to this app make it refuse them all."""
        surface = self.surface
        try:
            await self.ask_as_app(app.set_webhook(channel, surface, url, (*surface.fields, *surface.offered)), channel)
        except SendError as error:
            if not surface.offered or _code(error) != BAD_PARAMETER:
                raise
            await self.ask_as_app(app.set_webhook(channel, surface, url, surface.fields), channel)

    def _missing(self, found: dict[str, Any]) -> list[str]:
        fields = as_list(found.get("fields"))
        named = {str(as_dict(one).get("name") or one) for one in fields}
        return [name for name in self.surface.fields if name not in named]

    async def ask_as_app(self, call: Call, channel: Channel) -> Answer:
        """Ask in the app's name, with each of its secrets until one is taken: they are rotated, and apps with the
        Instagram login have two, of which only one is the Facebook app's. Raises SendError."""
        *others, last = channel.all("app_secret") or ("",)
        for secret in others:
            try:
                return await self.asker.ask(call, _with_secret(channel, secret))
            except SendError as error:
                if _code(error) != TOKEN_REFUSED:
                    raise
        return await self.asker.ask(call, _with_secret(channel, last))

    # An account's subscription.

    async def subscribed(
        self, channel: Channel, node: str, fields: Sequence[str], *, base: str = FACEBOOK_BASE
    ) -> tuple[Finding, ...]:
        """Whether the account's events go to the app, and which."""
        mine = await self.subscription(channel, node, base=base)
        if mine is None:
            return (Finding("error", "the account is not subscribed to the app: nothing is delivered", REGISTER),)
        missing = [name for name in fields if not delivers(mine, name)]
        return Finding("ok", "the account is subscribed to the app"), *_fields(missing, "the account's subscription")

    async def subscription(self, channel: Channel, node: str, *, base: str = FACEBOOK_BASE) -> dict[str, Any] | None:
        """The entry of the channel's app among those that the account is subscribed to; of any app, where app_id is not
        configured. None when there is none; raises SendError.

        Tokens of the Instagram login show their own app only, under an id that is not the Facebook app's.
        """
        answer = await self.asker.ask(app.get_subscribed(channel, self.surface, node, base=base), channel)
        apps = [as_dict(one) for one in as_list(answer.member("data"))]
        # A WhatsApp account has the app one level deeper than a page.
        ids = [as_id(as_dict(one.get("whatsapp_business_api_data", one)).get("id")) for one in apps]
        wanted = channel.all("app_id") if base == FACEBOOK_BASE else ()
        return next((one for one, id in zip(apps, ids, strict=True) if not wanted or id in wanted), None)

    async def subscribe(
        self, channel: Channel, node: str, fields: Sequence[str], *, base: str = FACEBOOK_BASE
    ) -> tuple[Finding, ...]:
        """Subscribe, again if need be: the same call changes nothing when all is set."""
        every = [*fields, *(name for name in self.surface.offered if fields == self.surface.fields)]
        try:
            await self._subscribe(channel, node, every, base=base)
        except SendError as error:
            if every == list(fields) or _code(error) != BAD_PARAMETER:
                raise
            await self._subscribe(channel, node, fields, base=base)
        return await self.subscribed(channel, node, fields, base=base)

    async def _subscribe(self, channel: Channel, node: str, fields: Sequence[str], *, base: str) -> None:
        body = {"subscribed_fields": ",".join(fields)}
        await self.asker.ask(app.subscribe(channel, self.surface, node, body, base=base), channel)

    def told(self, health: Health, channel: Channel) -> Health:
        """The health together with what will matter later."""
        return Health(health.state, health.detail, self.warnings(channel))


def _with_secret(channel: Channel, secret: str) -> Channel:
    secrets = (secret, *(other for other in channel.all("app_secret") if other != secret))
    return replace(channel, values={**channel.values, "app_secret": secrets})


def delivers(subscription: dict[str, Any], name: str) -> bool:
    """Whether an account's subscription has this field; one that names no fields at all says nothing against it."""
    fields = subscription.get("subscribed_fields")
    return not isinstance(fields, list) or name in fields


def _code(error: SendError) -> str:
    return (error.code or "").partition("/")[0]


def _fields(missing: Sequence[str], where: str) -> list[Finding]:
    if not missing:
        return []
    return [Finding("warning", f"{where} lacks the fields {', '.join(missing)}", REGISTER)]
