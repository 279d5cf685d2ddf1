"""The state of a partition: visible at once, stored after the changelog, recovered by the highest position per key."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from schemas import headers as names
from streams.engine import keys
from streams.engine.keys import Value
from streams.engine.store import PartitionStore, StoreLocked
from streams.engine.view import StepView
from streams.engine.writer import WireRecord, Writer


class Changelog:
    """A writer at the seam: keeps what is written, acknowledges when told."""

    def __init__(self) -> None:
        self.records: list[WireRecord] = []
        self._waiting: list[asyncio.Future[int]] = []

    def write(self, topic: str, partition: int, records: Sequence[WireRecord]) -> "asyncio.Future[int]":
        self.records.extend(records)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def acknowledge(self) -> None:
        for future in self._waiting:
            future.set_result(len(self.records) - 1)
        self._waiting.clear()


@pytest.fixture
def changelog() -> Changelog:
    return Changelog()


def opened(path: Path) -> PartitionStore:
    return PartitionStore(path / "0", changelog="changelog", partition=0)


def put(store: PartitionStore, changelog: Changelog, name: bytes, value: Value) -> "asyncio.Future[None]":
    return store.apply({b"ann": {name: value}}, cast(Writer, changelog))


async def test_a_write_is_visible_before_and_stored_after_its_acknowledgement(
    tmp_path: Path, changelog: Changelog
) -> None:
    store = opened(tmp_path)
    done = put(store, changelog, b"", Value(7, 0, b"state"))
    assert store.get(b"ann", b"") == Value(7, 0, b"state")
    assert list(store.dump()) == []
    changelog.acknowledge()
    await done
    assert list(store.dump()) == [(b"ann", b"", Value(7, 0, b"state"))]
    assert store.applied_offset == 0
    store.close()


async def test_what_the_changelog_did_not_acknowledge_is_gone_after_a_crash(
    tmp_path: Path, changelog: Changelog
) -> None:
    store = opened(tmp_path)
    put(store, changelog, b"", Value(7, 0, b"state")).cancel()
    store.close()
    again = opened(tmp_path)
    assert again.get(b"ann", b"") is None
    again.close()


async def test_the_changelog_carries_position_and_expiry_in_its_headers(tmp_path: Path, changelog: Changelog) -> None:
    store = opened(tmp_path)
    done = put(store, changelog, b"id", Value(41, 1_790_000_000_000, b"x"))
    changelog.acknowledge()
    await done
    [(key, value, headers)] = changelog.records
    assert (keys.split_key(key), value) == ((b"ann", b"id"), b"x")
    assert dict(headers) == {names.POSITION: b"41", names.EXPIRES_AT: b"1790000000000"}
    store.close()


async def test_two_writes_of_one_key_on_their_way_settle_in_order(tmp_path: Path, changelog: Changelog) -> None:
    store = opened(tmp_path)
    first = put(store, changelog, b"", Value(1, 0, b"one"))
    second = put(store, changelog, b"", Value(2, 0, b"two"))
    assert store.get(b"ann", b"") == Value(2, 0, b"two")
    changelog.acknowledge()
    await asyncio.gather(first, second)
    assert store.get(b"ann", b"") == Value(2, 0, b"two")
    store.close()


async def test_a_scan_sees_stored_and_waiting_keys_of_its_conversation_in_order(
    tmp_path: Path, changelog: Changelog
) -> None:
    store = opened(tmp_path)
    for name in (b"m1", b"m3", b"n1"):
        put(store, changelog, name, Value(1, 0, name))
    changelog.acknowledge()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.apply({b"anna": {b"m2": Value(1, 0, b"other")}}, cast(Writer, changelog))
    put(store, changelog, b"m2", Value(2, 0, b"m2"))
    put(store, changelog, b"m3", Value(2, 0, None))
    assert [name for name, _ in store.scan(b"ann", b"m")] == [b"m1", b"m2"]
    changelog.acknowledge()
    store.close()


def test_recovery_takes_the_highest_position_per_key_and_not_the_last_record(tmp_path: Path) -> None:
    store = opened(tmp_path)
    key = keys.full_key(b"ann", b"")
    store.restore({key: Value(9, 0, b"newer")}, 10)
    store.restore({key: Value(5, 0, b"stale, written late by a stopped worker")}, 11)
    assert store.get(b"ann", b"") == Value(9, 0, b"newer")
    assert store.applied_offset == 11
    store.close()


def test_recovery_rebuilds_the_indexes_of_timers_and_expiry(tmp_path: Path) -> None:
    store = opened(tmp_path)
    timer = keys.full_key(b"ann", keys.TIMER + b"session")
    store.restore({timer: Value(1, 0, keys.pack_due(500)), keys.full_key(b"ann", b"i1"): Value(1, 700, b"x")}, 1)
    assert store.due(keys.TIMER_INDEX, 499, 10) == []
    assert store.due(keys.TIMER_INDEX, 500, 10) == [(500, timer)]
    assert store.due(keys.EXPIRY_INDEX, 700, 10) == [(700, keys.full_key(b"ann", b"i1"))]
    store.close()


def test_a_store_that_another_process_has_open_is_said_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.engine.store.OPEN_TIMEOUT_S", 0.1)
    store = opened(tmp_path)
    with pytest.raises(StoreLocked, match="IRIS_INSTANCE_ID"):
        opened(tmp_path)
    store.close()


async def test_a_view_reads_its_own_writes_and_nothing_that_has_expired(tmp_path: Path, changelog: Changelog) -> None:
    store = opened(tmp_path)
    put(store, changelog, b"i1", Value(1, 1_000, b"x"))
    changelog.acknowledge()
    assert StepView(store, b"ann", position=2, now_ms=999).get(b"i1") == b"x"
    view = StepView(store, b"ann", position=2, now_ms=1_000)
    assert view.get(b"i1") is None
    view.put(b"m1", b"hello")
    view.delete(b"i1")
    assert view.get(b"m1") == b"hello"
    assert list(view.scan(b"")) == [(b"m1", b"hello")]
    store.close()


async def test_a_view_knows_what_its_conversation_has_seen_by_the_position_of_the_main_key(
    tmp_path: Path, changelog: Changelog
) -> None:
    store = opened(tmp_path)
    put(store, changelog, b"", Value(41, 0, b"state"))
    view = StepView(store, b"ann", position=42, now_ms=0)
    assert view.has_seen(41)
    assert not view.has_seen(42)
    changelog.acknowledge()
    store.close()


async def test_what_is_saved_at_once_is_not_saved_again_by_the_next_checkpoint(
    tmp_path: Path, changelog: Changelog
) -> None:
    store = opened(tmp_path)
    store.lay({b"ann": {b"": Value(1, 0, b"older"), b"m": Value(1, 0, b"kept")}, b"ben": {b"": Value(1, 0, b"older")}})
    at_once = store.apply(
        {b"ann": {b"": Value(2, 0, b"newer")}, b"ben": {b"": Value(2, 0, None)}}, cast(Writer, changelog)
    )
    assert store.take_changes() == {b"ann": {b"m": Value(1, 0, b"kept")}}
    assert store.take_changes() == {}
    changelog.acknowledge()
    await at_once
    store.close()
