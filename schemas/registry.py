"""Which model reads which record: by type and version, with upcasting; and how records are written.

``iris-schema`` of a record is ``type/version``; the commands have types of their own beside the events'.
"""

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from schemas.base import Model
from schemas.control import ChannelHealth, TemplateState
from schemas.envelope import AnyEvent, Event
from schemas.events import EVENT_DATA
from schemas.fetching import FetchRequest
from schemas.identities import Identity
from schemas.outbound import OutboundMessage
from schemas.replies import ReplyRequest
from schemas.upcasters import lift

EVENT_MODELS: dict[str, type[AnyEvent]] = {name: Event[data] for name, data in EVENT_DATA.items()}  # type: ignore[valid-type]

COMMAND_MODELS: dict[str, type[Model]] = {
    "reply_request": ReplyRequest,
    "outbound_message": OutboundMessage,
    "identity": Identity,
    "fetch_request": FetchRequest,
    "channel_health": ChannelHealth,
    "template_state": TemplateState,
}

LATEST_VERSION = 1
"""Version of every schema so far; a model that changes incompatibly gets its own number and an upcaster."""


class SchemaError(ValueError):
    """The record is not of a known type or does not fit its schema; the text says which field."""


M = TypeVar("M", bound=Model)


def encode(model: BaseModel) -> bytes:
    """JSON without the members that are null."""
    return model.__pydantic_serializer__.to_json(model, exclude_none=True)


def decode_event(value: bytes) -> AnyEvent:
    """A record of the log, lifted to the newest version; raises SchemaError."""
    record = _load(value)
    kind = record.get("type")
    model = EVENT_MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise SchemaError(f"unknown event type {kind!r}")
    return _validate(model, lift(str(kind), record))


def decode_command(value: bytes, model: type[M]) -> M:
    """A command record; raises SchemaError."""
    return _validate(model, _load(value))


def _load(value: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise SchemaError(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise SchemaError("not a JSON object")
    return record


def _validate(model: type[M], record: dict[str, Any]) -> M:
    try:
        return model.model_validate(record)
    except (ValueError, KeyError, TypeError) as error:
        raise SchemaError(f"{model.__name__}: {error}") from error
