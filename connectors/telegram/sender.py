"""The only I/O of this platform: one attempt of one planned call, and what its answer means.

Reads the media that a call has to bring along; writes to the Bot API. The token stands in the URL, so no error of this
module says which URL it was.
"""

import math
from typing import Any

from connectors.errors import SendError
from connectors.interface import Call, Channel, Download, Receipt
from connectors.shared.http import RATE_WAIT_S, Answer, HttpClient, redact
from connectors.shared.uploads import UPLOAD_S, Upload, Uploads, uploads_in
from connectors.telegram.api import UPLOAD_BYTES_MAX
from connectors.telegram.uploads import file_ids, with_media
from connectors.telegram.wire import JsonObject, ident, number, obj, text, whole

DESCRIPTION_MAX = 200
"""Longest text of Telegram's that is kept as a reason."""

GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "user not found")
"""Descriptions of a 400 that speak of the contact and not of the message."""


UNKNOWN_FILE = "file identifier"
"""In the description of a 400 that does not know a ``file_id``."""

DONE = (("edit", "message is not modified"), ("delete", "message to delete not found"))
"""Methods, and descriptions of a 400 that says that nothing is left to do."""


class Sender:
    """See ``connectors.interface.Sender``; one session for all channels."""

    def __init__(self) -> None:
        self._http = HttpClient()
        # A file_id is good for as long as it is not refused (section "Sending files").
        self._uploads = Uploads(bytes_max=UPLOAD_BYTES_MAX, life_s=math.inf)

    def upload_from(self, download: Download) -> None:
        """See ``connectors.interface.Uploader``."""
        self._uploads.read_from(download)

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """Exactly one attempt. Raises SendError as the table of "Telegram Bot API", section "Making requests", and the
        practice of the API say: 429 names its wait, 403 is the contact, 401 and 404 are the token.

        Media that is not known yet travels in the message's own request, which then has the time of an upload.
        """
        wanted = uploads_in(call.body)
        if all(self._uploads.known(upload, channel) for upload in wanted):
            return await self._send(call, wanted, channel, timeout_s=timeout_s)
        async with self._uploads.places:
            return await self._send(call, wanted, channel, timeout_s=max(timeout_s, UPLOAD_S))

    async def _send(self, call: Call, wanted: list[Upload], channel: Channel, *, timeout_s: float) -> Receipt:
        reused = [upload for upload in wanted if self._uploads.known(upload, channel)]
        sources = [self._uploads.known(one, channel) or await self._uploads.read(one, channel) for one in wanted]
        ready = with_media(call, sources) if wanted else call
        answer = await self._http.request(ready, channel, timeout_s=timeout_s)
        body = obj(answer.body)
        if body.get("ok") is True:
            for upload, file_id in file_ids(call.body, body.get("result")) if wanted else ():
                self._uploads.remember(upload, channel, file_id)
            return Receipt(_message_ids(body.get("result")))
        said = text(body, "description") or ""
        if is_done_already(call, said):
            return Receipt()
        error = error_of(call, answer, channel)
        raise self._uploads.unknown(error, reused, channel) if UNKNOWN_FILE in said.lower() else error

    async def close(self) -> None:
        """Release connections."""
        await self._http.close()


def is_done_already(call: Call, description: str) -> bool:
    """Whether a change is refused because the message is as it was to become: an earlier attempt has arrived."""
    said = description.lower()
    return any(call.name.startswith(method) and words in said for method, words in DONE)


def _message_ids(result: Any) -> tuple[str, ...]:
    """Ids in the order of the request: one Message, several (an album), or none where the answer is just true."""
    messages = result if isinstance(result, list) else [result]
    return tuple(filter(None, (ident(obj(message), "message_id") for message in messages)))


def error_of(call: Call, answer: Answer, channel: Channel) -> SendError:
    """What an answer that is no success means."""
    body: JsonObject = obj(answer.body)
    if body.get("ok") is not False:
        return _no_verdict(call, answer)
    code = whole(body, "error_code") or answer.status
    said = redact(text(body, "description") or "no description", channel)[:DESCRIPTION_MAX]
    reason = f"{call.name}: {code} {said}"
    parameters = obj(body.get("parameters"))
    wait_s = number(parameters, "retry_after")
    new_chat = ident(parameters, "migrate_to_chat_id")
    if new_chat:
        return SendError(f"{call.name}: the group has moved to chat {new_chat}", code="migrated", moved_to=new_chat)
    if code == 429 or wait_s is not None:
        # Only this chat is asked to wait, as far as anybody can tell; the answer does not say whom it means.
        return SendError(reason, code=str(code), retryable=True, retry_after_s=wait_s)
    if code in (401, 404, 409):
        # Token revoked, token malformed, or another client polls with it: nothing of this channel would pass.
        return SendError(reason, code=str(code), channel_wide=True)
    if code >= 500:
        return SendError(reason, code=str(code), retryable=True)
    is_gone = code == 403 or any(words in said.lower() for words in GONE)
    return SendError(reason, code=str(code), unreachable=is_gone)


def _no_verdict(call: Call, answer: Answer) -> SendError:
    """An answer that is not the Bot API's own: something between us spoke. Only 4xx and 503 say "not passed on"."""
    reason = f"{call.name}: HTTP {answer.status} without an answer of the Bot API"
    code = str(answer.status)
    if answer.status in (429, 503):
        wait_s = _header_wait_s(answer) or (RATE_WAIT_S if answer.status == 429 else None)
        return SendError(reason, code=code, retryable=True, retry_after_s=wait_s)
    if answer.status in (401, 403, 404, 407) or 300 <= answer.status < 400:
        return SendError(f"{reason}; check the channel's api_base", code=code, channel_wide=True)
    if 400 <= answer.status < 500:
        return SendError(reason, code=code)
    return SendError(reason, code=code, retryable=True, ambiguous=True)


def _header_wait_s(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
