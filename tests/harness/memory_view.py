"""A stage's table in a dictionary: what the engine's view promises, for tests of pure stages without an engine.

A ``MemoryTable`` is one partition's table. ``step`` hands a stage the records of one conversation as the engine does:
on an exception nothing that the stage wrote stays, and records that the main key has seen are left out.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from streams.engine.api import Output, PureStage, Record

MAIN = b""


@dataclass
class MemoryView:
    """One conversation's keys; implements ``View``. ``names`` are kept sorted; ``written`` lists what one step put or
    (None) deleted; ``position`` is the offset that the main key has seen."""

    key: bytes
    now_ms: int = 0
    position: int = -1
    values: dict[bytes, tuple[bytes, int | None]] = field(default_factory=dict)
    names: list[bytes] = field(default_factory=list)
    timers: dict[str, int] = field(default_factory=dict)
    written: list[tuple[bytes, bytes | None]] = field(default_factory=list)

    def get(self, name: bytes = MAIN) -> bytes | None:
        value, expires_at_ms = self.values.get(name, (None, None))
        return None if expires_at_ms is not None and expires_at_ms <= self.now_ms else value

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        start = bisect_left(self.names, prefix)
        for name in self.names[start:]:
            if not name.startswith(prefix):
                return
            value = self.get(name)
            if value is not None:
                yield name, value

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        assert not name.startswith(b"\xff"), "names from 0xff on are the engine's"
        if name not in self.values:
            insort(self.names, name)
        self.values[name] = (value, expires_at_ms)
        self.written.append((name, value))

    def delete(self, name: bytes = MAIN) -> None:
        if self.values.pop(name, None) is not None:
            self.names.remove(name)
        self.written.append((name, None))

    def set_timer(self, name: str, due_ms: int | None) -> None:
        if due_ms is None:
            self.timers.pop(name, None)
        else:
            self.timers[name] = due_ms

    def copy(self) -> "MemoryView":
        """The same keys, with nothing written yet."""
        return replace(self, values=dict(self.values), names=list(self.names), timers=dict(self.timers), written=[])

    def dump(self, *prefixes: bytes) -> dict[bytes, bytes]:
        """Every live key, or those that start with one of the prefixes."""
        return {name: value for name, value in self.scan(b"") if not prefixes or name.startswith(prefixes)}


class MemoryTable:
    """Conversation key to view."""

    def __init__(self) -> None:
        self._views: dict[bytes, MemoryView] = {}

    def view(self, key: bytes) -> MemoryView:
        """The conversation's view, made on first use."""
        return self._views.setdefault(key, MemoryView(key))

    def step(self, stage: PureStage, records: Sequence[Record]) -> list[Output]:
        """``stage.handle`` for records of one conversation."""
        key = records[0].key
        trial = self.view(key).copy()
        trial.now_ms = records[-1].timestamp_ms
        unseen = [record for record in records if record.offset > trial.position]
        outputs = stage.handle(trial, unseen) if unseen else []
        if any(name == MAIN for name, _ in trial.written):
            trial.position = records[-1].offset
        self._views[key] = trial
        return outputs

    def due(self, now_ms: int) -> Iterable[tuple[bytes, str, int]]:
        """(key, timer, due time) of every timer that is due, the earliest first."""
        found = [(key, name, due) for key, view in self._views.items() for name, due in view.timers.items()]
        return sorted((item for item in found if item[2] <= now_ms), key=lambda item: item[2])

    def dump(self) -> dict[str, dict[bytes, bytes]]:
        """Conversation id to its live keys, for ``fold.differences``."""
        return {key.decode(): live for key, view in self._views.items() if (live := view.dump())}

    def copy(self) -> "MemoryTable":
        """The table as it is now: what a crash goes back to."""
        copied = MemoryTable()
        copied._views = {key: view.copy() for key, view in self._views.items()}
        return copied
