"""Runs a pure stage: one lane per partition number, each step taking all that waits.

A step handles its records conversation by conversation, gets all outputs acknowledged, lays the new state over the
store and goes on; the state's way to the changelog overlaps with the next step, and its records are acknowledged when
it has arrived. Steps of one partition never overlap otherwise, so order within a conversation needs no further care.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from streams.engine.api import Output, Poison, PureStage, Record
from streams.engine.core import Engine, require_writable
from streams.engine.failpoints import failpoint
from streams.engine.failures import dead_letter
from streams.engine.seeded import commit_first, seeded
from streams.engine.store import PartitionStore, Writes
from streams.engine.view import StepView

STATES_IN_FLIGHT_MAX = 4
"""Steps of one partition whose state is on its way to the changelog; beyond it the lane waits."""


class PureLane:
    """Everything of one partition number, in order."""

    def __init__(self, engine: Engine, stage: PureStage, partition: int) -> None:
        self._engine = engine
        self._stage = stage
        self._partition = partition
        self._queue: deque[Record] = deque()
        self._has_work = asyncio.Event()
        self._settling: set[asyncio.Task[None]] = set()
        self._is_busy = False
        self._task = asyncio.create_task(self._run(), name=f"{stage.name}-{partition}")

    @property
    def is_idle(self) -> bool:
        """Nothing is being handled or on its way to the changelog."""
        return not self._is_busy and not self._settling

    def submit(self, records: Sequence[Record]) -> None:
        """Queue records of this partition number."""
        self._queue.extend(records)
        self._has_work.set()

    def clear(self) -> None:
        """Forget what has not been started."""
        self._queue.clear()

    async def stop(self) -> None:
        """Cancel what is being handled; it will be read again."""
        for task in (self._task, *self._settling):
            task.cancel()
        await asyncio.gather(self._task, *self._settling, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while True:
                await self._has_work.wait()
                self._has_work.clear()
                while self._queue:
                    self._is_busy = True
                    await self._step()
                    self._is_busy = False
                self._is_busy = False
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)

    def _take(self) -> list[Record]:
        size = min(len(self._queue), self._engine.limits.batch_records_max)
        return [self._queue.popleft() for _ in range(size)]

    async def _step(self) -> None:
        engine = self._engine
        epoch = engine.epoch
        records = self._take()
        conversations: dict[bytes, list[Record]] = {}
        for record in records:
            conversations.setdefault(record.key, []).append(record)
        outputs: list[Output] = []
        writes: Writes = {}
        store = engine.stores.get(self._partition)
        for key, own in conversations.items():
            made, view = self._handle(store, key, own)
            outputs.extend(made)
            if view.writes:
                writes[key] = view.writes
        if seeded("offset_before_outputs"):
            await commit_first(lambda: self._acknowledge(epoch, records), list(engine.trackers.values()))
        failpoint(f"{self._stage.name}.before_outputs")
        if outputs:
            await engine.write(outputs, self._partition, conversations)
            failpoint(f"{self._stage.name}.after_outputs")
        if epoch != engine.epoch:
            return
        if writes and store is not None:
            settled = store.apply(writes, engine.writer)
            await self._acknowledge_later(epoch, records, settled)
        else:
            self._acknowledge(epoch, records)

    async def _acknowledge_later(self, epoch: int, records: list[Record], settled: "asyncio.Future[None]") -> None:
        task = asyncio.create_task(self._settle(epoch, records, settled))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        if len(self._settling) >= STATES_IN_FLIGHT_MAX:
            await asyncio.wait(self._settling, return_when=asyncio.FIRST_COMPLETED)

    async def _settle(self, epoch: int, records: list[Record], settled: "asyncio.Future[None]") -> None:
        try:
            await settled
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)
        failpoint(f"{self._stage.name}.after_state")
        self._acknowledge(epoch, records)

    def _acknowledge(self, epoch: int, records: list[Record]) -> None:
        topics: dict[str, list[int]] = {}
        for record in records:
            topics.setdefault(record.topic, []).append(record.offset)
        for topic, offsets in topics.items():
            self._engine.finish(epoch, TopicPartition(topic, self._partition), offsets)
        failpoint(f"{self._stage.name}.before_offset")

    # One conversation.

    def _view(self, store: PartitionStore | None, record: Record) -> StepView:
        return StepView(store, record.key, position=record.offset, now_ms=record.timestamp_ms)

    def _handle(self, store: PartitionStore | None, key: bytes, records: list[Record]) -> tuple[list[Output], StepView]:
        view = self._view(store, records[-1])
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
            return self._one_by_one(store, records)
        self._engine.guard.handled(len(records))
        return outputs, view

    def _one_by_one(self, store: PartitionStore | None, records: list[Record]) -> tuple[list[Output], StepView]:
        """Some record of the batch is at fault: find it, give it up, keep the others' effects."""
        outputs: list[Output] = []
        kept = self._view(store, records[-1])
        for record in records:
            view = self._view(store, record)
            view.writes.update(kept.writes)
            try:
                if not record.key:
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


class PureRunner:
    """The lanes of a pure stage."""

    def __init__(self, engine: Engine, stage: PureStage) -> None:
        self._engine = engine
        self._stage = stage
        self._lanes: dict[int, PureLane] = {}

    async def start(self) -> None:
        """Nothing to open."""

    def submit(self, records: Sequence[Record]) -> None:
        """Records of one partition, in order."""
        partition = records[0].partition
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = PureLane(self._engine, self._stage, partition)
        lane.submit(records)

    def clear(self) -> None:
        """Forget what has not been started."""
        for lane in self._lanes.values():
            lane.clear()

    @property
    def is_idle(self) -> bool:
        """Nothing is in hand."""
        return all(lane.is_idle for lane in self._lanes.values())

    def is_busy_with(self, partition: int, key: bytes) -> bool:
        """Whether a step that may hold this conversation is under way."""
        lane = self._lanes.get(partition)
        return lane is not None and not lane.is_idle

    async def cancel(self) -> None:
        """Give up what is in hand; it will be read again."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        await asyncio.gather(*(lane.stop() for lane in lanes))
