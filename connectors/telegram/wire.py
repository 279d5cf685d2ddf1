"""Reads single values of an untrusted update: each function gives a safe value or says there is none; none raises."""

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]

INTEGER_MAX = 2**53
"""Ids have at most 52 significant bits ("Telegram Bot API", section "Chat"); a larger number is no honest one."""

YEAR_10000_S = 253_402_300_800
"""The first moment that RFC 3339 cannot write."""


def obj(value: Any) -> JsonObject:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[JsonObject]:
    """The objects of a list; whatever else it holds is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(source: Mapping[str, Any], name: str) -> str | None:
    """A text that is not empty, or None."""
    value = source.get(name)
    return value if isinstance(value, str) and value else None


def whole(source: Mapping[str, Any], name: str) -> int | None:
    """An integer of bounded size, or None; what JSON calls true is none."""
    value = source.get(name)
    return value if type(value) is int and -INTEGER_MAX <= value <= INTEGER_MAX else None


def number(source: Mapping[str, Any], name: str) -> float | None:
    """Any number, or None."""
    value = source.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def ident(source: Mapping[str, Any], name: str = "id") -> str:
    """An id as decimal text, empty when it is missing. Chat and user ids are numbers of up to 52 significant bits."""
    value = source.get(name)
    return str(value) if type(value) is int and -INTEGER_MAX <= value <= INTEGER_MAX else ""


def seconds_to_ms(source: Mapping[str, Any], name: str = "date") -> int | None:
    """A time in ms; None for 0 (Telegram's mark of an inaccessible message) and for what is no time."""
    value = whole(source, name)
    return value * 1000 if value is not None and 0 < value < YEAR_10000_S else None


def without_gaps(**values: Any) -> JsonObject:
    """The members that say something: neither None nor empty nor False."""
    return {name: value for name, value in values.items() if value not in (None, "", False, [], {})}
