"""What a stage sees of the engine: records in, a view of its conversation's state, outputs. No Kafka in it.

Two shapes of a stage:

``PureStage.handle(view, records)`` is called with all waiting records of one conversation, in order, and may not wait.
``ActiveStage.handle(view, records)`` is a coroutine; it may call out, and ``await view.commit(outputs)`` makes outputs
and state durable midway (ask, tell, remember). Conversations run side by side up to ``concurrency``; within one, calls
never overlap.

The engine writes outputs, then state, then acknowledges the records, many at once. It may call ``handle`` again with
records that it has handled before (after a crash or a rebalance), never with the records of one conversation out of
order. Raising ``Poison`` sends the record at hand to the dead letters; any other exception does the same after the
retries.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

Headers = tuple[tuple[str, bytes], ...]

# Records and outputs are made for everything that passes through: such a struct takes an eighth of the time of a frozen
# dataclass, and the garbage collector need not look into what holds bytes only.


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record of a source topic. ``timestamp_ms`` is the topic's (LogAppendTime on the log)."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: Headers = ()

    def header(self, name: str) -> bytes | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to write. It goes to the partition of its key; all topics are co-partitioned, so a stage that keeps the
    conversation's key stays in its own partition number."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = ()


class Poison(Exception):
    """This record can never be handled: straight to the dead letters, no retry.

    ``record`` names which of the records; None means the one that was being handled.
    """

    def __init__(self, reason: str, record: Record | None = None) -> None:
        super().__init__(reason)
        self.record = record


class View(Protocol):
    """One conversation's keys in the stage's table. Reads see this step's own writes. ``name`` may be empty: the main
    key. Writes become durable after the outputs and before the acknowledgement."""

    key: bytes

    def get(self, name: bytes = b"") -> bytes | None:
        """The value, or None when absent or expired at the step's ``now_ms``."""
        ...

    def scan(self, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        """(name, value) of every live key of this conversation that starts with ``prefix``, in byte order."""
        ...

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        """Set a key; it vanishes by itself, with a tombstone, after ``expires_at_ms``."""
        ...

    def delete(self, name: bytes = b"") -> None:
        """Remove a key (a tombstone on the changelog)."""
        ...

    def set_timer(self, name: str, due_ms: int | None) -> None:
        """Ask for the stage's ``timer_output`` at ``due_ms``; None cancels. At most one per name."""
        ...


class ActiveView(View, Protocol):
    """The view of an active stage."""

    async def commit(self, outputs: Sequence[Output] = ()) -> None:
        """Make outputs and all writes so far durable, without acknowledging the records. When it raises or is
        cancelled nothing may be assumed."""
        ...

    async def announce(self, outputs: Sequence[Output]) -> None:
        """``commit`` in one round trip: outputs and writes leave together, and a crash may keep either without the
        other. Only for outputs that can be made again from what is written (ADR 0006)."""
        ...


class Stage(Protocol):
    """``name`` is part of the consumer group and of the table's name."""

    name: str
    reads: tuple[str, ...]
    has_table: bool


class PureStage(Stage, Protocol):
    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        """Outputs of these records, in order."""
        ...

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """Outputs that belong to the log when a record was given up (``event_rejected``), beside the dead letter."""
        ...

    def timer_output(self, key: bytes, name: str, due_ms: int) -> Output:
        """The record that tells the stage, by way of its own source topic, that a timer is due."""
        ...


class ActiveStage(Stage, Protocol):
    """``concurrency``: conversations in hand at once. A stage whose calls must not be given up midway may offer a
    property ``is_interruptible``: while it is False, partitions are given back only after ``SETTLE_CALLS_S``. A stage
    for which it does no harm to do a record once more, if the process dies right after it, may set ``may_end_later``:
    what a record ends with is then made durable by the next checkpoint."""

    concurrency: int

    async def start(self) -> None:
        """Open what the stage needs (HTTP sessions)."""
        ...

    async def stop(self) -> None:
        """Close it."""
        ...

    async def handle(self, view: ActiveView, records: Sequence[Record]) -> list[Output]:
        """Outputs of these records, in order; ``records`` is always exactly one record."""
        ...

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """As in PureStage."""
        ...
