"""The base model and the timestamp type shared by every schema.

Models are frozen and forbid unknown fields: what is on our topics was written by us. Times are integers in memory (Unix
milliseconds, UTC) and RFC 3339 text with milliseconds on the wire.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

OWN_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z", re.ASCII)
"""How ``format_time`` writes it."""


class Model(BaseModel):
    """A frozen record of a topic; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


def parse_time(value: Any) -> Any:
    """RFC 3339 text with an offset to Unix milliseconds; integers pass through; anything else is left to validation."""
    if not isinstance(value, str):
        return value
    if (own := OWN_TIME.fullmatch(value)) is not None:
        return _second(own[1]) + int(own[2])
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"time {value!r} has no offset; write it in UTC with a trailing Z")
    whole_s = int(moment.replace(microsecond=0).timestamp())
    return whole_s * 1000 + moment.microsecond // 1000


@lru_cache(maxsize=8_192)
def _second(text: str) -> int:
    """Unix milliseconds of whole seconds in UTC: what is read at one time mostly lies in a few minutes."""
    return int(datetime.fromisoformat(f"{text}Z").timestamp()) * 1000


def format_time(ms: int) -> str:
    """Unix milliseconds to ``2026-11-23T10:00:00.123Z``."""
    return f"{_minute(ms // 60_000)}{ms // 1000 % 60:02d}.{ms % 1000:03d}Z"


@lru_cache(maxsize=8_192)
def _minute(minutes: int) -> str:
    """The text up to the seconds: what is written at one time mostly lies in the minutes of one day."""
    return f"{datetime.fromtimestamp(minutes * 60, UTC):%Y-%m-%dT%H:%M:}"


Timestamp = Annotated[
    int,
    BeforeValidator(parse_time),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
