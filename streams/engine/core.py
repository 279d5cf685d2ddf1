"""The engine of one stage: from fetched batches to finished prefixes, independent of Faust.

    consumer ──deliver()──▶ tracker ──▶ runner: handle → outputs → state ──▶ finish() ──▶ offsets() ──▶ commit

An *epoch* is one assignment of partitions. What belongs to an earlier epoch is neither written to the store nor
acknowledged; whatever was dropped is read again because reading starts at the committed offset.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.structs import TopicPartition

from streams.engine.api import Output, Poison, Record, Stage
from streams.engine.failures import FailureGuard, SystematicFailure
from streams.engine.partitioner import partition_of
from streams.engine.room import Room
from streams.engine.seeded import drops_fetch
from streams.engine.store import PartitionStore
from streams.engine.tracker import PartitionTracker
from streams.engine.writer import RECORD_BYTES_MAX, WireRecord, Writer

log = logging.getLogger(__name__)

EXIT_FAILED = 70
"""EX_SOFTWARE: the supervisor starts the process again."""
EXIT_SYSTEMATIC = os.EX_DATAERR
"""Not started again: every new start would turn a hundred more records into dead letters."""


def require_writable(outputs: Sequence[Output]) -> None:
    """Raises Poison when an output is too large for any topic, before anything of the step is written."""
    for output in outputs:
        if len(output.value) > RECORD_BYTES_MAX:
            raise Poison(f"it makes a record of {len(output.value)} bytes for {output.topic}, over {RECORD_BYTES_MAX}")


def end_process(reason: object) -> None:
    """End at once, without clean-up: what cannot be promised any more must not be acknowledged."""
    log.critical("ending the process: %s", reason)
    logging.shutdown()
    os._exit(EXIT_SYSTEMATIC if isinstance(reason, SystematicFailure) else EXIT_FAILED)


class BatchLost(Exception):
    """Records were admitted, but never reached the runner."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one stage; see ``streams.settings``. ``inflight_records_max`` holds for each source topic."""

    batch_records_max: int = 2_000
    inflight_records_max: int = 8_000
    retries: int = 3


class Engine:
    """State of one running stage: partitions, what is in hand, the way out."""

    def __init__(
        self, stage: Stage, writer: Writer, *, partitions: int, dead_letters: str, limits: Limits | None = None
    ) -> None:
        self.stage = stage
        self.writer = writer
        self.partitions = partitions
        self.dead_letters = dead_letters
        self.limits = limits or Limits()
        self.guard = FailureGuard(stage.name)
        self.epoch = 0
        self._batches_admitted = 0
        self._batches_taken = 0
        self.is_accepting = False
        self.is_settling = False
        self.stores: dict[int, PartitionStore] = {}
        self.trackers: dict[TopicPartition, PartitionTracker] = {}
        self.room = Room(stage.reads, self.limits.inflight_records_max)
        self.handled = 0
        self.dead = 0
        self.on_failure: Callable[[BaseException], None] = end_process

    # Assignment.

    def begin_epoch(self) -> None:
        """The assignment changed: nothing of the old one counts any more."""
        self.epoch += 1
        self._batches_admitted = self._batches_taken = 0
        self.is_settling = False
        self.trackers.clear()
        self.room.clear()

    def number_batch(self) -> int:
        """The number of a batch that is on its way through Faust to the runner, counted within the epoch."""
        self._batches_admitted += 1
        return self._batches_admitted

    def take_batch(self, number: int) -> None:
        """A batch has arrived; one that did not come before it would never be handled, and later records would hide
        that from the state, so the process fails."""
        self._batches_taken += 1
        if number != self._batches_taken:
            self.on_failure(BatchLost(f"batch {self._batches_taken} of this assignment was lost before batch {number}"))

    def start_reading(self, place: TopicPartition, offset: int) -> None:
        """This partition of the current epoch is read from here."""
        if place not in self.trackers:
            self.trackers[place] = PartitionTracker(offset)

    # The way in.

    def admit(self, place: TopicPartition, fetched: Sequence[Any]) -> tuple[list[Record], int | None]:
        """(records to handle, offset to read again from); see ``PartitionTracker.admit``."""
        tracker = self.trackers.get(place)
        if tracker is None:
            return [], None
        if drops_fetch(self.epoch, place):
            tracker.next_offset = fetched[-1].offset + 1
            return [], None
        admitted, seek_to = tracker.admit(fetched)
        self.room.take(place.topic, len(admitted))
        return [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key or b"", r.value or b"", tuple(r.headers))
            for r in admitted
        ], seek_to

    # The way out.

    def send(self, outputs: Sequence[Output], partition: int, own: Container[bytes]) -> list["asyncio.Future[int]"]:
        """Send outputs on their way, in order per partition; each future is done when its share is acknowledged.

        Keys in ``own`` are known to belong to ``partition``; the others are hashed.
        """
        batches: dict[tuple[str, int], list[WireRecord]] = {}
        for output in outputs:
            key = output.key
            number = partition if key in own else partition_of(key, self.partitions)
            batches.setdefault((output.topic, number), []).append((key, output.value, list(output.headers)))
        return [self.writer.write(topic, number, batch) for (topic, number), batch in batches.items()]

    async def write(self, outputs: Sequence[Output], partition: int, own: Container[bytes]) -> None:
        """``send``, and wait until all are acknowledged."""
        # A delivery that fails for good ends the process, so waiting for one after the other misses nothing.
        for future in self.send(outputs, partition, own):
            await future

    def finish(self, epoch: int, place: TopicPartition, offsets: Sequence[int]) -> None:
        """Records are done: outputs and state are durable."""
        if epoch != self.epoch:
            return
        self.room.give_back(place.topic, len(offsets))
        self.handled += len(offsets)
        tracker = self.trackers.get(place)
        if tracker is not None:
            tracker.finish(offsets)

    @property
    def inflight(self) -> int:
        """Records read and not yet acknowledged, of all topics."""
        return self.room.total

    @property
    def lag_age_s(self) -> float:
        """Age of the oldest record in hand, over all partitions."""
        return max((tracker.lag_age_s for tracker in self.trackers.values()), default=0.0)

    def offsets(self) -> dict[TopicPartition, int]:
        """What may be committed now, per source partition."""
        found = {}
        for place, tracker in self.trackers.items():
            offset = tracker.committable
            if offset is not None:
                found[place] = offset
        return found

    def committed(self, epoch: int, offsets: dict[TopicPartition, int]) -> None:
        """The broker took these offsets."""
        if epoch == self.epoch:
            for place, offset in offsets.items():
                if place in self.trackers:
                    self.trackers[place].committed = offset
