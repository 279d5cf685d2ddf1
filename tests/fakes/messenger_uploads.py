"""Messenger's ``/message_attachments``: what may be uploaded, and how long a page may send it by its id.

Source: Messenger Platform "Saving assets". An id that was never given here is believed.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes import forms
from tests.fakes.messenger_rules import MEDIA, Refused, require
from tests.fakes.wire import Answer, Request

LIFE_S = 90 * 86_400
BYTES_MAX = 25_000_000


class Attachments:
    """Saved attachments by id: whose page's, as which type, since when."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.kinds: dict[str, str] = {}
        self.taken: list[forms.FormFile] = []
        self._of: dict[str, tuple[str, float]] = {}

    def take(self, request: Request, page: str, attachment_id: str) -> Answer:
        """A new id; raises Refused."""
        kind, file = check_upload(request.raw, request.headers.get("content-type", ""))
        self.kinds[attachment_id], self._of[attachment_id] = kind, (page, self._clock())
        self.taken.append(file)
        return Answer(200, {"attachment_id": attachment_id})

    def check(self, body: dict[str, Any], page: str) -> None:
        """Raises Refused when a message names an attachment that is gone, another page's, or of another type."""
        attachment = (body.get("message") or {}).get("attachment") or {}
        id = (attachment.get("payload") or {}).get("attachment_id")
        if id not in self.kinds:
            return
        owner, since_s = self._of[id]
        if owner != page or self._clock() - since_s >= LIFE_S:
            raise Refused("Invalid attachment ID: not owned by this page or gone", subcode=2018074)
        if self.kinds[id] != attachment.get("type"):
            raise Refused("Attachment type does not match that of the upload", subcode=2018047)

    def lose(self) -> None:
        """As if ninety days had passed for every upload until now."""
        self._of = {id: (page, -LIFE_S) for id, (page, _) in self._of.items()}


def check_upload(raw: bytes, content_type: str) -> tuple[str, forms.FormFile]:
    """The type and the file; raises Refused."""
    try:
        fields, files = forms.parsed(raw, content_type)
        attachment = json.loads(fields.get("message", ""))["attachment"]
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"Invalid parameter message: {error}") from None
    kind, payload = attachment.get("type"), attachment.get("payload") or {}
    require(kind in MEDIA, f"Invalid attachment type {kind}")
    require(payload == {"is_reusable": True}, "An upload that is sent to several people must be reusable")
    require("filedata" in files and files["filedata"].data, "The parameter filedata is required")
    file = files["filedata"]
    require(kind == "file" or file.mime_type.startswith(f"{kind}/"), "Attachment type does not match the file")
    require(len(file.data) <= BYTES_MAX, "Attachment size exceeds allowable limit")
    return kind, file
