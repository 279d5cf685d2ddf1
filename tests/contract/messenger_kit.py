"""What Messenger's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from pathlib import Path
from typing import Any

from connectors.interface import Accepted, Channel, InboundRecord, Unprocessable, WebhookRequest
from connectors.messenger import PLATFORM
from connectors.shared.signing import hmac_hex
from schemas.envelope import AnyEvent
from schemas.inbound import decode_raw

PAYLOADS = Path(__file__).parents[1] / "payloads" / "messenger"
PAGE = "100000000000001"
USER = "7000000000000001"
OWN_APP = "900000000000009"
SECRET = "app-secret-1"
RECEIVED_AT = 1_790_000_000_200


def channel(id: str = "main", *, page: str = PAGE, secrets: tuple[str, ...] = (SECRET,), **values: str) -> Channel:
    """A configured page."""
    fields: dict[str, tuple[str, ...]] = {
        "page_id": (page,),
        "app_secret": secrets,
        "verify_token": ("verify-1", "verify-2"),
        "page_token": ("EAAtoken-1",),
        "app_id": (OWN_APP,),
    }
    return Channel(id, "messenger", fields | {name: (value,) for name, value in values.items()})


def payload(name: str) -> bytes:
    """A webhook body as it was on the wire."""
    return (PAYLOADS / f"{name}.json").read_bytes().rstrip(b"\n")


def signed(body: bytes, *, secret: str = SECRET, **headers: str) -> WebhookRequest:
    """A POST with a good signature, unless ``headers`` say otherwise."""
    proof = {"x-hub-signature-256": f"sha256={hmac_hex(secret, body)}"}
    return WebhookRequest("POST", proof | headers, {}, body)


def accepted(body: bytes, *channels: Channel) -> Accepted:
    """What comes of a signed body that was sent to the first of these channels."""
    known = channels or (channel(),)
    result = PLATFORM.accept(signed(body), known[0], known)
    assert isinstance(result, Accepted)
    return result


def read(record: InboundRecord) -> tuple[AnyEvent, ...] | Unprocessable:
    """The events of a record, as the stage would make them."""
    raw = decode_raw(record.value, platform="messenger", channel=record.channel, received_at=RECEIVED_AT)
    return PLATFORM.normalise(raw)


def events_of(body: bytes, *channels: Channel) -> list[AnyEvent]:
    """All events of a body; unprocessable records are left out."""
    results = [read(record) for record in accepted(body, *channels).records]
    return [event for result in results if not isinstance(result, Unprocessable) for event in result]


def envelope(*items: Any, page: str = PAGE, container: str = "messaging") -> bytes:
    """A body with one entry."""
    return json.dumps({"object": "page", "entry": [{"id": page, "time": 1, container: list(items)}]}).encode()


def message(text: str = "hi", *, mid: str = "m_1", user: str = USER, page: str = PAGE, **more: Any) -> dict[str, Any]:
    """One item: this user writes to this page."""
    sender, recipient = {"id": user}, {"id": page}
    return {
        "sender": sender,
        "recipient": recipient,
        "timestamp": 1_790_000_000_000,
        "message": {"mid": mid, "text": text, **more},
    }
