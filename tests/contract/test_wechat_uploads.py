"""WeChat sends media by the id of an upload: the planner names the link, the sender uploads it once.

The fake takes uploads and knows which of its ids a message names; the media lies on the fake itself.
"""

from typing import Any

import pytest

from connectors.errors import FetchError, SendError
from connectors.interface import Blob
from connectors.wechat.sender import Sender
from schemas.content import MediaContent
from schemas.outbound import MiniProgramContent, Part
from tests.contract.wechat_kit import part
from tests.contract.wechat_sending import channel_of, fields_of, plan, send
from tests.fakes.wechat import SEND_PATH, FakeWeChat
from tests.fakes.wechat_rules import Refused, check_upload
from tests.harness.platform import Clock, running, uploading
from tests.harness.shelf import STORED, Shelf

LINK = "https://files.example.com/a.jpg"


fake = running(FakeWeChat)
sender = uploading(lambda clock: Sender(clock=clock))


def media(kind: str = "image", url: str = LINK, **more: Any) -> Part:
    return part(MediaContent.model_validate({"kind": kind, "url": url} | more))


def sent(fake: FakeWeChat) -> list[Any]:
    return [call for call in fake.journal if call["path"] == SEND_PATH]


async def test_a_picture_by_link_is_uploaded_and_sent_by_its_id(sender: Sender, fake: FakeWeChat, shelf: Shelf) -> None:
    await send(sender, fake, media())
    (body,) = [call["body"] for call in sent(fake)]
    assert body["msgtype"] == "image"
    assert fake.uploads == {body["image"]["media_id"]: "image"}
    assert shelf.asked == [LINK]


@pytest.mark.parametrize(
    ("kind", "given", "uploaded"),
    [
        ("image", {}, "image"),
        ("voice", {"mime_type": "audio/amr"}, "voice"),
        ("audio", {"url": "https://files.example.com/a.mp3"}, "voice"),
        ("video", {"mime_type": "video/mp4"}, "video"),
    ],
)
async def test_each_kind_has_its_type_of_upload(
    sender: Sender, fake: FakeWeChat, shelf: Shelf, kind: str, given: dict[str, Any], uploaded: str
) -> None:
    shelf.found = Blob(b"bytes")
    await send(sender, fake, media(kind, **given))
    assert list(fake.uploads.values()) == [uploaded]


async def test_the_picture_of_a_mini_program_is_an_upload_too(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake, part(MiniProgramContent(title="Order", app_id="wx1", page="a/b", image_url=LINK)))
    (body,) = [call["body"] for call in sent(fake)]
    assert fake.uploads == {body["miniprogrampage"]["thumb_media_id"]: "image"}


async def test_an_upload_is_used_again_for_an_hour(
    sender: Sender, fake: FakeWeChat, shelf: Shelf, clock: Clock
) -> None:
    for user in ("ann", "bob"):
        await send(sender, fake, media(), user=user)
    clock.now_s += 3599
    await send(sender, fake, media())
    assert len(fake.uploads) == 1
    clock.now_s += 1
    await send(sender, fake, media())
    assert (len(fake.uploads), len(shelf.asked), len(sent(fake))) == (2, 2, 4)


async def test_what_we_store_ourselves_is_used_again_for_three_days(fake: FakeWeChat, shelf: Shelf) -> None:
    """It never changes, so that its upload is good for as long as WeChat keeps it. Only the sender ages here: WeChat's
    token would not live as long."""
    clock = Clock()
    sender = Sender(clock=clock)
    sender.upload_from(shelf)
    await send(sender, fake, media(url=STORED))
    clock.now_s += 3 * 86_400 - 1
    await send(sender, fake, media(url=STORED))
    assert len(fake.uploads) == 1
    clock.now_s += 1
    await send(sender, fake, media(url=STORED))
    assert (len(fake.uploads), shelf.asked) == (2, [STORED, STORED])
    await sender.close()


async def test_an_upload_that_wechat_has_forgotten_is_made_once_more(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake, media())
    fake.uploads.clear()
    with pytest.raises(SendError) as caught:
        await send(sender, fake, media())
    assert fields_of(caught.value) == {"retryable": True}
    await send(sender, fake, media())
    assert len(fake.uploads) == 1


async def test_an_id_that_is_not_ours_and_unknown_fails_for_good(sender: Sender, fake: FakeWeChat) -> None:
    with pytest.raises(SendError, match="40007") as caught:
        await send(sender, fake, part(MediaContent(kind="image", media_id="UPLOAD_0_77")))
    assert fields_of(caught.value) == {}


@pytest.mark.parametrize(
    ("error", "fields"),
    [
        (FetchError("HTTP 500", code="unavailable", retryable=True, retry_after_s=3.0), {"retryable", "retry_after_s"}),
        (FetchError("HTTP 404", code="gone", is_gone=True), set()),
        (FetchError("10.0.0.1 is not a public address", code="address_refused"), set()),
    ],
)
async def test_media_that_cannot_be_had_fails_with_its_reason_and_nothing_was_sent(
    sender: Sender, fake: FakeWeChat, shelf: Shelf, error: FetchError, fields: set[str]
) -> None:
    shelf.found = error
    with pytest.raises(SendError, match="media not uploaded: ") as caught:
        await send(sender, fake, media())
    assert (caught.value.code, set(fields_of(caught.value))) == (error.code, fields)
    assert sent(fake) == []


async def test_media_that_is_larger_than_was_said_fails_with_its_reason(
    sender: Sender, fake: FakeWeChat, shelf: Shelf
) -> None:
    shelf.found = Blob(b"x" * 2_000_001, "audio/mpeg")
    with pytest.raises(SendError, match="larger than 2000000 bytes") as caught:
        await send(sender, fake, media("voice", mime_type="audio/mpeg"))
    assert fields_of(caught.value) == {}


async def test_what_stopped_before_the_message_is_no_doubt(sender: Sender, fake: FakeWeChat) -> None:
    (call,) = plan(fake, media())
    assert call.body["image"] == {"media_id": {"upload": LINK, "kind": "image"}}
    channel = channel_of(fake.base_url)
    await sender.perform(plan(fake)[0], channel, timeout_s=5)
    await fake.stop()
    with pytest.raises(SendError) as caught:
        await sender.perform(call, channel, timeout_s=5)
    assert fields_of(caught.value) == {"retryable": True}


def form(size: int, name: str = "media.png") -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="media"; filename="{name}"\r\n\r\n'
    return head.encode() + b"x" * size + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("kind", "name", "most"), [("image", "m.png", 10_000_000), ("voice", "m.mp3", 2_000_000), ("video", "m.mp4", 10**7)]
)
def test_the_fake_keeps_each_size_exactly(kind: str, name: str, most: int) -> None:
    assert check_upload(kind, form(most, name)) == kind
    for refused in (form(most + 1, name), form(1, "m.exe"), form(0, name)):
        with pytest.raises(Refused):
            check_upload(kind, refused)
