"""``iris.fetch``: what `fetch` is to get from a platform, off the path of a turn."""

from typing import Any, Literal

from pydantic import Field

from schemas.base import Model, Timestamp
from schemas.content import Content


class FetchRequest(Model):
    """One media or one profile.

    ``causation_id`` is the event with the media, or the message that made the profile due; ``metadata`` and
    ``contact_id`` are its own. ``content`` and ``message_id`` are there for media only.
    """

    id: str
    conversation_id: str
    platform: str
    channel: str
    what: Literal["media", "profile"]
    contact_id: str
    message_id: str | None = None
    content: Content | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    requested_at: Timestamp
    causation_id: str
    correlation_id: str
