"""Care of Telegram channels: is the token good, does the webhook lead here, are all updates asked for.

Asks ``getMe`` and ``getWebhookInfo``, writes ``setWebhook`` ("Telegram Bot API", section "Getting updates").
"""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from connectors.care import Finding, Health, Site
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.asking import Asker, Verdicts, found, question
from connectors.shared.http import Answer
from connectors.telegram.api import WEBHOOK_PORTS, method_url
from connectors.telegram.sender import error_of
from connectors.telegram.update import KINDS
from connectors.telegram.wire import JsonObject, number, obj, text

SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""Section "setWebhook", parameter ``secret_token``."""

RECENT_S = 300.0
"""Ours: an older delivery error has been followed by better ones, or by nothing to deliver."""

REGISTER = "run `iris channels register`"
VERDICTS = Verdicts("get the token from @BotFather (/token) and put it into bot_token's variable")

# All that can be asked; an omitted list would keep the previous one, and an empty one leaves reactions out.
ALLOWED_UPDATES = sorted(KINDS)
LEFT_OUT = ["chat_member", "message_reaction", "message_reaction_count"]
"""What Telegram leaves out where no list was ever given."""


def get_me(channel: Channel) -> Call:
    """Who the bot is."""
    return question("getMe", "GET", method_url(channel.api_base, "getMe"), bearer="")


def get_webhook_info(channel: Channel) -> Call:
    """Where updates go, and what went wrong last."""
    return question("getWebhookInfo", "GET", method_url(channel.api_base, "getWebhookInfo"), bearer="")


def set_webhook(channel: Channel, url: str) -> Call:
    """Updates go to ``url`` from now on, all kinds that we understand, each with the channel's secret."""
    body = {"url": url, "secret_token": "{secret:secret_token}", "allowed_updates": ALLOWED_UPDATES}
    return question("setWebhook", "POST", method_url(channel.api_base, "setWebhook"), body, bearer="")


def _judge(answer: Answer, call: Call, channel: Channel) -> None:
    if obj(answer.body).get("ok") is not True:
        raise error_of(call, answer, channel)


class Care:
    """See ``connectors.care.Care``. ``clock`` gives Unix seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._asker = Asker(_judge)
        self._clock = clock

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """Token, secret, webhook and its last errors."""
        me = await found(self._me(channel), VERDICTS)
        if me[0].level in ("error", "unclear"):
            # The webhook is asked for with the same token: one answer is enough.
            return me
        return *me, *_secret(channel), *await found(self._webhook(channel, site), VERDICTS)

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """``setWebhook``; the secret cannot be read back, so it is set each time."""
        url = site.webhook_url(channel) or ""
        wrong = [*_secret(channel), *_unreachable(url)]
        if wrong:
            return tuple(wrong)
        return await found(self._set(channel, url), VERDICTS)

    async def health(self, channel: Channel) -> Health:
        """A bot whose deliveries failed within the last minutes is ``transient``: Telegram keeps them for 24 h."""
        try:
            await self._asker.ask(get_me(channel), channel)
            info = await self._info(channel)
        except SendError as error:
            return VERDICTS.health(error)
        if not text(info, "url"):
            return Health("unsubscribed", "no webhook is set")
        problem = self._recent_error(info)
        return Health("transient", f"deliveries fail: {problem}") if problem else Health("connected")

    async def close(self) -> None:
        """Release connections."""
        await self._asker.close()

    async def _me(self, channel: Channel) -> Finding:
        answer = await self._asker.ask(get_me(channel), channel)
        me = obj(obj(answer.body).get("result"))
        name = f"the token is @{text(me, 'username')}'s"
        if me.get("can_read_all_group_messages") is False:
            return Finding(
                "ok", f"{name}; in groups it sees commands and replies to it only (/setprivacy at @BotFather)"
            )
        return Finding("ok", name)

    async def _info(self, channel: Channel) -> JsonObject:
        answer = await self._asker.ask(get_webhook_info(channel), channel)
        return obj(obj(answer.body).get("result"))

    async def _webhook(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        info = await self._info(channel)
        url = text(info, "url")
        if not url:
            return (Finding("error", "no webhook is set: Telegram delivers nothing", REGISTER),)
        if not site.is_ours(url, channel):
            wanted = site.webhook_url(channel) or "this installation"
            return (Finding("error", f"the webhook leads to {url} and not to {wanted}", REGISTER),)
        findings = [Finding("ok", f"the webhook leads to {url}"), *_updates(info)]
        waiting = number(info, "pending_update_count") or 0
        problem = self._recent_error(info)
        if problem:
            todo = "look whether that address answers from outside with a valid certificate; 403 means another secret"
            findings.append(Finding("error", f"deliveries fail: {problem}; {waiting:.0f} wait, for at most 24 h", todo))
        return tuple(findings)

    async def _set(self, channel: Channel, url: str) -> tuple[Finding, ...]:
        await self._asker.ask(set_webhook(channel, url), channel)
        info = await self._info(channel)
        if text(info, "url") != url:
            return (Finding("error", f"Telegram took the webhook but names {text(info, 'url') or 'none'}", REGISTER),)
        return Finding("ok", f"updates are delivered to {url}"), *_updates(info)

    def _recent_error(self, info: JsonObject) -> str:
        at = number(info, "last_error_date")
        is_recent = at is not None and self._clock() - at < RECENT_S
        return (text(info, "last_error_message") or "no reason given") if is_recent else ""


def _secret(channel: Channel) -> list[Finding]:
    if SECRET_TOKEN.fullmatch(channel.first("secret_token")):
        return []
    return [Finding("error", "secret_token is not 1-256 of A-Z a-z 0-9 _ -", "make one with: openssl rand -hex 32")]


def _updates(info: JsonObject) -> list[Finding]:
    allowed: Any = info.get("allowed_updates")
    missing = sorted(set(ALLOWED_UPDATES) - set(allowed)) if isinstance(allowed, list) and allowed else LEFT_OUT
    if not missing:
        return []
    told = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return [Finding("warning", f"updates that are not asked for: {told}", REGISTER)]


def _unreachable(url: str) -> list[Finding]:
    parts = urlsplit(url)
    if parts.scheme == "https" and (parts.port or 443) in WEBHOOK_PORTS:
        return []
    ports = ", ".join(map(str, WEBHOOK_PORTS))
    return [Finding("error", f"Telegram does not deliver to {url}", f"give --url an https address on port {ports}")]
