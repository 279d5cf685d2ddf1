"""The neutral messages for every planner: those of ``tests/corpora/outbound.json``, and stretched forms of them.

A case is written as ``iris render`` reads it. A new shape is a new line of that file; no list in code is edited.
"""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connectors.interface import Platform
from schemas.outbound import OutboundMessage
from streams.cli.output import BadInput
from streams.cli.render import read_message
from tests.contract.mutations import at, copied, paths_of
from tests.contract.specimens import CHANNEL

CORPUS = Path(__file__).parents[1] / "corpora" / "outbound.json"
CREATED_AT = 1_790_000_000_000
LONG = "ข้อความยาว 👩‍👩‍👧 กิ้งก่า " * 700
"""Longer than any platform takes in one piece, by any measure, and with graphemes of several code points."""

WORDS = (
    "",
    " ",
    "a" * 7_000,
    LONG,
    "\n\n",
    "<b>",
    "*_[]()~`>#+-=|{}.!",
    "\u202e",
    "é\u0301" * 300,
    "#2196F3",
    "x" * 21,
)
LINKS = (
    "https://example.com/" + "p" * 3_000,
    "http://127.0.0.1/",
    "tel:+15555550123",
    "javascript:alert(1)",
    "nonsense",
)


@cache
def cases() -> dict[str, dict[str, Any]]:
    """Every case by what it is about."""
    written = json.loads(CORPUS.read_text().replace('"LONG"', json.dumps(LONG)))
    return {case.pop("about"): case for case in written}


def message_of(case: dict[str, Any], platform: Platform, *, peer: str) -> OutboundMessage:
    """The message to this peer on this platform; raises BadInput when the case is not one."""
    timed = {"created_at": CREATED_AT, "last_inbound_at": CREATED_AT - 1_000, "peer": peer}
    return read_message(json.dumps(timed | case).encode(), platform, channel_id=CHANNEL)


def stretched(platform: Platform, chances: random.Random, *, peer: str) -> OutboundMessage:
    """A case with up to four of its texts, lists and members longer, empty or gone; still a valid neutral message."""
    while True:
        case = copied(cases()[chances.choice(sorted(cases()))])
        for _ in range(chances.randint(1, 4)):
            _stretch(case, chances)
        try:
            return message_of(case, platform, peer=peer)
        except (BadInput, ValidationError):
            continue


def _stretch(case: dict[str, Any], chances: random.Random) -> None:
    path = chances.choice([path for path in paths_of(case) if path and path[-1] not in ("kind", "id")])
    holder, value = at(case, path[:-1]), at(case, path)
    if isinstance(value, str):
        holder[path[-1]] = chances.choice(LINKS if "url" in str(path[-1]) else WORDS)
    elif isinstance(value, list) and path != ("parts",):
        holder[path[-1]] = (value * chances.choice((0, 2, 30)))[:60]
    elif isinstance(holder, dict) and len(path) > 1:
        del holder[path[-1]]
