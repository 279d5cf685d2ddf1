"""Media of our own store, sent again: by upload where a platform takes one, else in words without our link."""

from typing import Any

import pytest

from connectors.interface import Channel, Window
from connectors.registry import platform_named, platforms
from connectors.shared.uploads import Upload, replaced
from schemas.content import MediaContent, StickerContent, TemplateContent
from schemas.ids import conversation_id
from schemas.outbound import Button, Card, CardContent, MiniProgramContent, OutboundMessage, Part, PartContent
from tests.harness.shelf import STORED

TAP = Button(label="Buy", data="b")
NOW_MS = 1_790_000_000_000
PEER = {"line": "U11111111111111111111111111111111", "wechat": "oEXAMPLE_openid_1"}
UPLOADED: dict[str, dict[str, str]] = {
    "messenger": {
        "image": "image/png",
        "video": "video/mp4",
        "audio": "audio/mpeg",
        "voice": "audio/ogg",
        "file": "text/csv",
    },
    "telegram": {
        "image": "image/png",
        "video": "video/mp4",
        "audio": "audio/mpeg",
        "voice": "audio/ogg",
        "file": "text/csv",
    },
    "whatsapp": {
        "image": "image/png",
        "video": "video/mp4",
        "audio": "audio/mpeg",
        "voice": "audio/ogg",
        "file": "text/csv",
    },
    "wechat": {"image": "image/png", "voice": "audio/amr", "video": "video/mp4"},
}
"""Kinds, with a type that is taken, that a platform gets by upload."""


def bodies(name: str, content: PartContent) -> list[Any]:
    platform = platform_named(name)
    message = OutboundMessage(
        id="m",
        conversation_id=conversation_id(platform.prefix, "main", PEER.get(name, "600000001")),
        platform=name,
        channel="main",
        peer=PEER.get(name, "600000001"),
        parts=(Part(id="p", content=content),),
        causation_id="c",
        correlation_id="c",
        created_at=NOW_MS,
        last_inbound_at=NOW_MS,
    )
    values = {field.name: (f"<{field.name}>",) for field in platform.fields if not field.is_secret}
    calls = platform.plan(message, Window(NOW_MS, last_inbound_ms=NOW_MS), Channel("main", name, values))
    assert calls
    return [call.body for call in calls]


@pytest.mark.parametrize("kind", ["image", "video", "audio", "voice", "file"])
@pytest.mark.parametrize("name", platforms())
def test_nobody_is_told_a_link_into_our_store(name: str, kind: str) -> None:
    content = MediaContent.model_validate({"kind": kind, "url": STORED, "caption": "Look", "file_name": "a.bin"})
    shown = replaced(bodies(name, content), lambda upload: "ID")
    assert "file://" not in str(shown)
    assert "Look" in str(shown)


@pytest.mark.parametrize(
    "content",
    [
        StickerContent(sticker_id="1", package_id="2", url=STORED),
        StickerContent(sticker_id="AAQ", url=STORED, emoji="👍"),
        CardContent(alt_text="Tea", cards=(Card(title="Green", image_url=STORED, buttons=(TAP,)),)),
        CardContent(alt_text="Tea", cards=(Card(title="Green", image_url=STORED), Card(image_url=STORED))),
        MiniProgramContent(title="Order", app_id="wx1", page="a", image_url=STORED),
        TemplateContent(name="t", header=MediaContent(kind="image", url=STORED), fallback_text="Hello"),
    ],
    ids=lambda content: content.kind,
)
@pytest.mark.parametrize("name", platforms())
def test_nor_that_of_a_picture_beside_the_words(name: str, content: PartContent) -> None:
    assert "file://" not in str(replaced(bodies(name, content), lambda upload: "ID"))


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in UPLOADED.items() for kind in kinds])
def test_stored_media_is_named_for_an_upload(name: str, kind: str) -> None:
    content = MediaContent.model_validate({"kind": kind, "url": STORED, "mime_type": UPLOADED[name][kind]})
    found: list[Upload] = []
    replaced(bodies(name, content), found.append)
    (upload,) = found
    assert (upload.url, upload["mime_type"]) == (STORED, UPLOADED[name][kind])
