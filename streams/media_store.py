"""Where media is kept: a local folder, or whatever storage fsspec has a URL for. Files are named by their content.

The name is the SHA-256 of the bytes, so the same picture is kept once; a repeated write only makes it younger.
"""

import asyncio
import os
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import fsspec

from connectors.errors import FetchError
from connectors.interface import Blob, Channel, Downloads
from schemas.media import is_stored, stored_name
from streams.settings import Settings, SettingsError

GROUPS = tuple(f"{number:02x}" for number in range(256))
"""How a store is divided: the first two digits of the names."""

OWN_NAME = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{32}\.part)?")
"""A media, or what a crash left of writing one."""


class MediaStore:
    """``root`` is a folder or a URL. Raises SettingsError when fsspec cannot use it."""

    def __init__(self, root: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(root)
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"IRIS_MEDIA_URL={root!r}: {error}; name a folder, or install what fsspec needs for this URL"
            ) from error

    async def put(self, data: bytes, sha256: str) -> str:
        """Keep the bytes; returns their URL when all of them are there. What is there already is as old as new again.
        Raises OSError."""
        return await asyncio.to_thread(self._put, data, sha256)

    def _put(self, data: bytes, sha256: str) -> str:
        path = self._path(sha256)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if "file" not in self._files.protocol:
            # Object stores show nothing before all of it is there, and only a write makes it young.
            self._files.pipe_file(path, data)
        elif not _made_young(Path(path), len(data)):
            _write_whole(Path(path), data)
        return self._url(path)

    def owns(self, url: str) -> bool:
        """Whether this is a link that ``put`` gives. It is made anew from its digest and compared, so that no path of
        somebody else's is followed."""
        return is_stored(url) and url == self._url(self._path(url.rpartition("/")[2]))

    async def get(self, url: str, *, bytes_max: int) -> Blob:
        """The bytes behind a link of ours, without their type. Raises FetchError: ``bad_link`` for any other link,
        ``gone``, ``too_large``, or ``storage``, which may be tried again."""
        if not self.owns(url):
            raise FetchError("the link does not lead into our storage (IRIS_MEDIA_URL)", code="bad_link")
        try:
            return Blob(await asyncio.to_thread(self._get, self._path(url.rpartition("/")[2]), bytes_max))
        except FileNotFoundError:
            raise FetchError("the media is not stored any more", code="gone", is_gone=True) from None
        except OSError as error:
            raise FetchError(f"storage: {type(error).__name__}", code="storage", retryable=True) from error

    def _get(self, path: str, bytes_max: int) -> bytes:
        if self._files.size(path) > bytes_max:
            raise FetchError(f"more than {bytes_max} bytes (IRIS_MEDIA_BYTES_MAX)", code="too_large")
        return bytes(self._files.cat_file(path))

    async def remove_old(self, group: str, *, before_s: float, most: int) -> int:
        """Remove at most so many files of a group that were put before this time (Unix seconds); returns how many. No
        other files are touched. Raises OSError, and NotImplementedError where the storage tells no times."""
        return await asyncio.to_thread(self._remove_old, group, before_s, most)

    def _remove_old(self, group: str, before_s: float, most: int) -> int:
        folder = f"{self._root}/{group}"
        # Some storages remember what they listed before.
        self._files.invalidate_cache(folder)
        if not self._files.isdir(folder):
            return 0
        removed = 0
        for found in self._files.ls(folder, detail=True):
            if removed == most:
                break
            path = found["name"]
            is_ours = found["type"] == "file" and OWN_NAME.fullmatch(path.rpartition("/")[2])
            if is_ours and self._put_at_s(path) < before_s:
                self._files.rm_file(path)
                removed += 1
        return removed

    def _put_at_s(self, path: str) -> float:
        at: datetime = self._files.modified(path)
        # Some storages tell UTC without saying so.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

    def _path(self, sha256: str) -> str:
        return f"{self._root}/{stored_name(sha256)}"

    def _url(self, path: str) -> str:
        return str(self._files.unstrip_protocol(path))


class MediaReader:
    """Implements ``connectors.interface.Download``: our own links are read from the store, every other one through
    ``download``, which guards where it may lead."""

    def __init__(self, store: MediaStore, download: Downloads, *, bytes_max: int) -> None:
        self._store = store
        self._download = download
        self._bytes_max = bytes_max

    async def __call__(self, url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
        """One attempt; raises FetchError."""
        if self._store.owns(url):
            return await self._store.get(url, bytes_max=self._bytes_max)
        return await self._download(url, channel, headers=headers)

    async def close(self) -> None:
        """Release connections."""
        await self._download.close()


def _made_young(path: Path, size: int) -> bool:
    """Whether the whole file is there, and is as if it were new."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _write_whole(path: Path, data: bytes) -> None:
    """Under a name of its own first: a folder would show half a file."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def media_store(settings: Settings) -> MediaStore:
    """The store of ``IRIS_MEDIA_URL``, by default the folder ``media`` under the data folder."""
    return MediaStore(settings.media_url or str(Path(settings.data_dir).resolve() / "media"))
