"""What Graph API error codes mean for the sender, as data. Pure.

Sources: Graph API "Error handling" and "Rate Limits"; each platform adds its own table in ``api``.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """The fields of a SendError that follow from an error code; ``wait_s`` where Meta names none itself."""

    retryable: bool = False
    ambiguous: bool = False
    channel_wide: bool = False
    unreachable: bool = False
    wait_s: float | None = None


PERMANENT = Meaning()
RETRYABLE = Meaning(retryable=True)
TOO_FAST = Meaning(retryable=True, wait_s=1.0)
"""A rate per second, for which Meta names no wait; as ``connectors.shared.http.RATE_WAIT_S``."""
AMBIGUOUS = Meaning(ambiguous=True)
CHANNEL_WIDE = Meaning(channel_wide=True)
UNREACHABLE = Meaning(unreachable=True)

Meanings = Mapping[tuple[int, int | None], Meaning]
"""By code and subcode; a subcode of None stands for every other subcode of that code."""

GENERIC: Meanings = {
    (1, None): RETRYABLE,
    (2, None): RETRYABLE,
    (4, None): RETRYABLE,
    (17, None): RETRYABLE,
    (32, None): RETRYABLE,
    (613, None): TOO_FAST,
    (80001, None): RETRYABLE,
    (80002, None): RETRYABLE,
    (80006, None): RETRYABLE,
    (80007, None): RETRYABLE,
    (80008, None): RETRYABLE,
    (102, None): CHANNEL_WIDE,
    (190, None): CHANNEL_WIDE,
    # Blocked for policy, until a person has settled it with Meta.
    (368, None): CHANNEL_WIDE,
    # "Unknown path components": the Graph version or the account id of the channel is wrong.
    (2500, None): CHANNEL_WIDE,
}
"""Codes of every Graph API; all others are permanent unless Meta calls them transient."""


def meaning_of(code: int, subcode: int | None, meanings: Meanings) -> Meaning | None:
    """The closest entry, a platform's own before the generic ones; None for an unknown code."""
    for table in (meanings, GENERIC):
        # Meta documents some seven-digit numbers without saying whether they come as code or as subcode.
        for key in ((code, subcode), (subcode or code, None), (code, None)):
            if key in table:
                return table[key]
    return None
