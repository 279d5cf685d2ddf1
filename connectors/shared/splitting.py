"""Untrusted JSON: bounded before it is parsed, split without being changed. Pure.

A webhook body is cut into the exact bytes of its events, so that what the log keeps is what the platform sent.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeVar

import msgspec
import orjson

MAX_DEPTH = 64
"""Deepest nesting of a body. Real bodies stay below 16; parsers recurse, so this is checked before any of them runs."""

NUMBER_CHARS_MAX = 400
"""Characters of one number. The longest that a double needs are 343: 1e-323 with 17 digits, written without exponent.
RFC 8259 section 6 leaves such a limit to the reader; each digit more costs a parser that keeps them more than the last.
"""

T = TypeVar("T")
U = TypeVar("U")

NUMBER = (int, float)
SCALAR = (int, float, str)
"""For ``isinstance``: a union that is written there is made anew each time, which takes ten times as long."""

# A whole string, unterminated at the end of the body at worst. Possessive, so that no byte is ever looked at twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# Opening brackets to +1, closing ones to -1 (as a signed byte); everything else is deleted.
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_CHUNK = 64 * 1024
# Of each 80th byte of a body, a number that is too long has at least 5 in a row; hardly any real body has so many.
_STRIDE = 80
_SAMPLED = re.compile(rb"[-+.0-9eE]{%d}" % (NUMBER_CHARS_MAX // _STRIDE))
# Looks behind, so that the characters of a number are looked at from its first one only.
_LONG_NUMBER = re.compile(rb"(?<![-+.0-9eE])[-+.0-9eE]{%d}" % (NUMBER_CHARS_MAX + 1))

# Kept, because to make one takes ten times as long as to use it.
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class MalformedJsonError(ValueError):
    """The body is not JSON, nested too deep, or has a number too long; the text says which."""


def is_deeper_than(body: bytes, limit: int) -> bool:
    """Whether brackets nest deeper than ``limit``; strings are skipped, nothing is parsed, time is linear."""
    if body.count(b"{") + body.count(b"[") <= limit:
        return False
    steps = memoryview(_STRING.sub(b"", body).translate(_STEPS, _NOT_BRACKETS)).cast("b")
    depth = 0
    for start in range(0, len(steps), _CHUNK):
        depths = list(accumulate(steps[start : start + _CHUNK], initial=depth))
        if max(depths) > limit:
            return True
        depth = depths[-1]
    return False


def has_long_number(body: bytes) -> bool:
    """Whether a number is longer than ``NUMBER_CHARS_MAX``; not so in strings. Nothing is parsed, time is linear."""
    if len(body) <= NUMBER_CHARS_MAX:
        return False
    return bool(_SAMPLED.search(body[::_STRIDE]) and _LONG_NUMBER.search(_STRING.sub(b'""', body)))


def split_json(body: bytes, shape: type[T], *others: type[U]) -> T | U | None:
    """Decode the envelope into the first shape that it has: each a ``msgspec.Struct`` whose events are ``msgspec.Raw``.

    None when the body is JSON but of none of them: keep it whole. Raises MalformedJsonError when it is not JSON at
    all or exceeds a limit. Half of a surrogate pair, which a sender makes by cutting an emoji, becomes U+FFFD in place
    (same length).
    """
    if is_deeper_than(body, MAX_DEPTH):
        raise MalformedJsonError(f"body is nested deeper than {MAX_DEPTH}")
    if has_long_number(body):
        raise MalformedJsonError(f"body has a number of more than {NUMBER_CHARS_MAX} characters")
    decoded: T | U
    try:
        body.decode()
        decoded = _first_of((shape, *others), body)
        return decoded
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        _check_leniently(body, reason=str(error))
    try:
        decoded = _first_of((shape, *others), mend_surrogates(body))
    except msgspec.DecodeError:
        return None
    return decoded


def _first_of(shapes: Sequence[type[Any]], body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, type=shapes[0])
    except msgspec.ValidationError:
        if len(shapes) == 1:
            raise
        return _first_of(shapes[1:], body)


def _check_leniently(body: bytes, *, reason: str) -> None:
    """Raise MalformedJsonError unless a parser that takes lone surrogates takes the body."""
    try:
        # Decoded here, because of bytes it takes even surrogates that somebody encoded, which are no UTF-8.
        # A byte order mark is nobody's, and does no harm.
        json.loads(body.decode("utf-8-sig"), parse_constant=_refuse)
    except ValueError:
        raise MalformedJsonError(f"body is not JSON: {reason}") from None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def mend_surrogates(body: bytes) -> bytes:
    r"""The same JSON with every lone ``\uD8xx``–``\uDFxx`` escape as ``\ufffd``; the length stays the same."""
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match.group(1) else match.group(), body)


def members_of(slice_: msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """An object's members, not parsed any further; None for what is none."""
    try:
        return _MEMBERS.decode(slice_)
    except msgspec.ValidationError:
        return None


def items_of(slice_: msgspec.Raw) -> list[msgspec.Raw] | None:
    """An array's items, not parsed any further; None for what is none."""
    try:
        return _ITEMS.decode(slice_)
    except msgspec.ValidationError:
        return None


def parse_slice(slice_: bytes) -> Any:
    """The parsed event, or ``UNREADABLE`` when the log's reader could not load it again."""
    try:
        return orjson.loads(slice_)
    except orjson.JSONDecodeError:
        return UNREADABLE


def value_of(members: Mapping[str, msgspec.Raw], name: str) -> Any:
    """A small member, parsed; None when it is missing or no double holds it."""
    slice_ = members.get(name)
    try:
        return None if slice_ is None else orjson.loads(bytes(slice_))
    except orjson.JSONDecodeError:
        return None


class _Unreadable:
    """Type of ``UNREADABLE``."""

    def __repr__(self) -> str:
        return "UNREADABLE"


UNREADABLE = _Unreadable()
"""Answer of ``parse_slice`` for valid JSON that no double holds (1e999): such an event is kept whole."""


def member(value: Any, *path: str) -> Any:
    """A member deep inside parsed JSON, None as soon as something on the way is no object or is missing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text_in(value: Any, name: str) -> str | None:
    """A member of an object, but only a non-empty text, or an integer as its decimal text (ids come as both)."""
    # Asked a dozen times per event. Parsed JSON has exact types, and comparing them is the fastest question.
    found = value.get(name) if type(value) is dict else None
    if type(found) is str:
        return found or None
    return str(found) if type(found) is int else None


def text_member(value: Any, *path: str) -> str | None:
    """Like ``text_in``, of a member deep inside."""
    return text_in(member(value, *path[:-1]), path[-1])
