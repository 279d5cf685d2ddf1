"""What Messenger's contract tests share: a channel, a signed request, and the way of a body to its events."""

import json
from typing import Any

from connectors.interface import Channel
from connectors.messenger import PLATFORM
from tests.contract.meta_kit import SECRET, Inbox

PAGE = "100000000000001"
USER = "7000000000000001"
OWN_APP = "900000000000009"


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


inbox = Inbox(PLATFORM, channel)
payload, accepted, read, events_of = inbox.payload, inbox.accepted, inbox.read, inbox.events_of
NAMES = inbox.names()


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
