"""Reading stored media back: our own links and nothing else, up to a size; every other link goes the guarded way."""

import hashlib
from pathlib import Path

import pytest

from connectors.errors import FetchError
from connectors.interface import Blob, Channel
from connectors.shared.download import Downloader
from streams.media_store import MediaReader, MediaStore
from tests.harness.shelf import Shelf

DATA = b"a picture"
DIGEST = hashlib.sha256(DATA).hexdigest()
CHANNEL = Channel("main", "any", {})


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(str(tmp_path / "media"))


async def test_what_was_put_is_read_back(store: MediaStore) -> None:
    url = await store.put(DATA, DIGEST)
    assert store.owns(url)
    assert await store.get(url, bytes_max=len(DATA)) == Blob(DATA)


async def test_another_storage_is_read_as_well() -> None:
    store = MediaStore("memory://iris-read/media")
    assert await store.get(await store.put(DATA, DIGEST), bytes_max=100) == Blob(DATA)


async def test_one_byte_too_many_is_refused(store: MediaStore) -> None:
    url = await store.put(DATA, DIGEST)
    with pytest.raises(FetchError) as caught:
        await store.get(url, bytes_max=len(DATA) - 1)
    assert (caught.value.code, caught.value.retryable) == ("too_large", False)


async def test_what_was_deleted_is_gone(store: MediaStore, tmp_path: Path) -> None:
    url = await store.put(DATA, DIGEST)
    (tmp_path / "media" / DIGEST[:2] / DIGEST).unlink()
    with pytest.raises(FetchError) as caught:
        await store.get(url, bytes_max=100)
    assert (caught.value.code, caught.value.is_gone, caught.value.retryable) == ("gone", True, False)


async def test_a_storage_that_fails_may_be_tried_again(store: MediaStore, tmp_path: Path) -> None:
    (tmp_path / "media" / DIGEST[:2] / DIGEST).mkdir(parents=True)
    with pytest.raises(FetchError) as caught:
        await store.get(f"file://{tmp_path}/media/{DIGEST[:2]}/{DIGEST}", bytes_max=100_000)
    assert (caught.value.code, caught.value.retryable) == ("storage", True)


HOSTILE = (
    "file:///etc/passwd",
    "file://{root}/../secret",
    "file://{root}/{d2}/../../../secret",
    "file://{root}/../outside/{d2}/{digest}",
    "file://{root}/x/../{d2}/{digest}",
    "file://{root}//{d2}/{digest}",
    "file://{root}/{d2}/{digest}/",
    "file://{root}/{d2}/{digest}\n",
    "file://{root}/{d2}/{digest}?x=1",
    "file://{root}/{d2}/{digest}%00",
    "file://{root}/{d2}/{upper}",
    "file://{root}/00/{digest}",
    "file:{root}/{d2}/{digest}",
    "local://{root}/{d2}/{digest}",
    "FILE://{root}/{d2}/{digest}",
    "{root}/{d2}/{digest}",
    "s3://{root}/{d2}/{digest}",
    "memory://{root}/{d2}/{digest}",
    "simplecache::file://{root}/{d2}/{digest}",
    "zip://{d2}/{digest}::file://{root}/a.zip",
    "http://169.254.169.254/{d2}/{digest}",
    "",
)


@pytest.mark.parametrize("form", HOSTILE)
async def test_a_link_that_is_not_exactly_ours_reads_no_file(store: MediaStore, tmp_path: Path, form: str) -> None:
    """Whatever file it may mean: the media itself is there, and a secret beside it."""
    await store.put(DATA, DIGEST)
    outside = tmp_path / "outside" / DIGEST[:2] / DIGEST
    outside.parent.mkdir(parents=True)
    for secret in (tmp_path / "secret", outside):
        secret.write_bytes(b"secret")
    url = form.format(root=tmp_path / "media", d2=DIGEST[:2], digest=DIGEST, upper=DIGEST.upper())
    assert not store.owns(url)
    with pytest.raises(FetchError) as caught:
        await store.get(url, bytes_max=100)
    assert (caught.value.code, caught.value.retryable) == ("bad_link", False)
    reader = MediaReader(store, Downloader(bytes_max=100, timeout_s=1), bytes_max=100)
    with pytest.raises(FetchError) as refused:
        await reader(url, CHANNEL)
    assert refused.value.code in ("bad_link", "address_refused")
    await reader.close()


async def test_only_our_own_links_are_read_from_the_store(store: MediaStore) -> None:
    url, shelf = await store.put(DATA, DIGEST), Shelf(Blob(b"elsewhere"))
    reader = MediaReader(store, shelf, bytes_max=100)
    assert [(await reader(link, CHANNEL)).data for link in (url, "https://files.example.com/a")] == [DATA, b"elsewhere"]
    assert shelf.asked == ["https://files.example.com/a"]
    await reader.close()
    assert shelf.is_closed
