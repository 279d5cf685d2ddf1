"""Access tokens of the channels, kept in memory: asked for once, shared by all calls, renewed before they end.

Asks WeChat's ``stable_token`` ("Get stable access token", 获取稳定版接口调用凭据), which gives all processes of an
account the same token. So after a refusal it is asked again, without force. Force cuts all the others off and has a
quota: only the one process of an installation that looks after its channels' health uses it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.http import HttpClient
from connectors.wechat import api
from connectors.wechat.answers import error_of

RENEW_BEFORE_S = 120.0
"""WeChat makes the next token 300 s before the end of one, and both are good then: ask in between."""
FORCE_APART_S = 30.0
FORCES_A_DAY = 20
"""``force_refresh`` works 20 times a day, at least 30 s apart."""
DAY_S = 86_400.0


@dataclass(slots=True, eq=False)
class Token:
    """``is_second``: it came after another one was refused, and nothing has been accepted with it so far."""

    value: str = field(repr=False)
    good_until_s: float
    is_second: bool = False


@dataclass(slots=True)
class _Account:
    """What is known about one account's token. ``refused`` is the last value that was turned down."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = None
    refused: str | None = None
    forced_s: deque[float] = field(default_factory=lambda: deque(maxlen=FORCES_A_DAY))


class Tokens:
    """Shared by all channels of a process. ``clock`` gives seconds that only go forward."""

    def __init__(self, client: HttpClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._accounts: dict[tuple[str, str, str], _Account] = {}

    async def get(self, channel: Channel, *, timeout_s: float) -> Token:
        """A token that should be good. Of many callers at once one asks and the others wait for it.

        Raises SendError, never an ambiguous one: nothing that a follower could see has been asked for yet.
        """
        account = self._account(channel)
        try:
            async with asyncio.timeout(timeout_s), account.lock:
                if account.token is None or self._clock() >= account.token.good_until_s:
                    account.token = await self._ask(channel, account, is_forced=False, timeout_s=timeout_s)
                return account.token
        except TimeoutError:
            raise _late(timeout_s) from None

    async def force(self, channel: Channel, *, timeout_s: float) -> None:
        """Replace a token that was refused, unless another one is given out by now or force has been used too often.

        For the one process that may; raises SendError.
        """
        account = self._account(channel)
        try:
            async with asyncio.timeout(timeout_s), account.lock:
                token = await self._ask(channel, account, is_forced=False, timeout_s=timeout_s)
                if token.value == account.refused and self._may_force(account):
                    account.forced_s.append(self._clock())
                    token = await self._ask(channel, account, is_forced=True, timeout_s=timeout_s)
                account.token = token
        except TimeoutError:
            raise _late(timeout_s) from None

    def _may_force(self, account: _Account) -> bool:
        now, times = self._clock(), account.forced_s
        is_apart = not times or now - times[-1] >= FORCE_APART_S
        return is_apart and (len(times) < FORCES_A_DAY or now - times[0] >= DAY_S)

    def refuse(self, channel: Channel, token: Token) -> bool:
        """WeChat turned this token down. Returns whether it is the second in a row: then a third would not help."""
        account = self._account(channel)
        # Of many calls that went out with one token the first refusal counts; later ones are about what is gone.
        if account.token is token:
            account.token = None
            account.refused = token.value
        return token.is_second

    def confirm(self, channel: Channel, token: Token) -> None:
        """WeChat took this token."""
        token.is_second = False
        self._account(channel).refused = None

    def _account(self, channel: Channel) -> _Account:
        key = (channel.id, channel.first("app_id"), channel.api_base or api.API_BASE)
        return self._accounts.setdefault(key, _Account())

    async def _ask(self, channel: Channel, account: _Account, *, is_forced: bool, timeout_s: float) -> Token:
        asked_at_s = self._clock()
        call = _call(channel, is_forced=is_forced)
        answer = await self._client.request(call, channel, timeout_s=timeout_s)
        value, life_s = answer.member("access_token"), answer.member("expires_in")
        if not isinstance(value, str) or not value:
            raise error_of(answer, call, channel)
        life_s = float(life_s) if isinstance(life_s, int) and life_s > 0 else 0.0
        # A life shorter than the margin is halved, or every call would ask.
        used_s = max(life_s - RENEW_BEFORE_S, life_s / 2)
        return Token(value, asked_at_s + used_s, is_second=account.refused is not None)


def _late(timeout_s: float) -> SendError:
    return SendError(f"stable_token: no access token within {timeout_s:g} s", code="timeout", retryable=True)


def _call(channel: Channel, *, is_forced: bool) -> Call:
    base = (channel.api_base or api.API_BASE).rstrip("/")
    for name in ("app_id", "app_secret"):
        if not channel.first(name):
            raise SendError(f"channel {channel.id}: {name} is not configured; add it to iris.toml", channel_wide=True)
    body = {
        "grant_type": "client_credential",
        "appid": channel.first("app_id"),
        "secret": channel.first("app_secret"),
        "force_refresh": is_forced,
    }
    return Call("stable_token", "POST", base + api.TOKEN_PATH, {}, body, part_ids=(), is_visible=False)
