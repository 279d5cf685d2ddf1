"""Care of WeChat channels: are AppID and AppSecret good, are we on the allow-list. All else has to be clicked.

Asks ``stable_token`` and ``get_api_domain_ip``, which proves the token and has no effect ("Get stable access token",
获取稳定版接口调用凭据; "Get the IP addresses of the API", 获取微信API接口IP). No API tells or sets the webhook.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from connectors.care import Finding, Health, Site
from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.asking import LIMIT_CODES, TIMEOUT_S, Asker, Verdicts, found, question
from connectors.shared.http import Answer
from connectors.wechat import api
from connectors.wechat.answers import errcode_of, error_of
from connectors.wechat.tokens import Tokens

VERDICTS = Verdicts(
    "mp.weixin.qq.com, *Settings and Development > Basic configuration*: compare AppID, reset AppSecret",
    LIMIT_CODES | {"45009", "45011"},
    {
        "40164": "put the address that the message names onto the IP allow-list of *Basic configuration*",
        "48001": "verify the account: without that it may not use this API",
        "50002": "look into the console's notices: the account is restricted",
    },
)
REFUSED = frozenset(map(str, api.TOKEN_REFUSED))
KEY_LENGTH = 43
"""Characters of an EncodingAESKey ("Message encryption", 消息加解密说明)."""


def get_domain_ip(channel: Channel) -> Call:
    """Proves the access token and changes nothing."""
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return question("get_api_domain_ip", "GET", f"{base}{api.DOMAIN_PATH}{api.TOKEN_QUERY}", bearer="")


def _judge(answer: Answer, call: Call, channel: Channel) -> None:
    # This question answers without an errcode when all is well.
    if answer.status != 200 or not isinstance(answer.body, dict) or errcode_of(answer):
        raise error_of(answer, call, channel)


class Care:
    """See ``connectors.care.Care``. ``clock`` gives seconds that only go forward."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._asker = Asker(_judge)
        self._tokens = Tokens(self._asker.client, clock=clock)

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """The credentials; then the console's page, which no API shows."""
        return *await found(self._proven(channel), VERDICTS), *_key(channel), _console(channel, site)

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        """There is no API: what to type and to click."""
        return *_key(channel), _console(channel, site)

    async def health(self, channel: Channel) -> Health:
        """The only place that uses ``force_refresh``: it cuts every other process off, so only one may decide that it
        is time. A token that is refused although it keeps being given out is forced once, and tried again."""
        try:
            await self._prove(channel)
        except SendError as error:
            if error.code not in REFUSED:
                return VERDICTS.health(error)
        else:
            return Health("connected")
        try:
            await self._tokens.force(channel, timeout_s=TIMEOUT_S)
            await self._prove(channel)
        except SendError as error:
            return VERDICTS.health(error)
        return Health("connected", "the access token was refused and has been replaced")

    async def close(self) -> None:
        """Release connections."""
        await self._asker.close()

    async def _proven(self, channel: Channel) -> Finding:
        await self._prove(channel)
        return Finding("ok", f"WeChat takes AppID {channel.first('app_id')}, its AppSecret and our address")

    async def _prove(self, channel: Channel) -> None:
        """Raises SendError; a token that is refused is forgotten, so that the next one is asked for."""
        token = await self._tokens.get(channel, timeout_s=TIMEOUT_S)
        keyed = replace(channel, values={**channel.values, "access_token": (token.value,)})
        try:
            await self._asker.ask(get_domain_ip(channel), keyed)
        except SendError as error:
            if error.code in REFUSED:
                self._tokens.refuse(channel, token)
            raise
        self._tokens.confirm(channel, token)


def _key(channel: Channel) -> list[Finding]:
    key = channel.first("encoding_aes_key")
    if not key:
        what = "encoding_aes_key is not configured: messages come in the plain mode, which proves no byte of them"
        return [Finding("warning", what, "compatible mode in the console, encoding_aes_key here, then secure mode")]
    if len(key) != KEY_LENGTH:
        return [Finding("error", f"encoding_aes_key has {len(key)} characters, not {KEY_LENGTH}", "copy it once more")]
    return []


def _console(channel: Channel, site: Site) -> Finding:
    url = site.webhook_url(channel) or f"https://your.domain/webhooks/{channel.platform}/{channel.id}"
    mode = "secure mode" if channel.first("encoding_aes_key") else "plain mode"
    return Finding(
        "click",
        "no API shows or sets where WeChat delivers",
        f"*Basic configuration > Server configuration*: URL {url}, Token and key as configured here, {mode}, *Enable*",
    )
