"""WhatsApp by upload: our own stored media goes to ``/media`` once, and messages name its id for thirty days."""

from typing import Any

import pytest

from connectors.errors import FetchError, SendError
from connectors.interface import Blob, Channel
from connectors.shared.uploads import uploads_in
from connectors.whatsapp.sender import Sender
from schemas.content import MediaContent, TemplateContent
from schemas.outbound import Card, CardContent, PartContent
from tests.contract.meta_planning import LINK, changes, part, taps
from tests.contract.test_whatsapp_sender import kept, number_of
from tests.contract.whatsapp_planning import contents, plan
from tests.fakes.whatsapp import FakeWhatsApp
from tests.fakes.whatsapp_rules import Refused
from tests.fakes.whatsapp_uploads import BYTES_MAX, check_upload
from tests.harness.platform import Clock, running, uploading
from tests.harness.shelf import STORED, Shelf

DAY_S = 86_400

fake = running(FakeWhatsApp, seed=1)
sender = uploading(lambda clock: Sender(clock=clock))


def media(kind: str = "image", **more: Any) -> MediaContent:
    return MediaContent.model_validate({"kind": kind, "url": STORED} | more)


async def send(sender: Sender, fake: FakeWhatsApp, content: PartContent, *, channel: Channel | None = None) -> None:
    number = channel or number_of(fake)
    for call in plan(part(content), api_base=fake.base_url, peer=fake.known_user("ana")):
        await sender.perform(call, number, timeout_s=5)


def sent(fake: FakeWhatsApp) -> list[Any]:
    return [call["body"] for call in fake.journal if call["path"].endswith("/messages")]


# What is planned.


@pytest.mark.parametrize(
    ("content", "native", "source"),
    [
        (media(), "image", {"upload": STORED, "kind": "image"}),
        (media(mime_type="image/png; x=1"), "image", {"upload": STORED, "kind": "image", "mime_type": "image/png"}),
        (media(mime_type="image/webp"), "document", {"upload": STORED, "kind": "document", "mime_type": "image/webp"}),
        (media(media_id="4000001"), "image", "4000001"),
        (media("file", file_name="a.pdf"), "document", {"upload": STORED, "kind": "document", "file_name": "a.pdf"}),
        (
            media("voice", mime_type="audio/mpeg"),
            "audio",
            {"upload": STORED, "kind": "audio", "mime_type": "audio/mpeg"},
        ),
    ],
)
def test_stored_media_is_named_for_an_upload_of_its_kind(content: MediaContent, native: str, source: Any) -> None:
    ((kind, value),) = contents(plan(part(content)))
    assert (kind, value["id"]) == (native, source)


def test_a_stored_voice_note_is_one_by_its_type_alone() -> None:
    ((_, note),) = contents(plan(part(media("voice", mime_type="audio/ogg; codecs=opus"))))
    assert note["voice"] is True
    calls = plan(part(media("voice")))
    assert "voice" not in calls[0].body["audio"]
    assert changes(calls) == ["voice sent as plain audio: not an Ogg file"]


def test_a_web_link_stays_a_link() -> None:
    ((_, value),) = contents(plan(part(media(url=LINK))))
    assert value == {"link": LINK}


def test_the_media_above_a_template_is_uploaded_too() -> None:
    (call,) = plan(part(TemplateContent(name="order", header=media("file", file_name="a.pdf"))))
    (header,) = call.body["template"]["components"]
    (parameter,) = header["parameters"]
    source = {"upload": STORED, "kind": "document", "file_name": "a.pdf"}
    assert parameter == {"type": "document", "document": {"id": source, "filename": "a.pdf"}}


def test_a_picture_with_buttons_and_that_of_a_card_are_uploaded_too() -> None:
    card = CardContent(alt_text="Tea", cards=(Card(title="Green", image_url=STORED),))
    for shown in (part(media(caption="Tea"), *taps("Buy")), part(card), part(card, *taps("Buy"))):
        (call,) = plan(shown)
        assert uploads_in(call.body) == [{"upload": STORED, "kind": "image"}]


@pytest.mark.parametrize(
    ("kind", "size", "native"),
    [
        ("image", 5_000_000, "image"),
        ("image", 5_000_001, "document"),
        ("video", 16_000_000, "video"),
        ("video", 16_000_001, "document"),
        ("audio", 16_000_000, "audio"),
        ("audio", 16_000_001, "document"),
        ("file", 100_000_000, "document"),
        ("file", 100_000_001, "text"),
    ],
)
def test_each_size_is_planned_for_what_takes_it(kind: str, size: int, native: str) -> None:
    (call,) = plan(part(media(kind, size_bytes=size)))
    assert call.body["type"] == native
    assert len(uploads_in(call.body)) == (native != "text")


# What is sent.


@pytest.mark.parametrize(
    ("content", "type_", "name"),
    [
        (media(mime_type="image/png"), "image/png", "media.png"),
        (media(), "image/jpeg", "media.jpg"),
        (media("file", mime_type="text/csv", file_name="ราคา.csv"), "text/csv", "ราคา.csv"),
        (media("voice", mime_type="audio/ogg"), "audio/ogg", "media.oga"),
    ],
)
async def test_bytes_are_uploaded_with_their_type_and_named_by_id(
    sender: Sender, fake: FakeWhatsApp, shelf: Shelf, content: MediaContent, type_: str, name: str
) -> None:
    shelf.found = Blob(b"bytes")
    await send(sender, fake, content)
    (upload,) = fake.uploaded.taken
    assert (upload.mime_type, upload.name, upload.data) == (type_, name, b"bytes")
    (body,) = sent(fake)
    assert body[body["type"]]["id"] in fake.uploaded.kinds
    assert shelf.asked == [STORED]


async def test_an_upload_is_used_for_thirty_days_by_everybody_of_its_number(
    sender: Sender, fake: FakeWhatsApp, clock: Clock
) -> None:
    await send(sender, fake, media())
    clock.now_s += 30 * DAY_S - 1
    await send(sender, fake, media(caption="again"))
    assert len(fake.uploaded.kinds) == 1
    clock.now_s += 1
    await send(sender, fake, media())
    assert (len(fake.uploaded.kinds), len(sent(fake))) == (2, 3)


async def test_an_id_that_whatsapp_does_not_know_any_more_is_uploaded_again_once(
    sender: Sender, fake: FakeWhatsApp
) -> None:
    await send(sender, fake, media())
    fake.uploaded.lose()
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert kept(caught.value) == {"retryable": True}
    await send(sender, fake, media())
    assert len(fake.uploaded.kinds) == 2
    fake.faults.add("permanent", times=2, code=131009)
    outcomes = []
    for _ in range(2):
        with pytest.raises(SendError) as refused:
            await send(sender, fake, media())
        outcomes.append(refused.value.retryable)
    assert outcomes == [True, False], "the second refusal is about a new id, and so about something else"


async def test_a_refusal_of_a_message_without_an_upload_is_final(sender: Sender, fake: FakeWhatsApp) -> None:
    fake.faults.add("permanent", times=1, code=131009)
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media(url=LINK))
    assert kept(caught.value) == {}


@pytest.mark.parametrize(("size", "code"), [(5_000_000, None), (5_000_001, "too_large")])
async def test_media_that_is_larger_than_was_said_fails_before_anything_is_sent(
    sender: Sender, fake: FakeWhatsApp, shelf: Shelf, size: int, code: str | None
) -> None:
    shelf.found = Blob(b"x" * size)
    if code is None:
        await send(sender, fake, media())
        return
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert (caught.value.code, kept(caught.value), fake.journal) == (code, {}, [])


async def test_media_that_is_gone_fails_for_good(sender: Sender, fake: FakeWhatsApp, shelf: Shelf) -> None:
    shelf.found = FetchError("the media is not stored any more", code="gone", is_gone=True)
    with pytest.raises(SendError, match="media not uploaded: the media is not stored any more") as caught:
        await send(sender, fake, media())
    assert (caught.value.code, kept(caught.value), fake.journal) == ("gone", {}, [])


async def test_a_lost_answer_to_an_upload_is_no_doubt(sender: Sender, fake: FakeWhatsApp) -> None:
    for refused, fields in ((500, {"retryable": True}), (200, {"retryable": True})):
        fake.uploaded.answers = refused
        with pytest.raises(SendError) as caught:
            await send(sender, fake, media())
        assert kept(caught.value) == fields
    assert sent(fake) == []


async def test_a_bad_token_pauses_the_channel_at_the_upload_too(sender: Sender, fake: FakeWhatsApp) -> None:
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media(), channel=number_of(fake, token="EAAother-token"))
    assert kept(caught.value) == {"channel_wide": True}
    assert sent(fake) == []


def uploaded_form(size: int, type_: str = "image/png", **more: str) -> tuple[bytes, str]:
    fields = {"messaging_product": "whatsapp", "type": type_} | more
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()]
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: {type_}\r\n\r\n'
    return "\r\n".join([*parts, head]).encode() + b"x" * size + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("type_", "kind"), [("image/png", "image"), ("audio/ogg", "audio"), ("video/mp4", "video"), ("a/b", "document")]
)
def test_the_fake_keeps_each_size_exactly(type_: str, kind: str) -> None:
    assert check_upload(*uploaded_form(BYTES_MAX[kind], type_)) == kind
    if kind != "document":
        assert check_upload(*uploaded_form(BYTES_MAX[kind] + 1, type_)) == "document"
        return
    with pytest.raises(Refused):
        check_upload(*uploaded_form(BYTES_MAX[kind] + 1, type_))


@pytest.mark.parametrize("more", [{"messaging_product": "x"}, {"type": ""}, {"type": "image/jpeg"}])
def test_the_fake_takes_no_form_that_is_not_whole(more: dict[str, str]) -> None:
    with pytest.raises(Refused):
        check_upload(*uploaded_form(1, **more))
