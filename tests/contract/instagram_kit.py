"""What Instagram's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from pathlib import Path
from typing import Any

from connectors.instagram import PLATFORM
from connectors.interface import Accepted, Channel, InboundRecord, Unprocessable, WebhookRequest
from connectors.shared.signing import hmac_hex
from schemas.envelope import AnyEvent
from schemas.inbound import decode_raw

PAYLOADS = Path(__file__).parents[1] / "payloads" / "instagram"
ACCOUNT = "17841400000000001"
SECOND_ACCOUNT = "17841400000000002"
PAGE = "100000000000003"
USER = "8000000000000001"
OWN_APP = "900000000000009"
SECRET = "app-secret-1"
RECEIVED_AT = 1_790_000_000_200


def channel(
    id: str = "main", *, account: str = ACCOUNT, secrets: tuple[str, ...] = (SECRET,), **values: str
) -> Channel:
    """An account by Instagram login; with ``page_id`` it is one that is linked to that page."""
    fields: dict[str, tuple[str, ...]] = {
        "instagram_id": (account,),
        "app_secret": secrets,
        "verify_token": ("verify-1",),
        "access_token": ("IGAAtoken-1",),
        "app_id": (OWN_APP,),
    }
    return Channel(id, "instagram", fields | {name: (value,) for name, value in values.items()})


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
    raw = decode_raw(record.value, platform="instagram", channel=record.channel, received_at=RECEIVED_AT)
    return PLATFORM.normalise(raw)


def events_of(body: bytes, *channels: Channel) -> list[AnyEvent]:
    """All events of a body; unprocessable records are left out."""
    results = [read(record) for record in accepted(body, *channels).records]
    return [event for result in results if not isinstance(result, Unprocessable) for event in result]


def envelope(*items: Any, account: str = ACCOUNT) -> bytes:
    """A body with one entry."""
    entry = {"id": account, "time": 1_790_000_000_123, "messaging": list(items)}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def message(text: str = "hi", *, mid: str = "aWdf1", user: str = USER, account: str = ACCOUNT) -> dict[str, Any]:
    """One item: this user writes to this account."""
    sender, recipient = {"id": user}, {"id": account}
    content = {"mid": mid, "text": text}
    return {"sender": sender, "recipient": recipient, "timestamp": 1_790_000_000_000, "message": content}
