"""Puts an event's envelope around what a connector has read. Pure.

The envelope is made of values that are right by construction, so it is not validated again: that would cost as much as
reading the message. ``data`` is validated, or right by construction too (``connectors.shared.messages``).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from schemas.base import Model
from schemas.envelope import AnyEvent
from schemas.events import EVENT_DATA, EventData
from schemas.ids import conversation_id, event_id
from schemas.inbound import RawEvent
from schemas.registry import EVENT_MODELS, LATEST_VERSION

M = TypeVar("M", bound=Model)

# Where a model keeps what it is made of: asked of the class once, because assignment looks for it each time.
_set_members, _set_given, _set_extra, _set_private = (
    vars(BaseModel)[name].__set__
    for name in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def unchecked(model: type[M]) -> Callable[[dict[str, Any]], M]:
    """Makes a model of all of its members as they are: for values that are of the right types by construction.

    The same as validation makes of such values, in a fifth of the time; the dictionary becomes the model's own. Its
    order is that of the fields, in which the model is written.
    """
    given = frozenset(model.model_fields)

    def make(members: dict[str, Any]) -> M:
        made = object.__new__(model)
        _set_members(made, members)
        _set_given(made, given)
        _set_extra(made, None)
        _set_private(made, None)
        return made

    return make


_KINDS = {data: (kind, unchecked(EVENT_MODELS[kind])) for kind, data in EVENT_DATA.items()}
"""By type of the data: how its event is called, and what makes that."""


@lru_cache(maxsize=1_024)
def _start(prefix: str, channel: str) -> str:
    """What all conversation ids of a channel start with."""
    return conversation_id(prefix, channel, "")


def enveloped(
    data: EventData, raw: RawEvent, *, prefix: str, native_key: str, ordinal: int, occurred_at: int
) -> AnyEvent:
    """The event of a raw record. ``ordinal`` tells apart what one record says several times of; ``occurred_at`` is the
    platform's clock in Unix milliseconds."""
    kind, make = _KINDS[type(data)]
    identity = event_id(raw.platform, raw.channel, kind, native_key, ordinal)
    return make(
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
        }
    )
