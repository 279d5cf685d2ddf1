"""What WhatsApp's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from pathlib import Path
from typing import Any

from connectors.interface import Accepted, Channel, InboundRecord, Unprocessable, WebhookRequest
from connectors.shared.signing import hmac_hex
from connectors.whatsapp import PLATFORM
from schemas.envelope import AnyEvent
from schemas.inbound import decode_raw

PAYLOADS = Path(__file__).parents[1] / "payloads" / "whatsapp"
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))
ACCOUNT = "200000000000001"
NUMBER = "300000000000001"
USER = "US.10000000000000000001"
PHONE = "15555550123"
SECRET = "app-secret-1"
RECEIVED_AT = 1_790_000_000_200


def channel(
    id: str = "main", *, number: str = NUMBER, account: str = ACCOUNT, secrets: tuple[str, ...] = (SECRET,), **more: str
) -> Channel:
    """A configured phone number; an empty ``number`` or ``account`` is one that is not configured."""
    fields: dict[str, tuple[str, ...]] = {
        "phone_number_id": (number,),
        "waba_id": (account,),
        "app_secret": secrets,
        "verify_token": ("verify-1", "verify-2"),
        "access_token": ("EAAtoken-1",),
    }
    given = fields | {name: (value,) for name, value in more.items()}
    return Channel(id, "whatsapp", {name: values for name, values in given.items() if values != ("",)})


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
    raw = decode_raw(record.value, platform="whatsapp", channel=record.channel, received_at=RECEIVED_AT)
    return PLATFORM.normalise(raw)


def events_of(body: bytes, *channels: Channel) -> list[AnyEvent]:
    """All events of a body; unprocessable records are left out."""
    results = [read(record) for record in accepted(body, *channels).records]
    return [event for result in results if not isinstance(result, Unprocessable) for event in result]


def value(*, number: str = NUMBER, **lists: Any) -> dict[str, Any]:
    """The value of a change of one phone number."""
    metadata = {"display_phone_number": "15555550100", "phone_number_id": number}
    return {"messaging_product": "whatsapp", "metadata": metadata} | lists


def change(field: str = "messages", **lists: Any) -> dict[str, Any]:
    """One change with these lists."""
    return {"field": field, "value": value(**lists)}


def envelope(*changes: Any, account: str = ACCOUNT) -> bytes:
    """A body with one entry."""
    entry = {"id": account, "changes": list(changes)}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def message(text: str = "hi", *, id: str = "wamid.1", user: str = USER, **more: Any) -> dict[str, Any]:
    """One item: this user writes."""
    return {"from_user_id": user, "id": id, "timestamp": "1790000000", "type": "text", "text": {"body": text}} | more


def status(state: str = "delivered", *, id: str = "wamid.9", **more: Any) -> dict[str, Any]:
    """One report about a message of ours."""
    return {"id": id, "status": state, "timestamp": "1790000000"} | more


def has(actual: Any, expected: Any) -> bool:
    """``actual`` has at least the members that ``expected`` names."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(has(actual.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(has, actual, expected))
    return bool(actual == expected)
