"""Care of Instagram channels, of either login: account and token, the app's webhook, the account's subscription.

Asks and writes graph.instagram.com, or graph.facebook.com through a page ("Instagram API with Instagram Login",
"Webhooks"); what Meta's platforms share is in ``connectors.shared.meta``.
"""

from dataclasses import replace

from connectors.care import Finding, Health, Site
from connectors.instagram.api import ERROR_MEANINGS, FACEBOOK_BASE, GRAPH_VERSION, INSTAGRAM_BASE
from connectors.interface import Call, Channel
from connectors.shared.asking import Verdicts, found, question
from connectors.shared.meta.app import Surface, graph_url
from connectors.shared.meta.care import MetaCare
from connectors.shared.meta.steps import CALLBACK_REFUSED, GRAPH_LIMIT_CODES, Steps, delivers
from connectors.shared.meta.values import as_dict, as_id

SURFACE = Surface(
    object="instagram",
    fields=("messages", "messaging_postbacks", "message_reactions", "messaging_seen", "messaging_referral"),
    offered=("message_edit", "message_echoes", "messaging_handover", "standby"),
    scopes=(),
    token="access_token",  # noqa: S106 - the field's name
    version=GRAPH_VERSION,
)
"""Scopes are looked at through a page only: for tokens of the Instagram login no introspection is documented."""
PAGE_SURFACE = replace(SURFACE, scopes=("instagram_basic", "instagram_manage_messages", "pages_manage_metadata"))
PAGE_FIELDS = ("messages", "messaging_postbacks", "message_reactions")
"""What a page subscribes to for its account: fields that both kinds have."""

VERDICTS = Verdicts(
    "app dashboard, *Instagram*: generate the account's token (with a page: that page's) anew, for access_token",
    GRAPH_LIMIT_CODES,
    CALLBACK_REFUSED,
)
RENEWAL = Finding(
    "click",
    "no API shows when a token of the Instagram login ends: 60 days after it was made or renewed",
    "renew it in time with graph.instagram.com/refresh_access_token, and put the new one first",
)
MESSAGE_ACCESS = Finding(
    "click",
    "no API shows whether the account lets apps read its messages",
    "Instagram app, *Settings > Messages and story replies > Message controls*: allow access to messages",
)


def get_account(channel: Channel) -> Call:
    """Whose the token is."""
    page = channel.first("page_id")
    path = f"{page}?fields=name,instagram_business_account" if page else "me?fields=user_id,username"
    return question("account", "GET", graph_url(channel, SURFACE, path, base=_base(channel)))


class Care(MetaCare):
    """See ``connectors.care.Care``."""

    surface, meanings, verdicts = SURFACE, ERROR_MEANINGS, VERDICTS

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Version, account, token, the app's webhook, the account's subscription, and what cannot be seen."""
        steps = self._of(channel)
        is_paged = bool(channel.first("page_id"))
        return (
            *steps.version(channel),
            *await found(self._account(channel), VERDICTS),
            *(await found(steps.token(channel), VERDICTS) if is_paged else (RENEWAL,)),
            *await found(steps.webhook(channel, site), VERDICTS),
            *await found(steps.subscribed(channel, _node(channel), _fields(channel), base=_base(channel)), VERDICTS),
            MESSAGE_ACCESS,
        )

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """The app's webhook, then the account's subscription."""
        steps = self._of(channel)
        return (
            *await found(steps.register_webhook(channel, site), VERDICTS),
            *await found(steps.subscribe(channel, _node(channel), _fields(channel), base=_base(channel)), VERDICTS),
            MESSAGE_ACCESS,
        )

    def _of(self, channel: Channel) -> Steps:
        return self._steps.on(PAGE_SURFACE) if channel.first("page_id") else self._steps

    async def _health(self, channel: Channel) -> Health:
        """After an hour of failed deliveries Meta unsubscribes the app ("Webhooks": Delivery)."""
        account = await self._account(channel)
        subscription = await self._of(channel).subscription(channel, _node(channel), base=_base(channel))
        if account.level == "error":
            return Health("bad_credentials", account.what)
        if subscription is None or not delivers(subscription, "messages"):
            return Health("unsubscribed", "the account's messages do not go to the app")
        return Health("connected")

    async def _account(self, channel: Channel) -> Finding:
        answer = await self._of(channel).asker.ask(get_account(channel), channel)
        linked = as_dict(answer.member("instagram_business_account")).get("id")
        account = as_id(linked if channel.first("page_id") else answer.member("user_id"))
        if not account:
            what = f"page {answer.member('name')} is linked to no Instagram account"
            return Finding("error", what, "link them in the page's settings, *Linked accounts*")
        if account not in channel.all("instagram_id"):
            what = f"the token is that of account {account}, instagram_id is {channel.first('instagram_id')}"
            return Finding("error", what, f'write instagram_id = "{account}", or take the right account\'s token')
        return Finding("ok", f"the token is that of {answer.member('username') or answer.member('name')} ({account})")


def _base(channel: Channel) -> str:
    return FACEBOOK_BASE if channel.first("page_id") else INSTAGRAM_BASE


def _node(channel: Channel) -> str:
    return channel.first("page_id") or channel.first("instagram_id")


def _fields(channel: Channel) -> tuple[str, ...]:
    return PAGE_FIELDS if channel.first("page_id") else SURFACE.fields
