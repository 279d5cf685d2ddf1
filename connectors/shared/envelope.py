"""Puts an event's envelope around what a connector has read. Pure.

The envelope is made of values that are right by construction, so it is not validated again: that would cost as much as
reading the message. ``data`` is a validated model.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from schemas.envelope import AnyEvent, Event
from schemas.events import EVENT_DATA, EventData
from schemas.ids import conversation_id, event_id
from schemas.inbound import RawEvent
from schemas.registry import EVENT_MODELS, LATEST_VERSION

FIELDS = frozenset(Event.model_fields)

_KINDS = {data: (kind, EVENT_MODELS[kind]) for kind, data in EVENT_DATA.items()}
"""By type of the data: how its event is called, and the model of that."""

D = TypeVar("D", bound=EventData)

# Where a model keeps what it is made of: asked of the class once, because assignment looks for it each time.
_set_members, _set_given, _set_extra, _set_private = (
    vars(BaseModel)[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def checked(model: type[D]) -> Callable[[dict[str, Any]], D]:
    """Makes data of this type from its members and what is in them, in one step; raises ValidationError.

    The same as calling the model, in half of the time: content may be given as a dictionary and is then read along.
    """
    return model.__pydantic_validator__.validate_python


@lru_cache(maxsize=1_024)
def _start(prefix: str, channel: str) -> str:
    """What all conversation ids of a channel start with."""
    return conversation_id(prefix, channel, "")


def enveloped(
    data: EventData, raw: RawEvent, *, prefix: str, native_key: str, ordinal: int, occurred_at: int
) -> AnyEvent:
    """The event of a raw record. ``ordinal`` tells apart what one record says several times of; ``occurred_at`` is the
    platform's clock in Unix milliseconds."""
    kind, model = _KINDS[type(data)]
    identity = event_id(raw.platform, raw.channel, kind, native_key, ordinal)
    event = object.__new__(model)
    _set_members(
        event,
        {
            "id": identity,
            "type": kind,
            "version": LATEST_VERSION,
            "conversation_id": _start(prefix, raw.channel) + raw.peer,
            "platform": raw.platform,
            "channel": raw.channel,
            "occurred_at": occurred_at,
            "recorded_at": raw.received_at,
            "causation_id": None,
            "correlation_id": identity,
            "data": data,
        },
    )
    _set_given(event, FIELDS)
    _set_extra(event, None)
    _set_private(event, None)
    return event
