"""Telegram by upload: stored media travels in the message's own form, and is sent again by the ``file_id`` it got."""

import asyncio
from typing import Any

import pytest

from connectors.errors import FetchError, SendError
from connectors.interface import Blob, Call, Receipt
from connectors.shared.uploads import AT_ONCE, uploads_in
from connectors.telegram import PLATFORM
from connectors.telegram.sender import Sender
from schemas.content import MediaContent
from schemas.outbound import Button, Card, CardContent, Part
from tests.contract.telegram_cases import CHANNEL, WINDOW, message, part
from tests.contract.test_telegram_sender import channel_of, fields_of
from tests.fakes.forms import FormFile
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_files import BYTES_MAX, Files
from tests.fakes.telegram_rules import Refused
from tests.harness.platform import running, uploading
from tests.harness.shelf import STORED, Shelf

OTHER = STORED.replace("ab", "cd")
LINK = "https://files.example.com/a.jpg"

fake = running(FakeTelegram)
sender = uploading(lambda _: Sender())


def media(kind: str = "image", url: str = STORED, **more: Any) -> MediaContent:
    return MediaContent.model_validate({"kind": kind, "url": url} | more)


def planned(*contents: MediaContent | CardContent | Part) -> list[Call]:
    parts = [one if isinstance(one, Part) else part(one, id=f"p{number}") for number, one in enumerate(contents)]
    return list(PLATFORM.plan(message(*parts), WINDOW, CHANNEL))


async def send(sender: Sender, fake: FakeTelegram, *contents: Any, user: str = "ana") -> list[Receipt]:
    channel = channel_of(fake.base_url)
    parts = [one if isinstance(one, Part) else part(one, id=f"p{number}") for number, one in enumerate(contents)]
    calls = PLATFORM.plan(message(*parts, peer=fake.known_user(user)), WINDOW, channel)
    return [await sender.perform(call, channel, timeout_s=5) for call in calls]


def sent(fake: FakeTelegram) -> list[tuple[str, Any]]:
    """(method, body) of every request."""
    return [(call["path"].rpartition("/")[2], call["body"]) for call in fake.journal]


# What is planned.


@pytest.mark.parametrize(
    ("content", "method", "field", "given"),
    [
        (media(), "sendPhoto", "photo", {}),
        (media(mime_type="image/png"), "sendPhoto", "photo", {"mime_type": "image/png"}),
        (media(mime_type="image/tiff"), "sendDocument", "document", {"mime_type": "image/tiff"}),
        (media("video", duration_ms=3_000), "sendVideo", "video", {}),
        (media("voice", mime_type="audio/ogg"), "sendVoice", "voice", {"mime_type": "audio/ogg"}),
        (media("voice", mime_type="audio/wav"), "sendDocument", "document", {"mime_type": "audio/wav"}),
        (media("file", file_name="a.csv"), "sendDocument", "document", {"file_name": "a.csv"}),
    ],
)
def test_stored_media_is_named_for_an_upload(content: MediaContent, method: str, field: str, given: Any) -> None:
    (call,) = planned(content)
    assert (call.name, call.body[field]) == (method, {"upload": STORED, "kind": field} | given)
    assert (call.body.get("duration") == 3) == (content.duration_ms is not None)


def test_what_has_an_id_of_telegrams_goes_by_that() -> None:
    (call,) = planned(media(media_id="AgACfile"))
    assert call.body["photo"] == "AgACfile"


def test_a_web_link_stays_a_link() -> None:
    (call,) = planned(media(url=LINK))
    assert call.body["photo"] == LINK


def test_the_picture_of_a_card_is_uploaded_too() -> None:
    (call,) = planned(CardContent(alt_text="Tea", cards=(Card(title="Tea", image_url=STORED),)))
    assert (call.name, len(uploads_in(call.body))) == ("sendPhoto", 1)


@pytest.mark.parametrize(
    ("kind", "size", "method"),
    [
        ("image", 10_000_000, "sendPhoto"),
        ("image", 10_000_001, "sendDocument"),
        ("image", 50_000_001, "sendMessage"),
        ("video", 50_000_000, "sendVideo"),
        ("video", 50_000_001, "sendMessage"),
        ("file", 50_000_000, "sendDocument"),
        ("file", 50_000_001, "sendMessage"),
    ],
)
def test_each_size_is_planned_for_what_takes_it(kind: str, size: int, method: str) -> None:
    (call,) = planned(media(kind, size_bytes=size, caption="Look"))
    assert call.name == method
    assert call.body.get("caption", call.body.get("text")) == "Look"


# What is sent.


async def test_a_file_travels_in_the_form_of_its_message(sender: Sender, fake: FakeTelegram, shelf: Shelf) -> None:
    shelf.found = Blob(b"bytes")
    content = media("file", mime_type="application/pdf", file_name="ราคา.pdf", caption='"Look" {1}')
    (receipt,) = await send(sender, fake, part(content, rows=((Button(label="Buy", data="1"),),)))
    (file,) = fake.files.taken
    assert (file.name, file.mime_type, file.data) == ("ราคา.pdf", "application/pdf", b"bytes")
    assert receipt.message_ids == ("1",)
    assert fake.seen("ana") == ['"Look" {1}']
    assert sent(fake)[0][1]["reply_markup"]["inline_keyboard"][0][0]["text"] == "Buy"


@pytest.mark.parametrize("kind", ["image", "video", "audio", "voice", "file"])
async def test_it_is_sent_again_by_its_id(sender: Sender, fake: FakeTelegram, shelf: Shelf, kind: str) -> None:
    for user in ("ana", "bob", "ana"):
        await send(sender, fake, media(kind), user=user)
    _, *others = sent(fake)
    ids = [value for _, body in others for value in body.values() if str(value) in fake.files.kinds]
    assert len(ids) == 2
    assert (len(fake.files.taken), shelf.asked) == (1, [STORED])


async def test_an_album_brings_what_is_not_known_and_names_the_rest(sender: Sender, fake: FakeTelegram) -> None:
    await send(sender, fake, media())
    album = [
        media(album_id="a", caption="one"),
        media(url=OTHER, album_id="a"),
        media("video", album_id="a"),
        media(url=LINK, album_id="a"),
    ]
    for _ in range(2):
        (receipt,) = await send(sender, fake, *album)
        assert len(receipt.message_ids) == 4
    (_, (_, first), (_, second)) = sent(fake)
    assert [item["media"][:9] for item in first["media"]] == ["BQACfakep", "attach://", "attach://", "https://f"]
    assert [item["media"][:9] for item in second["media"]] == ["BQACfakep", "BQACfakep", "BQACfakev", "https://f"]
    assert len(fake.files.taken) == 3


def test_pictures_that_go_as_files_stand_in_an_album_of_files() -> None:
    calls = planned(*(media(album_id="a", mime_type=kind) for kind in ("image/png", "image/tiff", "image/bmp")))
    assert [call.name for call in calls] == ["sendPhoto", "sendMediaGroup"]


async def test_another_picture_takes_the_place_of_a_message(sender: Sender, fake: FakeTelegram) -> None:
    (first,) = await send(sender, fake, media())
    await send(sender, fake, part(media(url=OTHER), edit_of=first.message_ids[0]))
    await send(sender, fake, media(url=OTHER))
    assert [method for method, _ in sent(fake)] == ["sendPhoto", "editMessageMedia", "sendPhoto"]
    assert sent(fake)[1][1]["media"]["media"] == "attach://file0"
    assert sent(fake)[2][1]["photo"] in fake.files.kinds


async def test_an_id_that_telegram_does_not_know_any_more_is_uploaded_again_once(
    sender: Sender, fake: FakeTelegram
) -> None:
    await send(sender, fake, media())
    fake.files.lose()
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert fields_of(caught.value) == {"retryable": True}
    await send(sender, fake, media())
    assert len(fake.files.taken) == 2


async def test_an_id_of_somebody_elses_that_is_unknown_fails_for_good(sender: Sender, fake: FakeTelegram) -> None:
    await send(sender, fake, media())
    (file_id,) = fake.files.kinds
    fake.files.lose()
    with pytest.raises(SendError, match="wrong file identifier") as caught:
        await send(sender, fake, MediaContent(kind="image", media_id=file_id))
    assert fields_of(caught.value) == {}


@pytest.mark.parametrize(("size", "code"), [(10_000_000, None), (10_000_001, "too_large")])
async def test_a_picture_that_is_larger_than_was_said_fails_before_anything_is_sent(
    sender: Sender, fake: FakeTelegram, shelf: Shelf, size: int, code: str | None
) -> None:
    shelf.found = Blob(b"x" * size)
    if code is None:
        await send(sender, fake, media())
        return
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert (caught.value.code, fields_of(caught.value), fake.journal) == (code, {}, [])


async def test_a_store_that_fails_is_tried_again_and_nothing_was_sent(
    sender: Sender, fake: FakeTelegram, shelf: Shelf
) -> None:
    shelf.found = FetchError("storage: OSError", code="storage", retryable=True)
    with pytest.raises(SendError, match="media not uploaded: storage: OSError") as caught:
        await send(sender, fake, media())
    assert (fields_of(caught.value), fake.journal) == ({"retryable": True}, [])


async def test_a_lost_answer_is_in_doubt_because_the_file_was_the_message(sender: Sender, fake: FakeTelegram) -> None:
    fake.faults.add("accept_then_reset", times=1)
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media(caption="Look"))
    assert fields_of(caught.value) == {"ambiguous": True}
    assert fake.seen("ana") == ["Look"]


async def test_many_who_send_one_picture_at_once_upload_it_a_few_times(sender: Sender, fake: FakeTelegram) -> None:
    users = [f"user{number}" for number in range(20)]
    await asyncio.gather(*(send(sender, fake, media(), user=user) for user in users))
    assert len(fake.files.taken) <= AT_ONCE


@pytest.mark.parametrize("kind", ["photo", "video", "audio", "voice", "document"])
def test_the_fake_keeps_each_size_exactly(kind: str) -> None:
    method = f"send{kind.capitalize()}"
    files = Files(lambda: 1)
    files.with_ids(method, {}, {kind: FormFile("a", "", b"x" * BYTES_MAX[kind])})
    for refused in (b"x" * (BYTES_MAX[kind] + 1), b""):
        with pytest.raises(Refused):
            files.with_ids(method, {}, {kind: FormFile("a", "", refused)})
