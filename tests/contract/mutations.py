"""Hostile forms of real webhook bodies: bytes changed anywhere, members replaced by anything, left out or moved.

Everything is drawn from a ``random.Random``, which hypothesis gives to a test (``st.randoms``) and a drill seeds.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON, as a strategy: for tests that build a platform's events from its own vocabulary."""

Path = tuple[str | int, ...]

LEAVES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**53,
    -(2**70),
    10**30,
    0.5,
    -0.0,
    1e300,
    "",
    "0",
    "x",
    "é\u2028",
)
LEAVES += ("\u0000", "👨‍👩‍👧‍👦", "\ud83d", "1790000000", "9" * 400, "a" * 5_000, "true", "{}", "https://example.com/\n")
"""Values that parsers stumble over: no value, edges of number types, half a surrogate pair, numbers as text."""

ODD_BYTES = (
    b"\xed\xae\xa1",
    b"\xef\xbf\xbe",
    b"\xef\xbb\xbf",
    b"\\ud83d",
    b"\\u0000",
    b"\\",
    b"1e999",
    b"-",
    b"]]>",
    b"&#0;",
)
"""What decoders differ about: encoded surrogates, non-characters, marks of byte order, escapes, endless numbers."""


def changed_bytes(body: bytes, chances: random.Random) -> bytes:
    """The body with up to four runs of a few bytes replaced, inserted or cut out: by anything, by a piece from
    elsewhere in the body, or by a character, so that some results are still well-formed."""
    changed = bytearray(body)
    for _ in range(chances.choice((1, 1, 1, 2, 4))):
        place = chances.randint(0, len(changed))
        changed[place : place + chances.randint(0, 3)] = _piece(body, chances)
    return bytes(changed)


def _piece(body: bytes, chances: random.Random) -> bytes:
    how = chances.randrange(4)
    if how == 0:
        return chances.randbytes(chances.randint(0, 3))
    if how == 3:
        return chances.choice(ODD_BYTES)
    if how == 1:
        start = chances.randint(0, len(body))
        return body[start : start + chances.randint(0, 8)]
    return chances.choice(("0", "9", "x", "_", "é", "\u0e01", "")).encode()


def changed_members(document: Any, chances: random.Random) -> Any:
    """The document with up to three members, at any depth, replaced by anything, left out, or moved."""
    changed = copied(document)
    for _ in range(chances.randint(1, 3)):
        paths = paths_of(changed)[1:]
        if not paths:
            break
        path = chances.choice(paths)
        holder = at(changed, path[:-1])
        how = chances.choice(("replace", "replace", "replace", "drop", "move"))
        if how == "drop":
            del holder[path[-1]]
        else:
            holder[path[-1]] = any_json(chances) if how == "replace" else copied(at(changed, chances.choice(paths)))
    return changed


def any_json(chances: random.Random, depth: int = 3) -> Any:
    """Anything that JSON can hold, three levels deep at most."""
    kind = chances.choice(("leaf", "leaf", "list", "object")) if depth else "leaf"
    if kind == "list":
        return [any_json(chances, depth - 1) for _ in range(chances.randint(0, 3))]
    if kind == "object":
        names = (chances.choice(("id", "type", "text", "from", "zzz", "")) for _ in range(chances.randint(0, 3)))
        return {name: any_json(chances, depth - 1) for name in names}
    return chances.choice(LEAVES)


def copied(document: Any) -> Any:
    """A copy that shares nothing."""
    return json.loads(json.dumps(document))


def paths_of(document: Any) -> list[Path]:
    """The way to every value inside the document, the empty way to itself first."""
    return list(_paths(document, ()))


def _paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from _paths(member, (*path, name))


def at(document: Any, path: Path) -> Any:
    """The value at the end of a way."""
    for name in path:
        document = document[name]
    return document
