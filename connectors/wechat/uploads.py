"""Temporary media: the upload whose id is all that WeChat sends. Writes to ``media/upload``."""

from collections.abc import Callable

from connectors.errors import SendError
from connectors.interface import Call, Channel
from connectors.shared.forms import File, form
from connectors.shared.http import Answer, HttpClient
from connectors.shared.uploads import UPLOAD_S, Upload
from connectors.wechat import api
from connectors.wechat.answers import errcode_of


async def uploaded(
    upload: Upload, file: File, channel: Channel, client: HttpClient, *, refused: Callable[[Answer], SendError]
) -> str:
    """The id of a new upload; raises SendError, that of ``refused`` for an answer that is no success."""
    answer = await client.request(_call(file, upload.kind, channel), channel, timeout_s=UPLOAD_S)
    media_id = answer.member("media_id") or answer.member("thumb_media_id")
    if errcode_of(answer) not in (None, 0) or not isinstance(media_id, str):
        raise refused(answer)
    return media_id


def _call(file: File, kind: str, channel: Channel) -> Call:
    """A form with one file ("Upload temporary media", 新增临时素材); the name's ending says what it is."""
    types = api.UPLOAD_TYPES[kind]
    mime_type = file.mime_type or next(iter(types))
    ending = types.get(mime_type, next(iter(types.values())))
    content_type, body = form({}, {"media": File(file.data, mime_type, f"media{ending}")})
    base = (channel.api_base or api.API_BASE).rstrip("/")
    return Call(
        name="media/upload",
        method="POST",
        url=f"{base}{api.UPLOAD_PATH}{api.TOKEN_QUERY}&type={kind}",
        headers={"Content-Type": content_type},
        body=body,
        part_ids=(),
        is_visible=False,
    )
