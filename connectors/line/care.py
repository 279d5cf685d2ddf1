"""Care of LINE channels: token, webhook address, a delivery test, the month's quota, and the switches no API shows.

Asks and writes ``/v2/bot/…`` ("Messaging API reference": Webhook settings, Bot, Quota).
"""

from typing import Any

from connectors.care import Finding, Health, Site
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.line import api
from connectors.line.sender import error_of
from connectors.shared.asking import Asker, Verdicts, found, question
from connectors.shared.http import Answer

QUOTA_WARNING_SHARE = 0.9
"""Ours: from here on the month's quota may not last."""

CONSOLE = "LINE Developers console, Messaging API"
VERDICTS = Verdicts(f"issue a long-lived channel access token ({CONSOLE}) and put it into access_token's variable")
REGISTER = "run `iris channels register`"

REDELIVERY = Finding(
    "click",
    "no API shows whether redelivery is on; without it a message that we could not take at once never comes again",
    f"switch *Webhook redelivery* on ({CONSOLE})",
)
RESPONSES = Finding(
    "click",
    "no API shows the account's own answers; with them customers get two",
    "Official Account Manager, Response settings: webhooks on, auto-reply messages off",
)
TEST_REASONS = {
    "COULD_NOT_CONNECT": "look whether the address answers from outside, with a valid certificate",
    "REQUEST_TIMEOUT": "look why the answer takes longer than 2 s",
    "ERROR_STATUS_CODE": "401 or 403: channel_secret is another channel's; 404: the path; 5xx: the log of intake",
}
"""``reason`` of the delivery test ("Test webhook endpoint"), and what to do about it."""


def _url(channel: Channel, path: str) -> str:
    return (channel.api_base or api.API_BASE).rstrip("/") + path


def bot_info(channel: Channel) -> Call:
    """Who the bot is."""
    return question("bot info", "GET", _url(channel, api.INFO_PATH))


def get_endpoint(channel: Channel) -> Call:
    """Where webhooks go, and whether they are switched on."""
    return question("webhook endpoint", "GET", _url(channel, api.ENDPOINT_PATH))


def put_endpoint(channel: Channel, url: str) -> Call:
    """Webhooks go to ``url`` from now on."""
    return question("set webhook endpoint", "PUT", _url(channel, api.ENDPOINT_PATH), {"endpoint": url})


def deliver_test(channel: Channel) -> Call:
    """Deliver an empty webhook now; 60 times an hour ("Rate limits")."""
    return question("test webhook endpoint", "POST", _url(channel, api.TEST_PATH), {})


def quota(channel: Channel) -> Call:
    """The month's limit of pushed messages."""
    return question("quota", "GET", _url(channel, api.QUOTA_PATH))


def consumption(channel: Channel) -> Call:
    """How many of them are used."""
    return question("quota consumption", "GET", _url(channel, api.CONSUMPTION_PATH))


def _judge(answer: Answer, call: Call, channel: Channel) -> None:
    if not 200 <= answer.status < 300:
        raise error_of(answer, call, channel)


class Care:
    """See ``connectors.care.Care``."""

    def __init__(self) -> None:
        self._asker = Asker(_judge)

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Token, bot, endpoint with a delivery test, quota, and what has to be clicked."""
        info = await found(self._info(channel), VERDICTS)
        if info[0].level in ("error", "unclear"):
            # Everything else would fail for the same reason; the switches are told all the same.
            return *info, REDELIVERY, RESPONSES
        endpoint = await found(self._endpoint(channel, site), VERDICTS)
        return *info, *endpoint, *await found(self._quota(channel), VERDICTS), REDELIVERY, RESPONSES

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Set the endpoint unless it is set, then test it."""
        url = site.webhook_url(channel) or ""
        if not url.startswith("https://"):
            return (Finding("error", f"LINE does not deliver to {url}", "give --url an https address"),)
        return *await found(self._set(channel, site, url), VERDICTS), REDELIVERY, RESPONSES

    async def health(self, channel: Channel) -> Health:
        """``limited`` once the month's quota is used up: then only replies go out, which are free."""
        try:
            await self._asker.ask(bot_info(channel), channel)
            url, is_active = await self._where(channel)
            used, limit = await self._used(channel)
        except SendError as error:
            return VERDICTS.health(error)
        if not url or not is_active:
            return Health("unsubscribed", "*Use webhook* is off" if url else "no webhook URL is set")
        if limit is not None and used >= limit:
            return Health("limited", f"the month's {limit} messages are used up; replies still go out")
        return Health("connected")

    async def close(self) -> None:
        """Release connections."""
        await self._asker.close()

    async def _info(self, channel: Channel) -> Finding:
        answer = await self._asker.ask(bot_info(channel), channel)
        user_id, named = answer.member("userId"), channel.all("bot_user_id")
        if named and user_id not in named:
            todo = f'write bot_user_id = "{user_id}", or take the token of the right bot'
            return Finding(
                "error", f"the token is {user_id}'s, but bot_user_id is {named[0]}: webhooks are refused", todo
            )
        return Finding("ok", f"the token is {answer.member('displayName')}'s ({answer.member('basicId')})")

    async def _where(self, channel: Channel) -> tuple[str, bool]:
        """(endpoint, whether it is switched on); an empty one where none was ever set, which LINE answers with 404."""
        try:
            answer = await self._asker.ask(get_endpoint(channel), channel)
        except SendError as error:
            if error.code == "404":
                # Documented so for an account whose endpoint was never set.
                return "", False
            raise
        return str(answer.member("endpoint") or ""), answer.member("active") is True

    async def _endpoint(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        url, is_active = await self._where(channel)
        if not url:
            return (Finding("error", "no webhook URL is set: LINE delivers nothing", REGISTER),)
        if not site.is_ours(url, channel):
            wanted = site.webhook_url(channel) or "this installation"
            return (Finding("error", f"the webhook URL is {url} and not that of {wanted}", REGISTER),)
        return Finding("ok", f"the webhook URL is {url}"), *_switch(is_active), *await self._test(channel)

    async def _test(self, channel: Channel) -> tuple[Finding, ...]:
        answer = await self._asker.ask(deliver_test(channel), channel)
        if answer.member("success") is True:
            return (Finding("ok", "LINE's delivery test came back with 200"),)
        reason = str(answer.member("reason") or "no reason given")
        what = (
            f"LINE's delivery test failed: {reason} (status {answer.member('statusCode')}): {answer.member('detail')}"
        )
        return (Finding("error", what, TEST_REASONS.get(reason, "look into the log of intake")),)

    async def _set(self, channel: Channel, site: Site, url: str) -> tuple[Finding, ...]:
        current, _ = await self._where(channel)
        # Setting it anew would be allowed, but a registration that changes nothing should do nothing.
        if current != url:
            await self._asker.ask(put_endpoint(channel, url), channel)
        return await self._endpoint(channel, site)

    async def _used(self, channel: Channel) -> tuple[int, int | None]:
        """(messages of this month, their limit); None where the plan has none."""
        limit = _count((await self._asker.ask(quota(channel), channel)).member("value"))
        used = _count((await self._asker.ask(consumption(channel), channel)).member("totalUsage"))
        return used or 0, limit

    async def _quota(self, channel: Channel) -> Finding:
        used, limit = await self._used(channel)
        if limit is None:
            return Finding("ok", f"{used} messages pushed this month, without a limit")
        what = f"{used} of this month's {limit} messages are used"
        if used < limit * QUOTA_WARNING_SHARE:
            return Finding("ok", what)
        return Finding("warning", what, "change the plan; replies stay free")


def _switch(is_active: bool) -> list[Finding]:
    if is_active:
        return []
    return [Finding("error", "*Use webhook* is off: LINE delivers nothing", f"switch *Use webhook* on ({CONSOLE})")]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
