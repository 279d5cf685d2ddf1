"""What the Telegram tests share: a channel, the payload cases, short ways to a raw event and to a message."""

import json
from pathlib import Path
from typing import Any

from connectors.interface import Accepted, Channel, InboundRecord, Window
from connectors.telegram import PLATFORM
from schemas.inbound import RawEvent, decode_raw
from schemas.outbound import OutboundMessage, Part

TOKEN = "700000001:AAExampleTokenThatMustNeverBeSeen0"
SECRET = "secret-token_1"
RECEIVED_AT_MS = 1_790_000_100_555
CHANNEL = Channel("main", "telegram", {"bot_token": (TOKEN,), "secret_token": (SECRET, "older")})
WINDOW = Window(now_ms=RECEIVED_AT_MS)
PAYLOADS = Path(__file__).parent.parent / "payloads" / "telegram"


def payload_cases() -> list[tuple[str, dict[str, Any]]]:
    """Every case of every family, with its name."""
    families = sorted(PAYLOADS.glob("*.json"))
    return [(f"{path.stem}: {case['about']}", case) for path in families for case in json.loads(path.read_text())]


def body_of(update: Any) -> bytes:
    """A body as Telegram writes it."""
    return json.dumps(update, ensure_ascii=False).encode()


def record_of(body: bytes) -> InboundRecord:
    """The one record of a body."""
    accepted = PLATFORM.split(body, CHANNEL, [CHANNEL])
    assert isinstance(accepted, Accepted)
    assert accepted.refused == 0
    (record,) = accepted.records
    return record


def raw_of(record: InboundRecord) -> RawEvent:
    """The record as the stage normalise reads it."""
    return decode_raw(record.value, platform="telegram", channel=record.channel, received_at=RECEIVED_AT_MS)


def part(content: Any, *, id: str = "p1", **more: Any) -> Part:
    """A part of a message."""
    return Part(id=id, content=content, **more)


def message(*parts: Part, peer: str = "600000001", **more: Any) -> OutboundMessage:
    """A message to one peer."""
    return OutboundMessage(
        id="m1",
        conversation_id=f"tg_main_{peer}",
        platform="telegram",
        channel="main",
        peer=peer,
        parts=parts,
        causation_id="c1",
        correlation_id="c1",
        created_at=RECEIVED_AT_MS,
        **more,
    )
