"""The view that a stage has of one conversation during a step: reads through its own writes, writes gathered."""

from collections.abc import Iterator

from streams.engine import keys
from streams.engine.keys import Value
from streams.engine.store import PartitionStore


class StepView:
    """Implements ``api.View`` over a partition's store. ``position`` is the source offset that the writes have seen;
    ``now_ms`` decides what has expired."""

    def __init__(self, store: PartitionStore | None, key: bytes, *, position: int, now_ms: int) -> None:
        self.key = key
        self.writes: dict[bytes, Value] = {}
        self._store = store
        self._position = position
        self._now_ms = now_ms
        # The main key is looked at twice in most steps: for the position, and by the stage.
        self._main = store.get(key, b"") if store is not None else None

    def get(self, name: bytes = b"") -> bytes | None:
        value = self.writes.get(name)
        if value is None:
            value = self._main if name == b"" else self._table.get(self.key, name)
        return self._alive(value)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        found = self._table.scan(self.key, prefix)
        own = [name for name in self.writes if name.startswith(prefix)]
        if own:
            merged = dict(found)
            merged.update((name, self.writes[name]) for name in own)
            found = sorted(merged.items())
        for name, value in found:
            data = self._alive(value)
            if data is not None and not name.startswith(b"\xff"):
                yield name, data

    def put(self, name: bytes, value: bytes, *, expires_at_ms: int | None = None) -> None:
        self.writes[name] = Value(self._position, expires_at_ms or 0, value)

    def delete(self, name: bytes = b"") -> None:
        self.writes[name] = Value(self._position, 0, None)

    def set_timer(self, name: str, due_ms: int | None) -> None:
        data = None if due_ms is None else keys.pack_due(due_ms)
        self.writes[keys.TIMER + name.encode()] = Value(self._position, 0, data)

    def has_seen(self, offset: int) -> bool:
        """Whether the conversation's main key was written at or after this source offset."""
        return self._main is not None and self._main.position >= offset

    @property
    def _table(self) -> PartitionStore:
        if self._store is None:
            raise TypeError("this stage has no table: set has_table")
        return self._store

    def _alive(self, value: Value | None) -> bytes | None:
        if value is None or (value.expires_at_ms and value.expires_at_ms <= self._now_ms):
            return None
        return value.data
