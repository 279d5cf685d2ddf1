"""Sends planned calls to the Cloud API: the I/O half of WhatsApp.

Reads nothing but the call; writes to ``POST /{phone number id}/messages``. A failure's fields follow "Error codes".
"""

from connectors.interface import Call, Channel, Receipt
from connectors.shared.http import HttpClient
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.values import as_dict, as_id, as_list
from connectors.whatsapp.api import ERROR_MEANINGS


class Sender:
    """One HTTP session for all numbers."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt; raises SendError. There is no idempotency key: what was lost on the way back is ambiguous and
        shows up as a status that carries the part's id. Accepted is not delivered: a failure may yet be reported."""
        answer = await self._client.request(call, channel, timeout_s=timeout_s)
        receipt_of(answer, channel, ERROR_MEANINGS)
        ids = (as_id(as_dict(message).get("id")) for message in as_list(answer.member("messages")))
        return Receipt(tuple(filter(None, ids)))

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()
