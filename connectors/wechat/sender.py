"""WeChat calls, one attempt each: the only I/O of this package. Answers are sorted into receipts and SendErrors."""

import asyncio
from dataclasses import replace

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt
from connectors.shared.http import Answer, HttpClient
from connectors.wechat import api
from connectors.wechat.answers import errcode_of, error_of
from connectors.wechat.tokens import Tokens


class Sender:
    """Shared by all WeChat channels of a process; keeps their access tokens."""

    def __init__(self) -> None:
        self._client = HttpClient()
        self._tokens = Tokens(self._client)

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt, after the access token is there; both within ``timeout_s``. Raises SendError.

        A token that is refused is forgotten: the next attempt asks for another, and if that is refused as well the
        error is the channel's.
        """
        clock = asyncio.get_running_loop().time
        ends_at = clock() + timeout_s
        token = await self._tokens.get(channel, timeout_s=timeout_s)
        keyed = replace(channel, values={**channel.values, "access_token": (token.value,)})
        answer = await self._client.request(call, keyed, timeout_s=max(0.0, ends_at - clock()))
        code = errcode_of(answer)
        if code in api.TOKEN_REFUSED:
            is_hopeless = self._tokens.refuse(channel, token)
            error = error_of(answer, call, keyed)
            if is_hopeless:
                raise SendError(f"{error.reason} (a new token as well)", code=error.code, channel_wide=True)
            raise error
        if code is not None:
            self._tokens.confirm(channel, token)
        if code == 0:
            return Receipt(_message_ids(answer))
        raise error_of(answer, call, keyed)

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _message_ids(answer: Answer) -> tuple[str, ...]:
    """A template message has a number, a customer-service message has none."""
    number = answer.member("msgid")
    return (str(number),) if isinstance(number, int) and not isinstance(number, bool) else ()
