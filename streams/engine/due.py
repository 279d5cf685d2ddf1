"""What falls due in a stage's table: timers become records of the stage's own source topic, expired keys tombstones.

A timer is only announced here; the stage acts when it reads the announcement from its topic, so a replay sees the same.
An announcement that brings no answer (the stage was stopped in between) is repeated; its id is deterministic.
"""

import asyncio
import time
from collections.abc import Callable

from streams.engine import keys
from streams.engine.api import Output
from streams.engine.core import Engine
from streams.engine.keys import Value
from streams.engine.store import PartitionStore, Writes

SCAN_INTERVAL_S = 0.25
ENTRIES_MAX = 1_000
"""Due entries looked at per partition and scan; the rest waits for the next."""
ANNOUNCE_AGAIN_S = 30.0

TimerOutput = Callable[[bytes, str, int], Output]
IsBusy = Callable[[int, bytes], bool]


class DueWatch:
    """Looks through the due-time indexes of all partitions that this worker holds."""

    def __init__(self, engine: Engine, *, timer_output: TimerOutput | None, is_busy_with: IsBusy) -> None:
        self._engine = engine
        self._timer_output = timer_output
        self._is_busy_with = is_busy_with
        self._announced: dict[tuple[int, bytes], float] = {}

    async def run(self) -> None:
        """Until cancelled; any failure ends the process, because timers would silently stop."""
        try:
            while True:
                await asyncio.sleep(SCAN_INTERVAL_S)
                if self._engine.is_accepting:
                    await self.scan(int(time.time() * 1000))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - the process must not go on
            self._engine.on_failure(error)

    async def scan(self, now_ms: int) -> None:
        """One look at everything that is due."""
        for store in list(self._engine.stores.values()):
            if self._timer_output is not None:
                await self._announce(store, now_ms)
            self._expire(store, now_ms)

    async def _announce(self, store: PartitionStore, now_ms: int) -> None:
        assert self._timer_output is not None
        outputs: list[Output] = []
        stale: list[tuple[int, bytes]] = []
        for due_ms, key in store.due(keys.TIMER_INDEX, now_ms, ENTRIES_MAX):
            conversation, name = keys.split_key(key)
            current = store.get(conversation, name)
            if current is None or current.data is None or keys.unpack_due(current.data) != due_ms:
                stale.append((due_ms, key))
                self._announced.pop((due_ms, key), None)
            elif time.monotonic() - self._announced.get((due_ms, key), -ANNOUNCE_AGAIN_S) >= ANNOUNCE_AGAIN_S:
                self._announced[due_ms, key] = time.monotonic()
                outputs.append(self._timer_output(conversation, name[len(keys.TIMER) :].decode(), due_ms))
        if stale:
            store.forget_due(keys.TIMER_INDEX, stale)
        for output in outputs:
            await self._engine.write([output], store.partition, (output.key,))

    def _expire(self, store: PartitionStore, now_ms: int) -> None:
        entries = store.due(keys.EXPIRY_INDEX, now_ms, ENTRIES_MAX)
        writes: Writes = {}
        done: list[tuple[int, bytes]] = []
        for due_ms, key in entries:
            conversation, name = keys.split_key(key)
            if self._is_busy_with(store.partition, conversation):
                continue
            current = store.get(conversation, name)
            if current is not None and current.expires_at_ms and current.expires_at_ms <= now_ms:
                writes.setdefault(conversation, {})[name] = Value(current.position, 0, None)
            done.append((due_ms, key))
        if writes:
            store.apply(writes, self._engine.writer)
        if done:
            store.forget_due(keys.EXPIRY_INDEX, done)
