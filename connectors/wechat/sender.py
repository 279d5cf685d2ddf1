"""WeChat calls, one attempt each: the only I/O of this package. Answers are sorted into receipts and SendErrors."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from connectors.errors import SendError
from connectors.interface import Call, Channel, Download, Receipt
from connectors.shared.forms import File
from connectors.shared.http import Answer, HttpClient
from connectors.shared.uploads import Filled, Upload, Uploads
from connectors.wechat import api
from connectors.wechat.answers import errcode_of, error_of
from connectors.wechat.tokens import Token, Tokens
from connectors.wechat.uploads import uploaded


class Sender:
    """Shared by all WeChat channels of a process; keeps their access tokens. ``clock`` (seconds) is replaced in
    tests."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = HttpClient()
        self._tokens = Tokens(self._client)
        self._uploads = Uploads(bytes_max=api.UPLOAD_BYTES_MAX, life_s=api.UPLOAD_LIFE_S, clock=clock)

    def upload_from(self, download: Download) -> None:
        """See ``connectors.interface.Uploader``."""
        self._uploads.read_from(download)

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt, after the access token is there and media is uploaded; all within ``timeout_s`` each. Raises
        SendError.

        A token that is refused is forgotten: the next attempt asks for another, and if that is refused as well the
        error is the channel's.
        """
        clock = asyncio.get_running_loop().time
        ends_at = clock() + timeout_s
        token = await self._tokens.get(channel, timeout_s=timeout_s)
        keyed = replace(channel, values={**channel.values, "access_token": (token.value,)})

        async def make(upload: Upload, file: File) -> str:
            def refused(answer: Answer) -> SendError:
                # Of an upload nobody has seen anything, whatever became of it.
                unseen = replace(call, is_visible=errcode_of(answer) is not None)
                return self._refused(answer, Filled(unseen), keyed, token)

            return await uploaded(upload, file, keyed, self._client, refused=refused)

        filled = await self._uploads.filled(call, keyed, make)
        if filled.call is not call:
            # Nothing was sent yet: what the upload took is not taken from the time of the call.
            ends_at = clock() + timeout_s
        answer = await self._client.request(filled.call, keyed, timeout_s=max(0.0, ends_at - clock()))
        code = errcode_of(answer)
        if code is not None and code not in api.TOKEN_REFUSED:
            self._tokens.confirm(channel, token)
        if code == 0:
            return Receipt(_message_ids(answer))
        raise self._refused(answer, filled, keyed, token)

    def _refused(self, answer: Answer, filled: Filled, keyed: Channel, token: Token) -> SendError:
        error = error_of(answer, filled.call, keyed)
        code = errcode_of(answer)
        if code == api.MEDIA_UNKNOWN:
            return self._uploads.unknown(error, filled.reused, keyed)
        if code in api.TOKEN_REFUSED and self._tokens.refuse(keyed, token):
            return SendError(f"{error.reason} (a new token as well)", code=error.code, channel_wide=True)
        return error

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()


def _message_ids(answer: Answer) -> tuple[str, ...]:
    """A template message has a number, a customer-service message has none."""
    number = answer.member("msgid")
    return (str(number),) if isinstance(number, int) and not isinstance(number, bool) else ()
