"""Uploads that every platform shares: made once, used again, forgotten in time; and the form that they travel in."""

import asyncio
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Blob, Call, Channel
from connectors.shared.forms import File, form
from connectors.shared.uploads import AT_ONCE, LINK_LIFE_S, Upload, Uploads
from tests.harness.shelf import STORED, Shelf

MAIN, OTHER = (Channel(name, "any", {}) for name in ("main", "other"))
LINK = "https://files.example.com/a.jpg"
LIFE_S = 10 * LINK_LIFE_S


class Bench:
    """Uploads with a stepped clock; an id is the number of the upload."""

    def __init__(self, *, bytes_max: int = 100) -> None:
        self.now = 0.0
        self.shelf = Shelf()
        self.made: list[tuple[Upload, File]] = []
        self.at_once = 0
        self.at_once_max = 0
        self.uploads = Uploads(bytes_max={"image": bytes_max}, life_s=LIFE_S, clock=lambda: self.now)
        self.uploads.read_from(self.shelf)

    async def make(self, upload: Upload, file: File) -> str:
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        self.made.append((upload, file))
        return f"id-{len(self.made)}"

    async def body(self, value: Any, channel: Channel = MAIN) -> Any:
        return (await self.uploads.filled(call(value), channel, self.make)).call.body


def call(body: Any) -> Call:
    return Call("send", "POST", "https://api.example.com", {}, body, ("p",))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_ids_stand_where_uploads_were_asked_for(bench: Bench) -> None:
    body = {"to": "ann", "items": [{"id": Upload(LINK, "image")}, {"id": Upload(STORED, "image")}], "n": 1}
    assert await bench.body(body) == {"to": "ann", "items": [{"id": "id-1"}, {"id": "id-2"}], "n": 1}


async def test_words_that_look_like_an_upload_are_none(bench: Bench) -> None:
    body = {"native": {"upload": STORED, "kind": "image"}}
    assert await bench.body(body) == body
    assert bench.shelf.asked == []


async def test_one_link_is_uploaded_once_however_many_send_it_at_once(bench: Bench) -> None:
    bodies = await asyncio.gather(*(bench.body([Upload(LINK, "image")]) for _ in range(20)))
    assert bodies == [["id-1"]] * 20


async def test_few_media_are_in_memory_at_once(bench: Bench) -> None:
    await asyncio.gather(*(bench.body([Upload(f"{LINK}?{number}", "image")]) for number in range(20)))
    assert bench.at_once_max == AT_ONCE


async def test_an_upload_is_its_channels_own(bench: Bench) -> None:
    assert [await bench.body([Upload(LINK, "image")], channel) for channel in (MAIN, OTHER)] == [["id-1"], ["id-2"]]


@pytest.mark.parametrize(("url", "life_s"), [(LINK, LINK_LIFE_S), (STORED, LIFE_S)])
async def test_an_id_is_used_for_its_life(bench: Bench, url: str, life_s: float) -> None:
    await bench.body([Upload(url, "image")])
    bench.now = life_s - 1
    assert await bench.body([Upload(url, "image")]) == ["id-1"]
    bench.now = life_s
    assert await bench.body([Upload(url, "image")]) == ["id-2"]


async def test_an_unknown_id_is_uploaded_again_and_only_once(bench: Bench) -> None:
    said = SendError("no such media", code="77")
    first = await bench.uploads.filled(call([Upload(LINK, "image")]), MAIN, bench.make)
    assert bench.uploads.unknown(said, first.reused, MAIN) is said
    again = await bench.uploads.filled(call([Upload(LINK, "image")]), MAIN, bench.make)
    error = bench.uploads.unknown(said, again.reused, MAIN)
    assert (error.reason, error.code, error.retryable) == ("no such media", "77", True)
    assert await bench.body([Upload(LINK, "image")]) == ["id-2"]


@pytest.mark.parametrize(("size", "code"), [(100, None), (101, "too_large"), (0, "empty")])
async def test_the_size_is_checked_when_the_bytes_are_there(bench: Bench, size: int, code: str | None) -> None:
    bench.shelf.found = Blob(b"x" * size)
    if code is None:
        assert await bench.body([Upload(LINK, "image")]) == ["id-1"]
        return
    with pytest.raises(SendError) as caught:
        await bench.body([Upload(LINK, "image")])
    assert (caught.value.code, caught.value.retryable, caught.value.ambiguous) == (code, False, False)


async def test_without_anything_to_read_with_an_upload_fails_clearly() -> None:
    uploads = Uploads(bytes_max={"image": 1}, life_s=1)
    with pytest.raises(SendError, match="given nothing to read media with"):
        await uploads.read(Upload(LINK, "image"), MAIN)


@pytest.mark.parametrize(
    ("file", "about"),
    [
        (File(b"x", "image/png", "a.png"), 'filename="a.png"\r\nContent-Type: image/png'),
        (File(b"x", "image/png"), 'filename="media.png"\r\nContent-Type: image/png'),
        (File(b"x", None, "a.pdf"), 'filename="a.pdf"\r\nContent-Type: application/pdf'),
        (File(b"x"), 'filename="media.bin"\r\nContent-Type: application/octet-stream'),
        (File(b"x", "image/png\r\nX: y", 'a"\r\nX: y'), 'filename="a%22%0D%0AX: y"\r\nContent-Type: application/octet'),
        (File(b"x", "image/png", "ใบเสร็จ.png"), 'filename="ใบเสร็จ.png"'),
    ],
)
def test_a_file_has_a_name_and_a_type_and_nothing_else_in_its_head(file: File, about: str) -> None:
    content_type, body = form({"kind": "a"}, {"file": file})
    boundary = content_type.partition("boundary=")[2]
    assert body.startswith(f'--{boundary}\r\nContent-Disposition: form-data; name="kind"\r\n\r\na\r\n'.encode())
    assert about.encode() in body
    assert body.endswith(f"\r\n\r\nx\r\n--{boundary}--\r\n".encode())
    assert body.count(b"\r\n\r\n") == 2
