"""Sends planned calls to the Cloud API: the I/O half of WhatsApp."""

from connectors.interface import Channel, Receipt
from connectors.shared.http import Answer
from connectors.shared.meta.sending import GraphSender
from connectors.shared.meta.values import as_dict, as_id, as_list
from connectors.whatsapp.api import ERROR_MEANINGS


class Sender(GraphSender):
    """What was lost on the way back shows up as a status that carries the part's id. Accepted is not delivered: a
    failure may yet be reported."""

    meanings = ERROR_MEANINGS

    def _receipt(self, answer: Answer, channel: Channel) -> Receipt:
        super()._receipt(answer, channel)
        ids = (as_id(as_dict(message).get("id")) for message in as_list(answer.member("messages")))
        return Receipt(tuple(filter(None, ids)))
