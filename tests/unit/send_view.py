"""What a `send` under test stands on: a log and table that survive crashes, a view of them, and time that is stepped.

Everything here stands at a seam of the product; nothing patches it.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from schemas.envelope import AnyEvent
from schemas.outbound import OutboundMessage
from schemas.registry import decode_event
from streams.delivery import journal as journals
from streams.delivery.journal import Journal
from streams.engine.api import Output

T = TypeVar("T")

START_S = 1_790_000_000.0


class Crash(BaseException):
    """The process dies here: nothing that is not durable survives."""


class SteppedClock:
    """Time moves only when everybody waits: then to the next moment somebody waits for."""

    def __init__(self) -> None:
        self.now_s = START_S
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.now_s + seconds, self._count, future))
        await future

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``, with time moved on for it."""
        task = asyncio.ensure_future(work)
        while not task.done():
            await settle()
            if not task.done():
                self.step()
        return await task

    def step(self) -> None:
        """To the next moment that somebody waits for; nobody waiting means that the test hangs."""
        assert self._sleepers, "nobody waits for time to pass, and yet the work is not done"
        at_s, _, future = heapq.heappop(self._sleepers)
        self.now_s = max(self.now_s, at_s)
        if not future.done():
            future.set_result(None)


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(60):
        await asyncio.sleep(0)


async def all_of(*work: Awaitable[None]) -> None:
    """Wait for all of it."""
    await asyncio.gather(*work)


class Table:
    """What survives a crash: the log, and the table per conversation."""

    def __init__(self) -> None:
        self.log: list[AnyEvent] = []
        self.outputs: list[Output] = []
        self.rows: dict[tuple[bytes, bytes], bytes] = {}
        self.commits = 0
        self.crash_at: Callable[[str], bool] = lambda _point: False

    def write(self, outputs: Iterable[Output], rows: Mapping[tuple[bytes, bytes], bytes | None]) -> None:
        """Outputs before state, with a crash point on either side of the state."""
        for output in outputs:
            self.outputs.append(output)
            self.log.append(decode_event(output.value))
        self.crash("after_outputs")
        for place, value in rows.items():
            if value is None:
                self.rows.pop(place, None)
            else:
                self.rows[place] = value
        self.commits += 1
        self.crash("after_state")

    def write_together(self, outputs: Iterable[Output], rows: Mapping[tuple[bytes, bytes], bytes | None]) -> None:
        """Outputs and state side by side: a crash keeps none of them, one of them or both."""
        outputs = list(outputs)
        if self.crash_at("announced_state_only"):
            self.rows.update({place: value for place, value in rows.items() if value is not None})
            raise Crash("announced_state_only")
        self.write(outputs, rows)

    def crash(self, point: str) -> None:
        """Raise Crash if the test wants it here."""
        if self.crash_at(point):
            raise Crash(point)

    def journal(self, message: OutboundMessage) -> Journal:
        """The durable journal of a message."""
        return journals.decode(self.rows.get((message.conversation_id.encode(), journals.table_key(message.id))))

    def types(self) -> list[str]:
        """Event types in the order of the log."""
        return [event.type for event in self.log]

    def log_once(self) -> list[AnyEvent]:
        """The log's events in order, first copy of each id."""
        first: dict[str, AnyEvent] = {}
        for event in self.log:
            first.setdefault(event.id, event)
        return list(first.values())

    def events(self, kind: str) -> list[AnyEvent]:
        """Those of one type."""
        return [event for event in self.log_once() if event.type == kind]


class MemoryView:
    """Implements ``ActiveView`` over a ``Table``."""

    def __init__(self, table: Table, key: bytes) -> None:
        self.key = key
        self._table = table
        self._writes: dict[tuple[bytes, bytes], bytes | None] = {}

    def get(self, name: bytes = b"") -> bytes | None:
        place = (self.key, name)
        return self._writes[place] if place in self._writes else self._table.rows.get(place)

    def scan(self, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        rows = {**self._table.rows, **self._writes}
        names = sorted(name for key, name in rows if key == self.key and name.startswith(prefix))
        return [(name, value) for name in names if (value := rows[self.key, name]) is not None]

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        assert expires_at_ms is not None, "every row of `send` has a horizon"
        self._writes[self.key, name] = value

    def delete(self, name: bytes = b"") -> None:
        self._writes[self.key, name] = None

    def set_timer(self, name: str, due_ms: int | None) -> None:
        raise AssertionError("`send` keeps no timers")

    async def commit(self, outputs: Sequence[Output] = ()) -> None:
        await asyncio.sleep(0)
        writes, self._writes = self._writes, {}
        self._table.write(outputs, writes)

    async def announce(self, outputs: Sequence[Output]) -> None:
        await asyncio.sleep(0)
        writes, self._writes = self._writes, {}
        self._table.write_together(outputs, writes)
