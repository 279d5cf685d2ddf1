"""When a turn's next call to the AI may happen, if at all. Pure.

A turn is tried ``attempts_max`` times within its time. A wait that the service asked for is never cut short: when it
does not fit into the turn's time, the turn ends without another call.
"""

import random
from dataclasses import dataclass

from streams.ai.errors import AIError

BACKOFF_S = 0.1
"""Wait before the second call; four times as long before each further one, so three calls ride out half a second."""
BACKOFF_FACTOR = 4
JITTER = 0.1
"""A wait becomes longer by up to this share, never shorter: turns refused together do not come back together."""
CALL_S_MIN = 0.2
"""With less time left than this, another call is pointless."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a turn has come: calls made, when the first began, and when the next may begin (seconds since the
    epoch). It can be stored, so that a restart neither asks more often than allowed nor earlier than it was told."""

    attempts: int = 0
    asked_at: float | None = None
    not_before: float = 0.0


FRESH = Progress()


def next_call_at(error: AIError, *, attempts: int, attempts_max: int, now: float) -> float | None:
    """When to ask again after ``error`` ended call number ``attempts``; None: not again. Same clock as ``now``."""
    if not error.retryable or attempts >= attempts_max:
        return None
    backoff_s = BACKOFF_S * float(BACKOFF_FACTOR ** (attempts - 1))
    return now + max(backoff_s, error.retry_after_s or 0.0) * (1 + random.uniform(0, JITTER))
