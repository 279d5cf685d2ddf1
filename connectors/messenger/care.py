"""Care of Messenger channels: page and token, the app's webhook, the page's subscription, the Graph version's end.

Asks and writes the Graph API ("Messenger Platform: Webhooks", "Page: subscribed_apps"); what Meta's platforms share is
in ``connectors.shared.meta``.
"""

from connectors.care import Finding, Health, Site
from connectors.interface import Call, Channel
from connectors.messenger.api import ERROR_MEANINGS, GRAPH_VERSION
from connectors.shared.asking import Verdicts, found, question
from connectors.shared.meta.app import Surface, graph_url
from connectors.shared.meta.care import MetaCare
from connectors.shared.meta.steps import CALLBACK_REFUSED, GRAPH_LIMIT_CODES, delivers
from connectors.shared.meta.values import as_id

SURFACE = Surface(
    object="page",
    fields=(
        "messages",
        "messaging_postbacks",
        "message_echoes",
        "message_edits",
        "message_reactions",
        "message_deliveries",
        "message_reads",
        "messaging_referrals",
        "messaging_optins",
        "messaging_handovers",
    ),
    scopes=("pages_messaging", "pages_manage_metadata"),
    token="page_token",  # noqa: S106 - the field's name
    version=GRAPH_VERSION,
)
VERDICTS = Verdicts(
    "app dashboard, *Messenger > API settings*: generate the page's access token anew, for page_token's variable",
    GRAPH_LIMIT_CODES,
    CALLBACK_REFUSED,
)


def get_page(channel: Channel) -> Call:
    """Whose the page token is."""
    return question("page", "GET", graph_url(channel, SURFACE, "me?fields=id,name"), bearer=SURFACE.token)


class Care(MetaCare):
    """See ``connectors.care.Care``."""

    surface, meanings, verdicts = SURFACE, ERROR_MEANINGS, VERDICTS

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Version, page, token, the app's webhook, the page's subscription."""
        steps = self._steps
        return (
            *steps.version(channel),
            *await found(self._page(channel), VERDICTS),
            *await found(steps.token(channel), VERDICTS),
            *await found(steps.webhook(channel, site), VERDICTS),
            *await found(steps.subscribed(channel, channel.first("page_id"), SURFACE.fields), VERDICTS),
        )

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """The app's webhook first: what a page delivers before goes nowhere."""
        return (
            *await found(self._steps.register_webhook(channel, site), VERDICTS),
            *await found(self._steps.subscribe(channel, channel.first("page_id"), SURFACE.fields), VERDICTS),
        )

    async def _health(self, channel: Channel) -> Health:
        """After an hour of failed deliveries Meta unsubscribes the app ("Webhooks": Delivery)."""
        page = await self._page(channel)
        subscription = await self._steps.subscription(channel, channel.first("page_id"))
        if page.level == "error":
            return Health("bad_credentials", page.what)
        if subscription is None or not delivers(subscription, "messages"):
            return Health("unsubscribed", "the page's messages do not go to the app")
        return Health("connected")

    async def _page(self, channel: Channel) -> Finding:
        answer = await self._steps.asker.ask(get_page(channel), channel)
        page = as_id(answer.member("id"))
        if page not in channel.all("page_id"):
            what = f"page_token is that of page {page}, page_id is {channel.first('page_id')}"
            return Finding("error", what, "make both the same page's")
        return Finding("ok", f"the token is that of page {answer.member('name')} ({page})")
