"""Media on disk or anywhere fsspec reaches: named by its content, whole or not there."""

import hashlib
from pathlib import Path

import fsspec
import pytest

from streams.media_store import MediaStore, media_store
from streams.settings import Settings, SettingsError

DATA = b"a picture"
DIGEST = hashlib.sha256(DATA).hexdigest()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_bytes_are_kept_once_under_their_digest(tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path / "media"))
    url = await store.put(DATA, DIGEST)
    assert (url, await store.put(DATA, DIGEST)) == (f"file://{tmp_path}/media/{DIGEST[:2]}/{DIGEST}", url)
    (path,) = files(tmp_path)
    assert path.read_bytes() == DATA


async def test_half_a_file_that_a_crash_left_is_made_whole(tmp_path: Path) -> None:
    store = MediaStore(str(tmp_path))
    path = tmp_path / DIGEST[:2] / DIGEST
    path.parent.mkdir()
    path.write_bytes(DATA[:3])
    await store.put(DATA, DIGEST)
    assert path.read_bytes() == DATA


async def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """A folder stands where the file should go, so that the last step fails."""
    (tmp_path / DIGEST[:2] / DIGEST).mkdir(parents=True)
    with pytest.raises(OSError, match=DIGEST):
        await MediaStore(str(tmp_path)).put(DATA, DIGEST)
    assert files(tmp_path) == []


async def test_another_storage_is_a_url_away() -> None:
    url = await MediaStore("memory://iris-test/media").put(DATA, DIGEST)
    assert url == f"memory:///iris-test/media/{DIGEST[:2]}/{DIGEST}"
    assert fsspec.open(url).open().read() == DATA


def test_a_url_that_nobody_knows_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="IRIS_MEDIA_URL='nowhere://x'"):
        MediaStore("nowhere://x")


def test_the_default_is_a_folder_under_the_data_folder(tmp_path: Path) -> None:
    assert media_store(Settings(data_dir=tmp_path))._root == str(tmp_path / "media")
