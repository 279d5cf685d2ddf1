"""Sends planned calls to the Graph API: the I/O half of Messenger."""

from typing import ClassVar

import orjson

from connectors.interface import Call, Channel
from connectors.messenger.api import (
    ATTACHMENT_UNKNOWN,
    ERROR_MEANINGS,
    MEDIA_BYTES_MAX,
    UPLOAD_LIFE_S,
    UPLOAD_TYPES,
)
from connectors.messenger.plan import HEADERS, page_url
from connectors.shared.forms import File, form
from connectors.shared.meta.uploads import UploadingSender


class Sender(UploadingSender):
    """What was lost on the way back shows up as an echo that carries the part's id."""

    meanings = ERROR_MEANINGS
    bytes_max: ClassVar[dict[str, int]] = dict.fromkeys(UPLOAD_TYPES, MEDIA_BYTES_MAX)
    life_s = UPLOAD_LIFE_S
    id_member = "attachment_id"
    unknown_codes = ATTACHMENT_UNKNOWN

    def _upload(self, kind: str, file: File, channel: Channel) -> Call:
        """A form with the attachment as it would stand in a message, and one file ("Saving assets": from file)."""
        attachment = {"type": kind, "payload": {"is_reusable": True}}
        fields = {"message": orjson.dumps({"attachment": attachment}).decode()}
        content_type, body = form(fields, {"filedata": file}, default_type=UPLOAD_TYPES[kind])
        headers = {**HEADERS, "Content-Type": content_type}
        url = page_url(channel, "message_attachments")
        return Call("message_attachments", "POST", url, headers, body, part_ids=(), is_visible=False)
