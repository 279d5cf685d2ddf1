"""Forgets stored media that is older than it may be. Deletes files of the media store; reads and writes no topic.

One process of an installation does it: the one of `fetch` that holds partition 0 of its topic.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from streams.media_store import GROUPS, MediaStore
from streams.settings import Settings

log = logging.getLogger(__name__)

DAY_S = 86_400.0
BETWEEN_S = DAY_S
"""Between two sweeps."""

SOON_S = 600.0
"""Until the next sweep, when one left something: its limit was reached, or the storage failed."""

LOOK_S = 10.0
"""How often it is looked whether this process is the one."""

FILES_MAX = 20_000
"""Deleted by one sweep; the next one goes on where it stopped."""


def media_days(settings: Settings) -> int:
    """How long stored media is kept; 0 is for ever. It goes with the log unless its own time is set."""
    days = settings.log_retention_days if settings.media_days is None else settings.media_days
    return max(0, days)


class MediaSweep:
    """``holds`` says whether this process is the one that deletes; ``clock`` gives Unix seconds."""

    def __init__(
        self,
        store: MediaStore,
        *,
        days: int,
        holds: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        files_max: int = FILES_MAX,
    ) -> None:
        self._store = store
        self._life_s = days * DAY_S
        self._holds = holds
        self._clock = clock
        self._sleep = sleep
        self._files_max = files_max
        self._left: list[str] = []

    async def run(self) -> None:
        """At once and then daily, until it is cancelled. A storage that tells no times ends it, with a warning."""
        due_s = self._clock()
        while True:
            if self._clock() >= due_s and self._holds():
                try:
                    is_whole = await self.sweep()
                except OSError as error:
                    log.warning("old media is not deleted this time: %s", error)
                    is_whole = False
                except NotImplementedError:
                    log.warning("old media is never deleted: this storage tells no times; let its own rules do it")
                    return
                due_s = self._clock() + (BETWEEN_S if is_whole else SOON_S)
            await self._sleep(LOOK_S)

    async def sweep(self) -> bool:
        """Delete what is too old, up to the limit; returns whether all of the store was looked at. Raises OSError and
        NotImplementedError as the store does."""
        self._left = self._left or list(GROUPS)
        removed, before_s = 0, self._clock() - self._life_s
        while self._left and removed < self._files_max and self._holds():
            room = self._files_max - removed
            try:
                found = await self._store.remove_old(self._left[0], before_s=before_s, most=room)
            except OSError:
                # What cannot be deleted does not hold up the rest for ever.
                self._left.append(self._left.pop(0))
                raise
            removed += found
            if found < room:
                del self._left[0]
        if removed:
            log.info("%d media older than %g days deleted", removed, self._life_s / DAY_S)
        return not self._left
