"""Runs an active stage: conversations side by side, each record by itself, within one conversation in order.

A slow call holds back its own conversation only. ``view.commit`` makes outputs and state durable midway. What a record
ends with is made durable at once, or with the next checkpoint where the stage allows it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from streams.engine.api import ActiveStage, Output, Poison, Record
from streams.engine.checkpoint import Checkpoints
from streams.engine.core import Engine, require_writable
from streams.engine.failpoints import failpoint
from streams.engine.failures import dead_letter
from streams.engine.seeded import seeded
from streams.engine.view import StepView

RETRY_S = (0.1, 0.5, 1.0, 2.0)
"""Waits between attempts at a record whose handling raised; together below the 5 s in which poison must pass by."""


class ActiveStepView(StepView):
    """A view whose state can be made durable midway."""

    def __init__(self, engine: Engine, record: Record) -> None:
        super().__init__(
            engine.stores.get(record.partition), record.key, position=record.offset, now_ms=record.timestamp_ms
        )
        self._engine = engine
        self._record = record
        self._epoch = engine.epoch

    async def commit(self, outputs: Sequence[Output] = ()) -> None:
        """Outputs, then state; raises CancelledError when the partition was lost meanwhile."""
        engine = self._engine
        if outputs:
            await engine.write(outputs, self._record.partition, (self.key,))
        failpoint(f"{engine.stage.name}.after_outputs")
        self.check_epoch()
        await self._save()
        self.check_epoch()

    async def announce(self, outputs: Sequence[Output]) -> None:
        """Outputs and state side by side, in one request to the broker where one broker leads both partitions."""
        self.check_epoch()
        engine = self._engine
        sent = engine.send(outputs, self._record.partition, (self.key,))
        saved = self._save()
        # A delivery that fails for good ends the process, so waiting for one after the other misses nothing.
        for future in sent:
            await future
        failpoint(f"{engine.stage.name}.after_outputs")
        await saved
        self.check_epoch()

    def _save(self) -> "asyncio.Future[None]":
        """Send the writes so far to the changelog; done when they are in the store."""
        if not self.writes or self._store is None:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done
        writes, self.writes = self.writes, {}
        self._main = writes.get(b"", self._main)
        return self._store.apply({self.key: writes}, self._engine.writer)

    def lay(self) -> None:
        """Leave the writes to the next checkpoint."""
        if self.writes and self._store is not None:
            self._store.lay({self.key: self.writes})

    def check_epoch(self) -> None:
        """Raises CancelledError when the assignment has changed since the record was read."""
        if self._epoch != self._engine.epoch:
            raise asyncio.CancelledError


class ActiveRunner:
    """One task per conversation that has records in hand, at most ``stage.concurrency`` of them working."""

    def __init__(self, engine: Engine, stage: ActiveStage, *, checkpoint_interval_s: float) -> None:
        self._engine = engine
        self._stage = stage
        self._checkpoints = Checkpoints(engine, checkpoint_interval_s)
        self._is_patient = getattr(stage, "may_end_later", False)
        self._queues: dict[tuple[int, bytes], deque[Record]] = {}
        self._tasks: dict[tuple[int, bytes], asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(stage.concurrency)
        self._working = 0

    async def start(self) -> None:
        """Open what the stage needs."""
        await self._stage.start()

    async def submit(self, records: Sequence[Record]) -> None:
        """Records of one partition, in order."""
        for record in records:
            place = (record.partition, record.key)
            queue = self._queues.get(place)
            if queue is None:
                queue = self._queues[place] = deque()
                self._tasks[place] = asyncio.create_task(self._drain(place, queue))
            queue.append(record)

    def settle(self) -> None:
        """Forget what has not been started, make durable now what has ended."""
        for queue in self._queues.values():
            queue.clear()
        self._checkpoints.hurry()

    @property
    def is_idle(self) -> bool:
        """Nothing is being handled, and all that has ended is durable."""
        return not self._working and self._checkpoints.is_idle

    def is_busy_with(self, partition: int, key: bytes) -> bool:
        """Whether this conversation has records in hand."""
        return (partition, key) in self._queues

    async def cancel(self) -> None:
        """Give up what is in hand; it will be read again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._queues.clear()
        self._tasks.clear()
        await self._checkpoints.cancel()

    async def _drain(self, place: tuple[int, bytes], queue: deque[Record]) -> None:
        try:
            while queue:
                async with self._gate:
                    if not queue:
                        break
                    await self._work(queue.popleft())
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)
        finally:
            if self._queues.get(place) is queue:
                del self._queues[place], self._tasks[place]

    async def _work(self, record: Record) -> None:
        engine = self._engine
        epoch = engine.epoch
        place = TopicPartition(record.topic, record.partition)
        self._working += 1
        try:
            view, outputs = await self._attempt(record)
            if self._is_patient:
                view.check_epoch()
                sent = engine.send(outputs, record.partition, (record.key,))
                view.lay()
                self._checkpoints.add(place, (record.offset,), sent)
                return
            await view.commit(outputs)
            failpoint(f"{self._stage.name}.after_state")
            engine.finish(epoch, place, (record.offset,))
        finally:
            self._working -= 1

    async def _attempt(self, record: Record) -> tuple[ActiveStepView, list[Output]]:
        retries = self._engine.limits.retries
        for attempt in range(retries + 1):
            view = ActiveStepView(self._engine, record)
            try:
                if not record.key:
                    raise Poison("the record has no key, so it belongs to no conversation")
                outputs = await self._stage.handle(view, [record])
                require_writable(outputs)
            except Exception as error:  # noqa: BLE001 - the stage's edge: it becomes a dead letter
                if seeded("ack_on_exception"):
                    return ActiveStepView(self._engine, record), []
                if isinstance(error, Poison) or attempt == retries:
                    self._engine.guard.gave_up(error)
                    self._engine.dead += 1
                    letter = dead_letter(self._engine.dead_letters, record, stage=self._stage.name, error=error)
                    return ActiveStepView(self._engine, record), [*self._stage.on_poison(record, error), letter]
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            else:
                self._engine.guard.handled(1)
                return view, outputs
        raise AssertionError("the loop always returns")
