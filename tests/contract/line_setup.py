"""A LINE channel, signed requests and the way from a body to its events, for the contract tests."""

from collections.abc import Mapping
from typing import Any

from connectors.interface import Accepted, Channel, Unprocessable, WebhookRequest
from connectors.line import PLATFORM
from connectors.shared.signing import hmac_base64
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent, decode_raw

BOT = "U00000000000000000000000000000000"
SECRET = "a-channel-secret"
RECEIVED_AT = 1790000009000


def channel(id: str = "shop", *, secrets: tuple[str, ...] = (SECRET,), bot: str | None = None) -> Channel:
    values = {"channel_secret": secrets, "access_token": ("an-access-token",)}
    return Channel(id, "line", {**values, "bot_user_id": (bot,)} if bot else values)


def signed(body: bytes, *, secret: str = SECRET, headers: Mapping[str, str] | None = None) -> WebhookRequest:
    proof = {"x-line-signature": hmac_base64(secret, body)} if headers is None else headers
    return WebhookRequest("POST", proof, {}, body)


def accepted(body: bytes, *channels: Channel, secret: str = SECRET) -> Accepted:
    """Accepted on the first channel's address."""
    known = channels or (channel(),)
    return PLATFORM.accept(signed(body, secret=secret), known[0], known)  # type: ignore[return-value]


def raw_events(answer: Accepted) -> list[RawEvent]:
    return [
        decode_raw(record.value, platform="line", channel=record.channel, received_at=RECEIVED_AT)
        for record in answer.records
    ]


def normalised(body: bytes) -> list[tuple[AnyEvent, ...] | Unprocessable]:
    return [PLATFORM.normalise(raw) for raw in raw_events(accepted(body))]


def text_event(number: int, text: str, user: str = "U11111111111111111111111111111111") -> dict[str, Any]:
    return {
        "type": "message",
        "webhookEventId": f"01H{number:023d}",
        "timestamp": 1790000000000 + number,
        "source": {"type": "user", "userId": user},
        "replyToken": f"{number:032d}",
        "message": {"id": f"5{number:017d}", "type": "text", "text": text},
    }
