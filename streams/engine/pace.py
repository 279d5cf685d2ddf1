"""Tells when so much passes that waiting a moment is cheaper than going on at once. Reads the clock that it is given.

A request to the broker costs about as much as twenty records in it. Under load, those who make requests wait
``LINGER_S`` first, so that each request carries what came meanwhile; with little traffic nobody waits.
"""

import math
import time
from collections.abc import Callable

WINDOW_S = 0.1
LINGER_S = 0.003
"""Small beside the time that a turn takes under such load (tenths of a second)."""
BUSY_PER_S = 1_000
"""At a fifth of that a request of its own for each record is affordable, and the fastest way."""


class Pace:
    """The rate of one kind of thing, window by window."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_busy = False
        self._clock = clock
        self._began = clock()
        self._count = 0

    def count(self, things: int = 1) -> None:
        """So many passed just now."""
        now = self._clock()
        if now - self._began >= WINDOW_S:
            self.is_busy = self._count / (now - self._began) >= BUSY_PER_S
            self._began, self._count = now, 0
        self._count += things

    def linger_s(self) -> float:
        """How long the request that is wanted now waits for company; the caller does wait."""
        return LINGER_S if self.is_busy else 0.0


class Spacing(Pace):
    """For writes that somebody waits for: requests leave ``LINGER_S`` apart, so that what gathered while the broker
    answered the last one waits no longer. More requests than with ``Pace``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._left_at = -math.inf

    def linger_s(self) -> float:
        """What is left of the time since the last request."""
        now = self._clock()
        rest_s = max(0.0, self._left_at + super().linger_s() - now)
        self._left_at = now + rest_s
        return rest_s
