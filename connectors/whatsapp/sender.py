"""Sends planned calls to the Cloud API: the I/O half of WhatsApp."""

from connectors.interface import Call, Channel, Receipt
from connectors.shared.forms import File, form
from connectors.shared.http import Answer
from connectors.shared.meta.uploads import UploadingSender
from connectors.shared.meta.values import as_dict, as_id, as_list
from connectors.whatsapp.api import ERROR_MEANINGS, MEDIA_BYTES_MAX, MEDIA_UNKNOWN, UPLOAD_LIFE_S, UPLOAD_TYPES
from connectors.whatsapp.plan import HEADERS, number_url


class Sender(UploadingSender):
    """What was lost on the way back shows up as a status that carries the part's id. Accepted is not delivered: a
    failure may yet be reported."""

    meanings = ERROR_MEANINGS
    bytes_max = MEDIA_BYTES_MAX
    life_s = UPLOAD_LIFE_S
    id_member = "id"
    unknown_codes = MEDIA_UNKNOWN

    def _upload(self, kind: str, file: File, channel: Channel) -> Call:
        """A form with the product, the type and one file ("Media": upload)."""
        default = UPLOAD_TYPES[kind]
        fields = {"messaging_product": "whatsapp", "type": file.typed(default)}
        content_type, body = form(fields, {"file": file}, default_type=default)
        headers = {**HEADERS, "Content-Type": content_type}
        return Call("media", "POST", number_url(channel, "media"), headers, body, part_ids=(), is_visible=False)

    def _receipt(self, answer: Answer, channel: Channel) -> Receipt:
        super()._receipt(answer, channel)
        ids = (as_id(as_dict(message).get("id")) for message in as_list(answer.member("messages")))
        return Receipt(tuple(filter(None, ids)))
