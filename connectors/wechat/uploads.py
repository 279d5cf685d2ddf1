"""Media by link → the id of an upload, which is all that WeChat sends. Reads the link; writes to ``media/upload``.

Nothing here can be seen by a follower, so that whatever fails may be tried again.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.errors import FetchError, SendError
from connectors.interface import Blob, Call, Channel, Download
from connectors.shared.http import Answer, HttpClient
from connectors.wechat import api
from connectors.wechat.answers import errcode_of
from connectors.wechat.render import UPLOAD

KEPT_MAX = 1_000
"""Uploads that are remembered; the oldest are made once more."""

BYTES_MAX = max(api.UPLOAD_BYTES_MAX.values())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of the sender's: how long an upload may take, and what an answer that is no success means."""

    timeout_s: float
    refused: Callable[[Answer], SendError]


class Uploads:
    """Shared by all channels of a process; an upload is used again for ``api.UPLOAD_LIFE_S``."""

    def __init__(self, client: HttpClient, download: Download, clock: Callable[[], float]) -> None:
        self._client = client
        self._download = download
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def filled(self, call: Call, channel: Channel, attempt: Attempt) -> Any:
        """The call's body with ids in place of links; raises SendError, which is never ambiguous."""
        body = call.body
        kind = body.get("msgtype") if isinstance(body, dict) else None
        members = body.get(kind, {}) if isinstance(kind, str) else {}
        links = {name: value[UPLOAD] for name, value in members.items() if _is_upload(value)}
        if not links:
            return body
        as_type = kind if kind in api.UPLOAD_TYPES else "image"
        ids = {name: await self._id_of(link, str(as_type), channel, attempt) for name, link in links.items()}
        return {**body, str(kind): {**members, **ids}}

    def forget(self, call: Call, channel: Channel) -> bool:
        """WeChat does not know an id of this call any more: if it was of an upload of ours, that is forgotten. Returns
        whether there was one, so that another attempt makes sense."""
        members = call.body.get(call.body.get("msgtype")) if isinstance(call.body, dict) else None
        sent = set(map(str, members.values())) if isinstance(members, dict) else set()
        gone = [key for key, (media_id, _) in self._known.items() if key[0] == channel.id and media_id in sent]
        for key in gone:
            del self._known[key]
        return bool(gone)

    async def _id_of(self, link: str, kind: str, channel: Channel, attempt: Attempt) -> str:
        key = (channel.id, link)
        known, until_s = self._known.get(key, ("", 0.0))
        if known and self._clock() < until_s:
            return known
        try:
            blob = await self._download(link, channel)
        except FetchError as error:
            reason = f"media not uploaded: {error.reason}"
            raise SendError(
                reason, code=error.code, retryable=error.retryable, retry_after_s=error.retry_after_s
            ) from None
        if len(blob.data) > api.UPLOAD_BYTES_MAX[kind]:
            raise SendError(f"media not uploaded: larger than {api.UPLOAD_BYTES_MAX[kind]} bytes", code="too_large")
        answer = await self._client.request(_upload(blob, kind, channel), channel, timeout_s=attempt.timeout_s)
        media_id = answer.member("media_id") or answer.member("thumb_media_id")
        if errcode_of(answer) not in (None, 0) or not isinstance(media_id, str):
            raise attempt.refused(answer)
        self._known[key] = (media_id, self._clock() + api.UPLOAD_LIFE_S)
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        return media_id


def _is_upload(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {UPLOAD}


def _upload(blob: Blob, kind: str, channel: Channel) -> Call:
    """A form with one file ("Upload temporary media", 新增临时素材); the name's ending says what it is."""
    mime_type = blob.mime_type or next(iter(api.UPLOAD_TYPES[kind]))
    ending = api.UPLOAD_TYPES[kind].get(mime_type, next(iter(api.UPLOAD_TYPES[kind].values())))
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="media{ending}"\r\n'
        f"Content-Type: {mime_type}\r\n\r\n"
    )
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return Call(
        name="media/upload",
        method="POST",
        url=f"{base}{api.UPLOAD_PATH}{api.TOKEN_QUERY}&type={kind}",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        body=head.encode() + blob.data + f"\r\n--{boundary}--\r\n".encode(),
        part_ids=(),
        is_visible=False,
    )
