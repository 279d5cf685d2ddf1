"""What Instagram's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from typing import Any

from connectors.instagram import PLATFORM
from connectors.interface import Channel
from tests.contract.meta_kit import SECRET, Inbox

ACCOUNT = "17841400000000001"
SECOND_ACCOUNT = "17841400000000002"
PAGE = "100000000000003"
USER = "8000000000000001"
OWN_APP = "900000000000009"


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


inbox = Inbox(PLATFORM, channel)
payload, accepted, read, events_of = inbox.payload, inbox.accepted, inbox.read, inbox.events_of
NAMES = inbox.names()


def envelope(*items: Any, account: str = ACCOUNT) -> bytes:
    """A body with one entry."""
    entry = {"id": account, "time": 1_790_000_000_123, "messaging": list(items)}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def message(text: str = "hi", *, mid: str = "aWdf1", user: str = USER, account: str = ACCOUNT) -> dict[str, Any]:
    """One item: this user writes to this account."""
    sender, recipient = {"id": user}, {"id": account}
    content = {"mid": mid, "text": text}
    return {"sender": sender, "recipient": recipient, "timestamp": 1_790_000_000_000, "message": content}
