"""Messenger by upload: our own stored media is saved with the page once, and messages name its id for ninety days."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import FetchError, SendError
from connectors.interface import Blob
from connectors.messenger.sender import Sender
from connectors.shared.uploads import uploads_in
from schemas.content import MediaContent
from tests.contract.messenger_planning import plan
from tests.contract.meta_planning import LINK, changes, messages, part
from tests.contract.test_messenger_sender import kept, page_of
from tests.fakes.messenger import FakeMessenger
from tests.fakes.messenger_rules import Refused
from tests.fakes.messenger_uploads import BYTES_MAX, check_upload
from tests.harness.platform import Clock, running, uploading
from tests.harness.shelf import STORED, Shelf

DAY_S = 86_400

fake = running(FakeMessenger, seed=1)
sender = uploading(lambda clock: Sender(clock=clock))


def media(kind: str = "image", **more: Any) -> MediaContent:
    return MediaContent.model_validate({"kind": kind, "url": STORED} | more)


async def send(sender: Sender, fake: FakeMessenger, content: MediaContent, *, token: str | None = None) -> None:
    page = page_of(fake, token=token) if token else page_of(fake)
    for call in plan(part(content), api_base=fake.base_url):
        body = call.body | {"recipient": {"id": fake.known_user("ana")}}
        await sender.perform(replace(call, body=body), page, timeout_s=5)


def sent(fake: FakeMessenger) -> list[Any]:
    return [call["body"]["message"]["attachment"] for call in fake.journal if call["path"].endswith("/messages")]


@pytest.mark.parametrize(
    ("content", "kind", "source"),
    [
        (media(), "image", {"upload": STORED, "kind": "image"}),
        (media("voice", mime_type="audio/ogg"), "audio", {"upload": STORED, "kind": "audio", "mime_type": "audio/ogg"}),
        (media("file", file_name="a.pdf"), "file", {"upload": STORED, "kind": "file", "file_name": "a.pdf"}),
        (media(media_id="1857"), "image", "1857"),
    ],
)
def test_stored_media_is_named_for_an_upload(content: MediaContent, kind: str, source: Any) -> None:
    (message,) = messages(plan(part(content)))
    assert message["attachment"] == {"type": kind, "payload": {"attachment_id": source}}


def test_a_web_link_stays_a_link() -> None:
    (message,) = messages(plan(part(media(url=LINK))))
    assert message["attachment"]["payload"] == {"url": LINK}


@pytest.mark.parametrize(("size", "is_uploaded"), [(25_000_000, True), (25_000_001, False)])
@pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
def test_each_size_is_planned_for_what_takes_it(kind: str, size: int, is_uploaded: bool) -> None:
    calls = plan(part(media(kind, size_bytes=size)))
    assert bool(uploads_in(calls[0].body)) == is_uploaded
    assert changes(calls) == ([] if is_uploaded else [f"{kind} written as text: larger than 25 MB"])


@pytest.mark.parametrize(
    ("content", "kind", "type_", "name"),
    [
        (media(mime_type="image/png"), "image", "image/png", "media.png"),
        (media(), "image", "image/jpeg", "media.jpg"),
        (media("voice", mime_type="audio/ogg"), "audio", "audio/ogg", "media.oga"),
        (media("file", mime_type="text/csv", file_name="ราคา.csv"), "file", "text/csv", "ราคา.csv"),
    ],
)
async def test_bytes_are_saved_with_their_type_and_named_by_id(
    sender: Sender, fake: FakeMessenger, shelf: Shelf, content: MediaContent, kind: str, type_: str, name: str
) -> None:
    shelf.found = Blob(b"bytes")
    await send(sender, fake, content)
    (file,) = fake.attachments.taken
    assert (file.mime_type, file.name, file.data) == (type_, name, b"bytes")
    (attachment,) = sent(fake)
    assert fake.attachments.kinds == {attachment["payload"]["attachment_id"]: kind}


async def test_a_saved_attachment_is_used_for_ninety_days(sender: Sender, fake: FakeMessenger, clock: Clock) -> None:
    await send(sender, fake, media())
    clock.now_s += 90 * DAY_S - 1
    await send(sender, fake, media())
    assert len(fake.attachments.taken) == 1
    clock.now_s += 1
    await send(sender, fake, media())
    assert (len(fake.attachments.taken), len(sent(fake))) == (2, 3)


async def test_an_attachment_that_is_gone_is_saved_again_once(sender: Sender, fake: FakeMessenger) -> None:
    await send(sender, fake, media())
    fake.attachments.lose()
    with pytest.raises(SendError, match="100/2018074") as caught:
        await send(sender, fake, media())
    assert kept(caught.value) == {"retryable": True}
    fake.faults.add("permanent", times=1, code=100, subcode=2018074)
    with pytest.raises(SendError) as refused:
        await send(sender, fake, media())
    assert kept(refused.value) == {}, "the id was new: another upload would not help"
    assert len(fake.attachments.taken) == 2


@pytest.mark.parametrize(("size", "code"), [(25_000_000, None), (25_000_001, "too_large")])
async def test_media_that_is_larger_than_was_said_fails_before_anything_is_sent(
    sender: Sender, fake: FakeMessenger, shelf: Shelf, size: int, code: str | None
) -> None:
    shelf.found = Blob(b"x" * size)
    if code is None:
        await send(sender, fake, media())
        return
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert (caught.value.code, kept(caught.value), fake.journal) == (code, {}, [])


async def test_what_fails_before_the_message_is_no_doubt(sender: Sender, fake: FakeMessenger, shelf: Shelf) -> None:
    shelf.found = FetchError("storage: OSError", code="storage", retryable=True)
    with pytest.raises(SendError) as unread:
        await send(sender, fake, media())
    assert kept(unread.value) == {"retryable": True}
    shelf.found = Blob(b"x")
    with pytest.raises(SendError) as refused:
        await send(sender, fake, media(), token="EAAother-token")
    assert kept(refused.value) == {"channel_wide": True}
    await fake.stop()
    with pytest.raises(SendError) as lost:
        await send(sender, fake, media())
    assert (kept(lost.value), sent(fake)) == ({"retryable": True}, [])


def saved_form(size: int, message: str | None = None, type_: str = "image/png") -> tuple[bytes, str]:
    said = message or '{"attachment":{"type":"image","payload":{"is_reusable":true}}}'
    head = f'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\n{said}\r\n'
    head += f'--b\r\nContent-Disposition: form-data; name="filedata"; filename="a"\r\nContent-Type: {type_}\r\n\r\n'
    return head.encode() + b"x" * size + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def test_the_fake_keeps_its_size_exactly() -> None:
    assert check_upload(*saved_form(BYTES_MAX))[0] == "image"
    for size in (0, BYTES_MAX + 1):
        with pytest.raises(Refused):
            check_upload(*saved_form(size))


@pytest.mark.parametrize(
    "message", ["{}", '{"attachment":{"type":"image","payload":{}}}', '{"attachment":{"type":"video","payload":{}}}']
)
def test_the_fake_takes_no_form_that_is_not_whole(message: str) -> None:
    with pytest.raises(Refused):
        check_upload(*saved_form(1, message))
