"""What WhatsApp's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from typing import Any

from connectors.interface import Channel
from connectors.whatsapp import PLATFORM
from tests.contract.meta_kit import SECRET, Inbox

ACCOUNT = "200000000000001"
NUMBER = "300000000000001"
USER = "US.10000000000000000001"
PHONE = "15555550123"


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


inbox = Inbox(PLATFORM, channel)
payload, accepted, read, events_of = inbox.payload, inbox.accepted, inbox.read, inbox.events_of
NAMES = inbox.names()


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
