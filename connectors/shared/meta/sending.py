"""Sends planned calls to the Graph API: the I/O half of Meta's platforms.

Reads nothing but the call; writes to ``POST /{account}/messages``.
"""

from typing import ClassVar

from connectors.interface import Call, Channel, Receipt
from connectors.shared.http import Answer, HttpClient
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.meanings import Meanings


class GraphSender:
    """One HTTP session for all channels of a platform. ``meanings`` sort its failures before the generic ones."""

    meanings: ClassVar[Meanings]

    def __init__(self) -> None:
        self._client = HttpClient()

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt; raises SendError. There is no idempotency key: what was lost on the way back is ambiguous and
        shows up in a webhook that carries the part's id."""
        return self._receipt(await self._client.request(call, channel, timeout_s=timeout_s), channel)

    async def close(self) -> None:
        """Close the session."""
        await self._client.close()

    def _receipt(self, answer: Answer, channel: Channel) -> Receipt:
        return receipt_of(answer, channel, self.meanings)
