"""Reads single values of untrusted JSON: each function gives a safe value or says that there is none; none raises."""

import math
from typing import Any

ID_LENGTH_MAX = 512
"""Longest text that is taken for an id; Meta's own have about 20 characters, message ids about 200."""

SECONDS_BELOW = 10**11
"""A smaller time is in seconds: some of Meta's events carry them ("Webhook event references", Messenger)."""

YEAR_10000_MS = 253_402_300_800_000
"""The first moment that RFC 3339 cannot write."""

INTEGER_DIGITS_MAX = 18
"""More decimal digits than this may not fit into 64 bits."""


def as_dict(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The array, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str | None:
    """Text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def as_id(value: Any) -> str:
    """An id, which Meta writes as text or as a number; empty when it is neither or is absurdly long."""
    # Asked a dozen times per event. Parsed JSON has exact types, and comparing them is the fastest question.
    if type(value) is str:
        return value if len(value) <= ID_LENGTH_MAX else ""
    return str(value) if type(value) is int and 0 <= value < 2**64 else ""


def id_in(value: Any) -> str:
    """The ``id`` of an object, as ``as_id`` takes it; empty when it is none."""
    return as_id(value.get("id")) if isinstance(value, dict) else ""


def as_int(value: Any) -> int | None:
    """A whole number that is not negative, also when it is written as text (``num_edit`` sometimes is)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= INTEGER_DIGITS_MAX:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    return value if isinstance(value, int) and value >= 0 else None


def as_degrees(value: Any) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 360 else None


def as_time_ms(value: Any) -> int | None:
    """Unix milliseconds from milliseconds or seconds, number or text; None when it is no time before the year 10000."""
    number = value if type(value) is int else as_int(value)
    if not number or number < 0:
        return None
    ms = number * 1000 if number < SECONDS_BELOW else number
    return ms if ms < YEAR_10000_MS else None
