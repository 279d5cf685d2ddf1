"""Runs a pure stage: records are handled as they arrive, in order, and made durable by checkpoints.

A step takes records of one partition, conversation by conversation; its outputs leave at once, its state lies over the
store for the next step. Steps never wait and never overlap, so order within a conversation needs no further care.
"""

import asyncio
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from streams.engine.api import Output, Poison, PureStage, Record
from streams.engine.checkpoint import Checkpoints
from streams.engine.core import Engine, require_writable
from streams.engine.failpoints import failpoint
from streams.engine.failures import dead_letter
from streams.engine.seeded import commit_first, seeded
from streams.engine.store import PartitionStore, Writes
from streams.engine.view import StepView

STEP_RECORDS_MAX = 250
"""Records of one step; the loop is free in between, for the answers of the broker and the group's heartbeats."""


class PureRunner:
    """All partitions of a pure stage, in order each."""

    def __init__(self, engine: Engine, stage: PureStage, *, checkpoint_interval_s: float) -> None:
        self._engine = engine
        self._stage = stage
        self._checkpoints = Checkpoints(engine, checkpoint_interval_s)

    async def start(self) -> None:
        """Nothing to open."""

    async def submit(self, records: Sequence[Record]) -> None:
        """Handle records of one partition; any failure that is not a record's ends the process."""
        epoch = self._engine.epoch
        try:
            for start in range(0, len(records), STEP_RECORDS_MAX):
                if start:
                    await asyncio.sleep(0)
                if epoch != self._engine.epoch or self._engine.is_settling:
                    return
                await self._step(records[start : start + STEP_RECORDS_MAX])
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)

    def settle(self) -> None:
        """Make durable now what was handled."""
        self._checkpoints.hurry()

    @property
    def is_idle(self) -> bool:
        """All that was handled is durable and acknowledged."""
        return self._checkpoints.is_idle

    def is_busy_with(self, partition: int, key: bytes) -> bool:
        """Never: between two steps nothing is half done."""
        return False

    async def cancel(self) -> None:
        """Give up what is not durable; it will be read again."""
        await self._checkpoints.cancel()

    async def _step(self, records: Sequence[Record]) -> None:
        engine = self._engine
        partition = records[0].partition
        conversations: dict[bytes, list[Record]] = {}
        for record in records:
            conversations.setdefault(record.key, []).append(record)
        outputs: list[Output] = []
        writes: Writes = {}
        store = engine.stores.get(partition)
        for key, own in conversations.items():
            made, view = self._handle(store, key, own)
            outputs.extend(made)
            if view.writes:
                writes[key] = view.writes
        place = TopicPartition(records[0].topic, partition)
        offsets = [record.offset for record in records]
        if seeded("offset_before_outputs"):
            await commit_first(lambda: engine.finish(engine.epoch, place, offsets), list(engine.trackers.values()))
        failpoint(f"{self._stage.name}.before_outputs")
        sent = engine.send(outputs, partition, conversations) if outputs else ()
        if writes and store is not None:
            store.lay(writes)
        self._checkpoints.add(place, offsets, sent)

    # One conversation.

    def _view(self, store: PartitionStore | None, key: bytes, records: Sequence[Record]) -> StepView:
        # The oldest record says what has expired: a backlog must not make an id lapse before its copy is read.
        return StepView(store, key, position=records[-1].offset, now_ms=records[0].timestamp_ms)

    def _handle(self, store: PartitionStore | None, key: bytes, records: list[Record]) -> tuple[list[Output], StepView]:
        view = self._view(store, key, records)
        if store is not None:
            records = [record for record in records if not view.has_seen(record.offset)]
            if not records:
                return [], view
        try:
            if not key:
                raise Poison("the record has no key, so it belongs to no conversation")
            outputs = self._stage.handle(view, records)
            require_writable(outputs)
        except Exception:  # noqa: BLE001 - the stage's edge: it becomes a dead letter
            return self._one_by_one(store, key, records)
        self._engine.guard.handled(len(records))
        return outputs, view

    def _one_by_one(
        self, store: PartitionStore | None, key: bytes, records: list[Record]
    ) -> tuple[list[Output], StepView]:
        """Some record of the batch is at fault: find it, give it up, keep the others' effects."""
        outputs: list[Output] = []
        kept = self._view(store, key, records)
        for record in records:
            view = self._view(store, key, [record])
            view.writes.update(kept.writes)
            try:
                if not key:
                    raise Poison("the record has no key, so it belongs to no conversation")
                made = self._stage.handle(view, [record])
                require_writable(made)
                self._engine.guard.handled(1)
            except Exception as error:  # noqa: BLE001 - the stage's edge: it becomes a dead letter
                outputs.extend(self._give_up(record, error))
                continue
            outputs.extend(made)
            kept.writes.update(view.writes)
        return outputs, kept

    def _give_up(self, record: Record, error: Exception) -> list[Output]:
        if seeded("ack_on_exception"):
            return []
        self._engine.guard.gave_up(error)
        self._engine.dead += 1
        letter = dead_letter(self._engine.dead_letters, record, stage=self._stage.name, error=error)
        return [*self._stage.on_poison(record, error), letter]
