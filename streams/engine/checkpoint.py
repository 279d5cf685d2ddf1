"""Makes durable what a stage has done, many steps at once: outputs, then state, then the acknowledgement.

A step's outputs leave as it is handled, and its state lies over the store, where later steps see it. A checkpoint takes
all that was done since the last one: it waits until every output is acknowledged, sends each key that changed to the
changelog once, with its newest value, and acknowledges the records when that has arrived too. A crash repeats what came
after the last checkpoint; the ids of the outputs are the same again, and the first of them in the log counts.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka.structs import TopicPartition

from streams.engine.core import Engine
from streams.engine.failpoints import failpoint


class Checkpoints:
    """One at a time, every ``interval_s``, or at once when the stage has half of what it may have in hand."""

    def __init__(self, engine: Engine, interval_s: float) -> None:
        self._engine = engine
        self._interval_s = interval_s
        self._epoch = engine.epoch
        self._done: dict[TopicPartition, list[int]] = {}
        self._unacknowledged: list[asyncio.Future[int]] = []
        self._is_urgent = asyncio.Event()
        self._is_making = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """All that was done is durable and acknowledged."""
        return not self._done and not self._is_making

    def add(self, place: TopicPartition, offsets: Sequence[int], sent: Sequence["asyncio.Future[int]"]) -> None:
        """These records were handled; ``sent`` are their outputs, their state lies over the store."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"{self._engine.stage.name}-checkpoints")
        if self._epoch != self._engine.epoch:
            # Handled while its assignment ended: under the new one it is read, and counts, again.
            self._forget()
            self._epoch = self._engine.epoch
        self._done.setdefault(place, []).extend(offsets)
        self._unacknowledged.extend(sent)
        if self._engine.inflight * 2 >= self._engine.limits.inflight_records_max:
            self._is_urgent.set()

    def hurry(self) -> None:
        """Make the next one now."""
        self._is_urgent.set()

    async def cancel(self) -> None:
        """Forget what is not durable yet; it will be read again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._forget()
        self._is_making = False

    def _forget(self) -> None:
        self._done.clear()
        self._unacknowledged.clear()

    async def _run(self) -> None:
        try:
            while True:
                await self._due()
                if self._done:
                    self._is_making = True
                    await self._make()
                    self._is_making = False
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)

    async def _due(self) -> None:
        # Not `wait_for`: in Python 3.11 it may swallow a cancellation that meets the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._interval_s):
                await self._is_urgent.wait()
        self._is_urgent.clear()

    async def _make(self) -> None:
        engine, name, epoch = self._engine, self._engine.stage.name, self._epoch
        done, self._done = self._done, {}
        sent, self._unacknowledged = self._unacknowledged, []
        # Later steps change the stores while this waits, so what belongs to this checkpoint is taken out now.
        changes = [(store, store.take_changes()) for store in engine.stores.values()]
        # A delivery that fails for good ends the process, so waiting for one after the other misses nothing.
        for future in sent:
            await future
        failpoint(f"{name}.after_outputs")
        if epoch != engine.epoch:
            return
        for settled in [store.save(writes, engine.writer) for store, writes in changes if writes]:
            await settled
        failpoint(f"{name}.after_state")
        for place, offsets in done.items():
            engine.finish(epoch, place, offsets)
        failpoint(f"{name}.before_offset")
