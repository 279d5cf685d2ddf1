"""Sends planned calls to the Graph API whose media is uploaded before: the I/O half where a platform takes uploads.

Reads the media through the ``Download`` it is given; writes to the platform's edge for uploads, then to its messages.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from connectors.errors import SendError
from connectors.interface import Call, Channel, Download, Receipt
from connectors.shared.forms import File
from connectors.shared.meta.graph import receipt_of
from connectors.shared.meta.sending import GraphSender
from connectors.shared.meta.values import as_id
from connectors.shared.uploads import UPLOAD_S, Upload, Uploads


class UploadingSender(GraphSender, ABC):
    """``bytes_max`` (by kind) and ``life_s`` are the platform's limits of an upload, ``id_member`` is where its answer
    has the id, ``unknown_codes`` are what a message is refused by when an id is not valid any more. ``clock`` (seconds)
    is replaced in tests."""

    bytes_max: ClassVar[Mapping[str, int]]
    life_s: ClassVar[float]
    id_member: ClassVar[str]
    unknown_codes: ClassVar[frozenset[str]]

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._uploads = Uploads(bytes_max=self.bytes_max, life_s=self.life_s, clock=clock)

    @abstractmethod
    def _upload(self, kind: str, file: File, channel: Channel) -> Call:
        """The call that uploads this file."""

    def upload_from(self, download: Download) -> None:
        """See ``connectors.interface.Uploader``."""
        self._uploads.read_from(download)

    async def perform(self, call: Call, channel: Channel, *, timeout_s: float) -> Receipt:
        """One attempt, after media is uploaded; raises SendError."""

        async def make(upload: Upload, file: File) -> str:
            return await self._uploaded(self._upload(upload.kind, file, channel), channel)

        filled = await self._uploads.filled(call, channel, make)
        try:
            return await super().perform(filled.call, channel, timeout_s=timeout_s)
        except SendError as error:
            if error.code not in self.unknown_codes:
                raise
            raise self._uploads.unknown(error, filled.reused, channel) from None

    async def _uploaded(self, call: Call, channel: Channel) -> str:
        """The id of a new upload. Raises SendError, never ambiguous: nobody sees an upload."""
        answer = await self._client.request(call, channel, timeout_s=UPLOAD_S)
        try:
            receipt_of(answer, channel, self.meanings)
        except SendError as error:
            if not error.ambiguous:
                raise
            raise SendError(f"media not uploaded: {error.reason}", code=error.code, retryable=True) from None
        media_id = as_id(answer.member(self.id_member))
        if not media_id:
            raise SendError(f"media not uploaded: no {self.id_member} in the answer", code="bad_answer", retryable=True)
        return media_id
