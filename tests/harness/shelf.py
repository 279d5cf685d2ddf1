"""Media without a network or a store: what lies behind every link, and who asks for it."""

from typing import Any

from connectors.errors import FetchError
from connectors.interface import Blob, Channel

DIGEST = "ab" * 32
STORED = f"file:///data/media/ab/{DIGEST}"
"""A link of the form that our own store gives."""


class Shelf:
    """Implements ``connectors.interface.Downloads``; gives ``found`` for every link, or raises it."""

    def __init__(self, found: Blob | FetchError | None = None) -> None:
        self.found: Blob | FetchError = found or Blob(b"picture", "image/png")
        self.asked: list[str] = []
        self.is_closed = False

    async def __call__(self, url: str, channel: Channel, *, headers: Any = None) -> Blob:
        self.asked.append(url)
        if isinstance(self.found, FetchError):
            raise self.found
        return self.found

    async def close(self) -> None:
        self.is_closed = True
