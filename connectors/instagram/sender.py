"""Sends planned calls to the Graph API: the I/O half of Instagram.

Reads nothing but the call; writes to ``POST /{account}/messages``. A failure's fields follow ``api.ERROR_MEANINGS``.
"""

from connectors.instagram.api import ERROR_MEANINGS
from connectors.interface import Call, Channel, Receipt
from connectors.shared.http import HttpClient
from connectors.shared.meta.graph import receipt_of


class Sender:
    """One HTTP session for all accounts, of either login."""

    def __init__(self) -> None:
        self._client = HttpClient()

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt; raises SendError. There is no idempotency key: what was lost on the way back is ambiguous and
        shows up as an echo."""
        answer = await self._client.request(call, channel, timeout_s=timeout_s)
        return receipt_of(answer, channel, ERROR_MEANINGS)

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()
