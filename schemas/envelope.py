"""The event envelope of ``iris.conversation.events`` and its encoding.

``recorded_at`` of a platform's event is when intake accepted it, of our own events when the deciding stage saw their
cause: either way it is a function of the log, never of the clock of a replay.
"""

from typing import Any, Generic, TypeVar

from schemas.base import Model, Timestamp
from schemas.events import EventData

D = TypeVar("D", bound=EventData)


class Event(Model, Generic[D]):
    """One fact about one conversation."""

    id: str
    type: str
    version: int = 1
    conversation_id: str
    platform: str
    channel: str
    occurred_at: Timestamp
    recorded_at: Timestamp
    causation_id: str | None = None
    correlation_id: str | None = None
    data: D


AnyEvent = Event[Any]
