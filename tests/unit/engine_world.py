"""The surroundings of an engine under test: a writer that keeps what is written, stages, fetched records, no broker."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from aiokafka.structs import TopicPartition

from streams.engine.api import ActiveView, Output, Poison, Record, View
from streams.engine.core import Engine, Limits
from streams.engine.store import PartitionStore
from streams.engine.writer import WireRecord, Writer
from tests.harness.eventually import eventually

PLACE = TopicPartition("in", 0)


class Topics:
    """A writer at the seam: keeps what is written in one order over all topics; may hold acknowledgements back."""

    def __init__(self) -> None:
        self.written: list[tuple[str, bytes, bytes | None]] = []
        self.holds: set[str] = set()
        self.held: list[asyncio.Future[int]] = []

    def write(self, topic: str, partition: int, records: Sequence[WireRecord]) -> "asyncio.Future[int]":
        self.written.extend((topic, key, value) for key, value, _ in records)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if topic in self.holds:
            self.held.append(future)
        else:
            future.set_result(len(self.written))
        return future

    async def flush(self) -> None:
        """As the writer's: nothing is ever queued here."""

    def release(self) -> None:
        self.holds.clear()
        for future in self.held:
            future.set_result(0)
        self.held.clear()

    def on(self, topic: str) -> list[bytes | None]:
        return [value for name, _, value in self.written if name == topic]


class Echo:
    """Repeats its records, counts per conversation; values that start with ``!`` are poison, with ``?`` a bug."""

    name = "echo"
    reads: tuple[str, ...] = ("in",)
    has_table = True

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        count = int(view.get() or b"0")
        outputs = []
        for record in records:
            if record.value.startswith(b"!"):
                raise Poison("told to")
            if record.value.startswith(b"?"):
                raise ZeroDivisionError("a bug")
            count += 1
            outputs.append(Output("out", record.key, record.value))
        view.put(b"", b"%d" % count)
        return outputs

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        return [Output("out", record.key, b"rejected " + record.value)]

    def timer_output(self, key: bytes, name: str, due_ms: int) -> Output:
        return Output("in", key, f"timer {name} {due_ms}".encode())


class World:
    """An engine on partition 0 with everything observable."""

    def __init__(self, stage: Any, folder: Path, *, limits: Limits | None = None) -> None:
        self.topics = Topics()
        self.failures: list[BaseException] = []
        self.engine = Engine(
            stage, cast(Writer, self.topics), partitions=1, dead_letters="dead", limits=limits or Limits(retries=1)
        )
        self.engine.on_failure = self.failures.append
        self.store = PartitionStore(folder / "0", changelog="changelog", partition=0)
        self.engine.stores[0] = self.store
        self.engine.start_reading(PLACE, 0)
        self._offset = 0

    def records(self, *pairs: tuple[bytes, bytes], at_ms: Sequence[int] = ()) -> list[Record]:
        """The next records of the source, read now; ``at_ms`` are their times."""
        times = at_ms or [1_000] * len(pairs)
        made = [
            Record("in", 0, self._offset + n, at, key, value, ())
            for n, ((key, value), at) in enumerate(zip(pairs, times, strict=True))
        ]
        self._offset += len(pairs)
        fetched = [Fetched(record) for record in made]
        return self.engine.admit(PLACE, fetched)[0]

    @property
    def committable(self) -> int | None:
        return self.engine.offsets().get(PLACE)

    def reads_again(self, offset: int) -> None:
        """A new assignment, which begins here."""
        self.engine.begin_epoch()
        self.engine.start_reading(PLACE, offset)
        self._offset = offset

    async def done(self, offset: int) -> None:
        """Returns once everything before ``offset`` may be committed."""

        def reached() -> None:
            assert self.committable == offset

        await eventually(reached)


class Fetched:
    """A record as the consumer gives it."""

    def __init__(self, record: Record) -> None:
        self.topic, self.partition, self.offset = record.topic, record.partition, record.offset
        self.timestamp, self.key, self.value, self.headers = record.timestamp_ms, record.key, record.value, ()


class Slow:
    """An active stage: notes begin and end of each record; waits for the gate of its conversation."""

    name = "slow"
    reads: tuple[str, ...] = ("in",)
    has_table = True
    concurrency = 8

    def __init__(self) -> None:
        self.log: list[str] = []
        self.gates: dict[bytes, asyncio.Event] = {}
        self.announces = False
        self.fail_times = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, view: ActiveView, records: Sequence[Record]) -> list[Output]:
        [record] = records
        self.log.append(f"begin {record.value.decode()}")
        if self.fail_times:
            self.fail_times -= 1
            raise ConnectionError("for a moment")
        if record.value.startswith(b"!"):
            raise Poison("told to")
        view.put(b"journal", b"started")
        put = view.announce if self.announces else view.commit
        await put([Output("out", record.key, b"started " + record.value)])
        if self.announces:
            self.log.append(f"announced {record.value.decode()}")
        await self.gates.setdefault(record.key, asyncio.Event()).wait()
        self.log.append(f"end {record.value.decode()}")
        view.put(b"journal", b"done")
        return [Output("out", record.key, b"done " + record.value)]

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        return []
