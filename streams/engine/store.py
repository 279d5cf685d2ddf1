"""The state of one partition: RocksDB, with the writes that are still on their way to the changelog laid over it.

Order of a write: it is visible to later steps at once, goes to the changelog with the next checkpoint (``lay``) or at
once (``apply``), and reaches RocksDB only when the changelog has acknowledged it, in one batch together with the
changelog offset. A process that dies loses only what the changelog does not have either; recovery reads on from the
stored offset.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rocksdict import AccessType, BlockBasedOptions, Cache, Options, Rdict, WriteBatch

from schemas import headers as header_names
from streams.engine import keys
from streams.engine.keys import Value
from streams.engine.writer import WireRecord, Writer

OPEN_TIMEOUT_S = 5.0
"""A predecessor on this machine may still be closing the store."""
WRITE_BUFFER_BYTES = 8 << 20
BLOCK_CACHE_BYTES = 8 << 20
"""RocksDB's own defaults take gigabytes with many partitions."""

Writes = dict[bytes, dict[bytes, Value]]
"""Conversation key → name → value."""


class StoreLocked(Exception):
    """Another process has this store open."""


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(1)
    table = BlockBasedOptions()
    table.set_block_cache(Cache(BLOCK_CACHE_BYTES))
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options


def _open(path: Path) -> Rdict:
    path.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + OPEN_TIMEOUT_S
    while True:
        try:
            return Rdict(str(path), _options(), access_type=AccessType.read_write())
        except Exception as error:  # rocksdict raises plain exceptions with RocksDB's text
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() > give_up:
                raise StoreLocked(
                    f"{path} is open in another process; give each worker its own IRIS_DATA_DIR or IRIS_INSTANCE_ID"
                ) from error
            time.sleep(0.05)


class PartitionStore:
    """Keys of one partition. Not thread-safe: everything runs on the stage's event loop."""

    def __init__(self, path: Path, *, changelog: str, partition: int) -> None:
        self.changelog = changelog
        self.partition = partition
        self._db = _open(path)
        self._overlay: Writes = {}
        self._changes: Writes = {}
        self.is_closed = False

    # Reading.

    def get(self, conversation: bytes, name: bytes) -> Value | None:
        """The newest value, expired or not; None when absent or deleted."""
        waiting = self._overlay.get(conversation, {}).get(name)
        if waiting is not None:
            return waiting if waiting.data is not None else None
        raw = self._db.get(keys.full_key(conversation, name))
        return None if raw is None else keys.unpack(raw)

    def scan(self, conversation: bytes, prefix: bytes) -> list[tuple[bytes, Value]]:
        """(name, value) of every present key of a conversation under a prefix, in byte order of the name."""
        start = keys.full_key(conversation, prefix)
        names_at = 2 + len(conversation)
        found: list[tuple[bytes, Value]] = []
        iterator = self._db.iter()
        iterator.seek(start)
        # A question to the AI reads fifty keys this way, so nothing stands in the loop that can stand outside.
        while iterator.valid() and (key := iterator.key()).startswith(start):
            found.append((key[names_at:], keys.unpack(iterator.value())))
            iterator.next()
        over = self._overlay.get(conversation)
        waiting = [name for name in over if name.startswith(prefix)] if over else ()
        if not over or not waiting:
            return found
        merged = dict(found)
        merged.update((name, over[name]) for name in waiting)
        return [(name, value) for name, value in sorted(merged.items()) if value.data is not None]

    def due(self, index: bytes, until_ms: int, limit: int) -> list[tuple[int, bytes]]:
        """(due time, full key) of the entries of an index that are due, oldest first."""
        entries: list[tuple[int, bytes]] = []
        for raw_key, _ in self._from(index):
            if not raw_key.startswith(index) or len(entries) >= limit:
                break
            due_ms, key = keys.split_due(index, raw_key)
            if due_ms > until_ms:
                break
            entries.append((due_ms, key))
        return entries

    def dump(self) -> Iterator[tuple[bytes, bytes, Value]]:
        """(conversation key, name, value) of all that is stored; for checks and exports."""
        for raw_key, raw in self._from(b""):
            if raw_key.startswith(keys.LOCAL):
                break
            conversation, name = keys.split_key(raw_key)
            yield conversation, name, keys.unpack(raw)

    def _from(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        iterator = self._db.iter()
        iterator.seek(start) if start else iterator.seek_to_first()
        while iterator.valid():
            yield iterator.key(), iterator.value()
            iterator.next()

    # Writing.

    def lay(self, writes: Writes) -> None:
        """Lay writes over the store: reads see them at once, the next ``take_changes`` has them."""
        for conversation, names in writes.items():
            for laid in (self._overlay, self._changes):
                known = laid.get(conversation)
                if known is None:
                    laid[conversation] = names.copy()
                else:
                    known.update(names)

    def take_changes(self) -> Writes:
        """What was laid over the store since the last time, the newest value of each key; the caller saves it."""
        changes, self._changes = self._changes, {}
        return changes

    def apply(self, writes: Writes, writer: Writer) -> "asyncio.Future[None]":
        """Lay the writes over the store and save them now, before what else was laid over it."""
        for conversation, names in writes.items():
            self._overlay.setdefault(conversation, {}).update(names)
            changes = self._changes.get(conversation)
            if changes is not None:
                # An older value must not follow on the changelog.
                for name in names:
                    changes.pop(name, None)
                if not changes:
                    del self._changes[conversation]
        return self.save(writes, writer)

    def save(self, writes: Writes, writer: Writer) -> "asyncio.Future[None]":
        """Send writes that lie over the store to the changelog; done when they are in RocksDB.

        A conversation's keys are neighbours on the changelog, and its main key is the last of them, because it vouches
        for the others (``StepView.has_seen``).
        """
        records: list[WireRecord] = []
        values: list[tuple[bytes, bytes, bytes, Value]] = []
        for conversation, names in writes.items():
            main = names.get(b"")
            ordered = names.items()
            if main is not None and len(names) > 1:
                ordered = {**{name: value for name, value in ordered if name}, b"": main}.items()
            for name, value in ordered:
                key = keys.full_key(conversation, name)
                values.append((conversation, name, key, value))
                records.append((key, value.data, _headers(value)))
        sent = writer.write(self.changelog, self.partition, records)
        return asyncio.ensure_future(self._settle(values, sent))

    async def _settle(self, values: Sequence[tuple[bytes, bytes, bytes, Value]], sent: "asyncio.Future[int]") -> None:
        offset = await sent
        if self.is_closed:
            return
        batch = WriteBatch(raw_mode=True)
        overlay = self._overlay
        for conversation, name, key, value in values:
            over = overlay.get(conversation)
            # A newer value of a later step stays: the changelog does not have that one yet.
            if over is not None and over.get(name) is value:
                del over[name]
                if not over:
                    del overlay[conversation]
            self._put(batch, key, value, is_timer=name.startswith(keys.TIMER))
        batch.put(keys.APPLIED, b"%d" % offset)
        self._db.write(batch)

    def _put(self, batch: WriteBatch, key: bytes, value: Value, *, is_timer: bool) -> None:
        if value.data is None:
            batch.delete(key)
            return
        batch.put(key, keys.pack(value))
        if value.expires_at_ms:
            batch.put(keys.due_key(keys.EXPIRY_INDEX, value.expires_at_ms, key), b"")
        if is_timer:
            batch.put(keys.due_key(keys.TIMER_INDEX, keys.unpack_due(value.data), key), b"")

    def forget_due(self, index: bytes, entries: Iterable[tuple[int, bytes]]) -> None:
        """Drop entries of an index that were dealt with."""
        batch = WriteBatch(raw_mode=True)
        for due_ms, key in entries:
            batch.delete(keys.due_key(index, due_ms, key))
        self._db.write(batch)

    # Recovery.

    @property
    def applied_offset(self) -> int | None:
        """The last changelog offset that is in the store."""
        raw = self._db.get(keys.APPLIED)
        return None if raw is None else int(raw)

    def restore(self, records: Mapping[bytes, Value], offset: int) -> None:
        """Changelog records in one batch; per key the highest position counts, whatever the order on the topic."""
        batch = WriteBatch(raw_mode=True)
        known: list[Any] = list(records)
        for key, raw in zip(known, self._db.get(known) or (), strict=True):
            value = records[key]
            if raw is None or keys.unpack(raw).position <= value.position:
                self._put(batch, key, value, is_timer=keys.is_timer(key))
        batch.put(keys.APPLIED, b"%d" % offset)
        self._db.write(batch)

    def close(self) -> None:
        """Release the files; writes on their way stay on the changelog and are read again from there."""
        if not self.is_closed:
            self.is_closed = True
            self._db.close()


def _headers(value: Value) -> list[tuple[str, bytes]]:
    headers = [(header_names.POSITION, b"%d" % value.position)]
    if value.expires_at_ms:
        headers.append((header_names.EXPIRES_AT, b"%d" % value.expires_at_ms))
    return headers
