"""Media that goes to a platform by upload: read, uploaded once, and the platform's id of it used again.

Reads media through the ``Download`` it is given; the sender makes the calls. What fails before the message itself is
sent has been seen by nobody, so that no error of this module is ambiguous.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from connectors.errors import FetchError, SendError
from connectors.interface import Blob, Call, Channel, Download
from connectors.shared.forms import File
from schemas.media import is_stored

KEPT_MAX = 10_000
"""Ids that are remembered per process and platform; the oldest are made once more."""

LINK_LIFE_S = 3600.0
"""Ours: the picture behind a web link may be another one later. What we store ourselves never changes."""

UPLOAD_S = 30.0
"""Ours, for one upload: 25 MB at 7 Mbit/s."""

AT_ONCE = 4
"""Uploads of one platform at a time, because each is in memory as a whole; others wait."""


class Upload(dict[str, Any]):
    """Stands in a planned body where the id of an upload belongs. ``kind`` is the platform's own word.

    It prints as JSON, and is a type of its own so that nothing that somebody wrote is taken for one.
    """

    def __init__(self, url: str, kind: str, *, mime_type: str | None = None, file_name: str | None = None) -> None:
        more = {"mime_type": plain_type(mime_type), "file_name": file_name}
        super().__init__({"upload": url, "kind": kind} | {name: value for name, value in more.items() if value})

    @property
    def url(self) -> str:
        return str(self["upload"])

    @property
    def kind(self) -> str:
        return str(self["kind"])


def plain_type(mime_type: str | None) -> str:
    """A MIME type without its parameters, in lower case; empty when there is none."""
    return (mime_type or "").partition(";")[0].strip().lower()


def uploads_in(value: Any) -> list[Upload]:
    """Every upload that a body asks for, in its order."""
    if isinstance(value, Upload):
        return [value]
    items: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [upload for item in items for upload in uploads_in(item)]


def replaced(value: Any, put: Callable[[Upload], Any]) -> Any:
    """The body with something else in place of every upload."""
    if isinstance(value, Upload):
        return put(value)
    if isinstance(value, dict):
        return {name: replaced(item, put) for name, item in value.items()}
    return [replaced(item, put) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Filled:
    """A call with ids in place of its uploads. ``reused`` are those whose id was known before."""

    call: Call
    reused: tuple[Upload, ...] = ()


class Uploads:
    """Ids of uploads by channel, link and kind, for all channels of a process and platform.

    ``bytes_max`` is the platform's limit by kind, ``life_s`` how long it keeps an upload; ``clock`` gives seconds.
    """

    def __init__(
        self, *, bytes_max: Mapping[str, int], life_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.places = asyncio.Semaphore(AT_ONCE)
        self._bytes_max = bytes_max
        self._life_s = life_s
        self._clock = clock
        self._download: Download = _no_download
        self._known: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()
        self._locks: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()

    def read_from(self, download: Download) -> None:
        """Where media comes from."""
        self._download = download

    async def filled(self, call: Call, channel: Channel, make: Callable[[Upload, File], Awaitable[str]]) -> Filled:
        """The call with every upload made by ``make``, which returns its id, or known already. Raises SendError."""
        wanted = uploads_in(call.body)
        if not wanted:
            return Filled(call)
        reused = tuple(upload for upload in wanted if self.known(upload, channel))
        ids = {_key(upload, channel): await self._id_of(upload, channel, make) for upload in wanted}
        return Filled(replace(call, body=replaced(call.body, lambda upload: ids[_key(upload, channel)])), reused)

    async def _id_of(self, upload: Upload, channel: Channel, make: Callable[[Upload, File], Awaitable[str]]) -> str:
        lock = self._locks.setdefault(_key(upload, channel), asyncio.Lock())
        async with lock:
            known = self.known(upload, channel)
            if known is not None:
                return known
            async with self.places:
                media_id = await make(upload, await self.read(upload, channel))
            self.remember(upload, channel, media_id)
            return media_id

    async def read(self, upload: Upload, channel: Channel) -> File:
        """The media itself; raises SendError, with ``too_large`` as its code when the platform takes no more."""
        try:
            blob = await self._download(upload.url, channel)
        except FetchError as error:
            reason, wait_s = f"media not uploaded: {error.reason}", error.retry_after_s
            raise SendError(reason, code=error.code, retryable=error.retryable, retry_after_s=wait_s) from None
        bytes_max = self._bytes_max[upload.kind]
        if len(blob.data) > bytes_max:
            raise SendError(f"media not uploaded: larger than {bytes_max} bytes", code="too_large")
        if not blob.data:
            raise SendError("media not uploaded: it has no bytes", code="empty")
        return File(blob.data, plain_type(blob.mime_type) or upload.get("mime_type"), upload.get("file_name"))

    def known(self, upload: Upload, channel: Channel) -> str | None:
        """The id of an earlier upload that the platform still keeps."""
        media_id, until_s = self._known.get(_key(upload, channel), (None, 0.0))
        return media_id if self._clock() < until_s else None

    def remember(self, upload: Upload, channel: Channel, media_id: str) -> None:
        """For as long as the platform keeps it, or the link can be trusted to lead to the same."""
        life_s = self._life_s if is_stored(upload.url) else min(self._life_s, LINK_LIFE_S)
        key = _key(upload, channel)
        self._known[key] = (media_id, self._clock() + life_s)
        self._known.move_to_end(key)
        while len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)

    def unknown(self, error: SendError, reused: Sequence[Upload], channel: Channel) -> SendError:
        """The platform said that it does not know an id. Those used again are forgotten, and another attempt uploads
        them once more; without any the error stays what it is."""
        if not reused:
            return error
        for upload in reused:
            self._known.pop(_key(upload, channel), None)
        return SendError(error.reason, code=error.code, retryable=True)


def _key(upload: Upload, channel: Channel) -> tuple[str, str, str]:
    return channel.id, upload.url, upload.kind


async def _no_download(url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
    raise FetchError("this process was given nothing to read media with", code="unavailable")
