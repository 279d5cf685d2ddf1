"""The Cloud API's ``/media``: what may be uploaded, how long its id is good, and which messages may name it.

Source: WhatsApp Business Platform "Media" (upload; supported media types). An id that was never given here is believed,
since it may be that of an inbound media.
"""

from collections.abc import Callable
from typing import Any

from tests.fakes import forms
from tests.fakes.whatsapp_rules import MEDIA, Refused
from tests.fakes.wire import Answer, Request

LIFE_S = 30 * 86_400
MEGABYTE = 1_000_000
BYTES_MAX = {"image": 5 * MEGABYTE, "audio": 16 * MEGABYTE, "video": 16 * MEGABYTE, "document": 100 * MEGABYTE}
TYPES = {
    **dict.fromkeys(("image/jpeg", "image/png"), "image"),
    **dict.fromkeys(("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"), "audio"),
    **dict.fromkeys(("video/mp4", "video/3gpp"), "video"),
}
"""Kind by type; of any other type it is a document, as a document may be of every type."""


class Uploaded:
    """Ids by number, with the kind as which they may be sent and when they were given."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.kinds: dict[str, str] = {}
        self.taken: list[forms.FormFile] = []
        self.answers = 0
        """An HTTP status with which uploads are answered by something that is not the Graph API."""
        self._given_s: dict[str, float] = {}

    def take(self, request: Request, media_id: str) -> Answer:
        """A new id; raises Refused."""
        kind = check_upload(request.raw, request.headers.get("content-type", ""))
        if self.answers:
            return Answer(self.answers, b"a gateway's page")
        self.kinds[media_id], self._given_s[media_id] = kind, self._clock()
        self.taken.append(forms.parsed(request.raw, request.headers["content-type"])[1]["file"])
        return Answer(200, {"id": media_id})

    def lose(self) -> None:
        """As if thirty days had passed for every upload until now."""
        self._given_s = dict.fromkeys(self._given_s, -LIFE_S)

    def check(self, body: dict[str, Any]) -> None:
        """Raises Refused when a message names an upload that is gone, or sends it as what it is not."""
        for kind, media_id in _named(body):
            if media_id in self.kinds and self._clock() - self._given_s[media_id] >= LIFE_S:
                raise Refused(100, f"Param {kind}['id'] is not a valid whatsapp business account media attachment ID")
            if media_id in self.kinds and kind not in (self.kinds[media_id], "document"):
                raise Refused(131053, f"{media_id} was uploaded as {self.kinds[media_id]}")


def check_upload(raw: bytes, content_type: str) -> str:
    """The kind of an upload; raises Refused for a form that is not whole, a type that does not fit, or a size."""
    try:
        fields, files = forms.parsed(raw, content_type)
    except ValueError as error:
        raise Refused(100, str(error)) from None
    if fields.get("messaging_product") != "whatsapp":
        raise Refused(100, "The parameter messaging_product is required")
    if "file" not in files or not files["file"].data:
        raise Refused(100, "The parameter file is required")
    if not fields.get("type") or fields["type"] != files["file"].mime_type:
        raise Refused(100, "Param file must be a file with the type that is named")
    kind = TYPES.get(fields["type"], "document")
    # What is too large for its kind may still be a document.
    if len(files["file"].data) > BYTES_MAX["document"]:
        raise Refused(131053, "Media upload error: the file is too large")
    return kind if len(files["file"].data) <= BYTES_MAX[kind] else "document"


def _named(value: Any) -> list[tuple[str, str]]:
    """Every media id in a body, with the kind as which it is sent."""
    if isinstance(value, list):
        return [found for item in value for found in _named(item)]
    if not isinstance(value, dict):
        return []
    own = [
        (kind, item["id"]) for kind, item in value.items() if kind in MEDIA and isinstance(item, dict) and "id" in item
    ]
    return own + [found for item in value.values() for found in _named(item)]
