"""Which offset of a source partition may be committed: the end of the finished prefix, and nothing beyond a hole.

One ``PartitionTracker`` lives as long as one assignment of its partition. Offsets are announced in order when they are
handed to a lane and finished in any order; reading starts at the committed offset, and a gap between two fetches is
read again before it is believed (records that a rebalance dropped after their fetch would otherwise be lost).
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class HasOffset(Protocol):
    """Anything with an offset: a record of the consumer."""

    @property
    def offset(self) -> int: ...


R = TypeVar("R", bound=HasOffset)


class PartitionTracker:
    """Prefix of one source partition, from ``start``, the offset that reading begins with."""

    __slots__ = ("_admitted", "_announced", "_finished", "_reread_at", "committed", "next_offset", "prefix_end")

    def __init__(self, start: int) -> None:
        self.next_offset = start
        self.prefix_end: int | None = None
        self.committed: int | None = None
        self._announced: deque[int] = deque()
        self._admitted: deque[tuple[int, float]] = deque()
        self._finished: set[int] = set()
        self._reread_at: int | None = None

    def admit(self, records: Sequence[R]) -> tuple[Sequence[R], int | None]:
        """(records to handle, offset to seek to). Records already in hand are left out.

        On a hole nothing is admitted and the offset to read from is returned; a second look at the same place says
        that the log itself has no records there (compaction, retention), and then the hole is accepted.
        """
        if records[0].offset < self.next_offset:
            records = [record for record in records if record.offset >= self.next_offset]
            if not records:
                return (), None
        if records[0].offset > self.next_offset and self._reread_at != self.next_offset:
            self._reread_at = self.next_offset
            return (), self.next_offset
        self.next_offset = records[-1].offset + 1
        self._announced.extend(record.offset for record in records)
        self._admitted.append((records[-1].offset, time.monotonic()))
        return records, None

    def finish(self, offsets: Iterable[int]) -> None:
        """These records are done; moves the end of the prefix as far as it is unbroken."""
        finished = self._finished
        finished.update(offsets)
        announced = self._announced
        last = None
        while announced and announced[0] in finished:
            last = announced.popleft()
            finished.discard(last)
        if last is not None:
            self.prefix_end = last + 1
            while self._admitted and self._admitted[0][0] <= last:
                self._admitted.popleft()

    @property
    def committable(self) -> int | None:
        """The offset to commit, or None when there is nothing new."""
        return self.prefix_end if self.prefix_end != self.committed else None

    @property
    def lag_age_s(self) -> float:
        """How long the oldest fetch that is not wholly finished has been in hand; 0 when nothing is."""
        return time.monotonic() - self._admitted[0][1] if self._admitted else 0.0

    @property
    def unfinished(self) -> int:
        """Records announced and not yet part of the prefix."""
        return len(self._announced)
