"""One channel's gate: how many calls are out at once, and none but a probe while the channel is down.

Kept per process and in memory: a restart finds out again, with one call. Waits through the ``sleep`` it was given.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager


class Gate:
    """``slots`` calls at once; while it is closed one every ``pause_s``, by whoever has waited longest."""

    def __init__(
        self, *, slots: int, pause_s: float, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._probe = asyncio.Lock()
        self._pause_s = pause_s
        self._clock = clock
        self._sleep = sleep
        self._probe_at: float | None = None
        self._is_probing = False
        self._accepted_at = 0.0
        self.calls_out = 0
        """Calls that hold a place now: given up, each of them would be in doubt."""

    @property
    def is_open(self) -> bool:
        """Whether calls go through."""
        return self._probe_at is None

    @property
    def is_free(self) -> bool:
        """Whether ``passage`` would be granted without a wait."""
        return self.is_open and not self._slots.locked()

    def has_accepted_since(self, moment_ms: float) -> bool:
        """Whether the platform took any call of this channel after ``moment_ms``."""
        return self._accepted_at * 1000 > moment_ms

    def close(self) -> bool:
        """The channel is down. Returns whether that is news: of many calls that find it out one raises the alert."""
        is_news = self.is_open
        self._probe_at = self._clock() + self._pause_s
        return is_news

    def open(self, *, is_accepted: bool) -> bool:
        """The platform took a call, or refused it for what it is. Returns whether the channel works again by that: only
        the probe proves it, not a call that left before the channel went down."""
        if is_accepted:
            self._accepted_at = self._clock()
        if not self._is_probing:
            return False
        is_news = not self.is_open
        self._probe_at = None
        return is_news

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Wait until one call may be made and hold its place meanwhile. Waiting costs no slot."""
        while True:
            if self.is_open:
                async with self._slots:
                    if self.is_open:
                        with self._call():
                            yield
                        return
            else:
                async with self._probe:
                    if self._probe_at is not None:
                        await self._sleep(max(0.0, self._probe_at - self._clock()))
                        self._is_probing = True
                        try:
                            with self._call():
                                yield
                        finally:
                            self._end_probe()
                        return

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.calls_out += 1
        try:
            yield
        finally:
            self.calls_out -= 1

    def _end_probe(self) -> None:
        self._is_probing = False
        # A probe that proved nothing, such as one that timed out, leaves the gate closed for another pause.
        if self._probe_at is not None:
            self._probe_at = self._clock() + self._pause_s
