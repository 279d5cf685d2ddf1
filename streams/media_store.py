"""Where media is kept: a local folder, or whatever storage fsspec has a URL for. Writes files, named by their content.

The name is the SHA-256 of the bytes, so the same picture is kept once and a repeated write changes nothing.
"""

import asyncio
import uuid
from pathlib import Path

import fsspec

from streams.settings import Settings, SettingsError


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
        """Keep the bytes; returns their URL when all of them are there. Raises OSError."""
        return await asyncio.to_thread(self._put, data, sha256)

    def _put(self, data: bytes, sha256: str) -> str:
        folder = f"{self._root}/{sha256[:2]}"
        path = f"{folder}/{sha256}"
        if not (self._files.exists(path) and self._files.size(path) == len(data)):
            self._files.makedirs(folder, exist_ok=True)
            if "file" in self._files.protocol:
                _write_whole(Path(path), data)
            else:
                # Object stores show nothing before all of it is there.
                self._files.pipe_file(path, data)
        return str(self._files.unstrip_protocol(path))


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
