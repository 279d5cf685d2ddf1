"""Faust's table and store, on top of ``PartitionStore``: one RocksDB per partition, recovered in whole fetches.

Faust decides which changelog partitions this worker has and when they are recovered; the store applies what is read and
says how far it is. Stages never see the table: they see views.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import faust
from faust.stores.base import Store as FaustStore
from faust.tables.manager import TableManager as FaustTableManager
from faust.tables.recovery import Recovery
from faust.tables.table import Table as FaustTable
from faust.types import TP
from mode import Service
from mode.utils.queues import ThrowableQueue

from schemas import headers as header_names
from streams.engine import keys
from streams.engine.keys import Value
from streams.engine.store import PartitionStore

log = logging.getLogger(__name__)


class StageApp(faust.App):
    """A Faust app that knows its stage. ``runtime`` is the ``streams.engine.worker.Runtime`` of the process."""

    runtime: Any
    state_folder: Path
    partition_stores: dict[int, PartitionStore]

    def FlowControlQueue(  # noqa: N802 - Faust's name
        self, maxsize: int | None = None, *, clear_on_resume: bool = False
    ) -> ThrowableQueue[Any]:
        """A queue that keeps what it holds: Faust would empty it when it resumes the flow, that is, after the seek of a
        new assignment, when records of this one may be in it already. Older ones are told apart by their epoch."""
        return super().FlowControlQueue(maxsize, clear_on_resume=False)


class StateStore(FaustStore[Any, Any]):
    """The stores of all partitions that this worker holds, under one folder."""

    def __init__(self, folder: Path, stores: dict[int, PartitionStore], app: StageApp, table: Any) -> None:
        super().__init__("iris-state://", app, table, table_name=table.name, loop=table.loop)
        self._folder = folder
        self._stores = stores
        self._changelog: str = table.changelog_topic_name

    def partition(self, number: int) -> PartitionStore:
        """The store of a partition, opened when needed."""
        store = self._stores.get(number)
        if store is None:
            store = PartitionStore(self._folder / str(number), changelog=self._changelog, partition=number)
            self._stores[number] = store
        return store

    def persisted_offset(self, tp: TP) -> int | None:
        """Where recovery goes on after: the changelog offset that is in the local store."""
        return self.partition(tp.partition).applied_offset

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """The offset is stored with each batch; Faust's extra step would run ahead of it."""

    def restore(self, partition: int, records: Sequence[Any]) -> None:
        """Apply changelog records of one fetch, in one batch."""
        newest: dict[bytes, Value] = {}
        for record in records:
            if record.key is None or record.key.startswith(keys.LOCAL):
                continue
            value = _value(record)
            known = newest.get(record.key)
            if known is None or value.position >= known.position:
                newest[record.key] = value
        self.partition(partition).restore(newest, records[-1].offset)

    async def need_active_standby_for(self, tp: TP) -> bool:
        """Recovery always looks at the changelog."""
        return True

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Close what belongs to others now, and forget what lies over the rest: it is read again."""
        mine = {tp.partition for tp in assigned if tp.topic == self._changelog}
        self.close_all()
        for number in mine:
            self.partition(number)

    def close_all(self) -> None:
        """Release every partition's files."""
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    async def on_stop(self) -> None:
        self.close_all()

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Nothing: fetched changelog records reach ``restore`` in the consumer, never one by one."""

    def reset_state(self) -> None:
        """Nothing is kept in memory beside the partitions."""

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        """Not offered: the changelog is the backup."""
        raise TypeError("the changelog is the backup of a table; replay it instead")

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        """Not offered: the changelog is the backup."""
        raise TypeError("the changelog is the backup of a table; replay it instead")


def _value(record: Any) -> Value:
    position = expires_at_ms = 0
    for name, data in record.headers:
        if name == header_names.POSITION:
            position = int(data)
        elif name == header_names.EXPIRES_AT:
            expires_at_ms = int(data)
    return Value(position, expires_at_ms, record.value)


class StateTable(FaustTable[Any, Any]):
    """A Faust table whose store is a ``StateStore``; ``app.state_folder`` and ``app.partition_stores`` configure it."""

    def _new_store(self) -> Any:
        app = cast(StageApp, self.app)
        return StateStore(app.state_folder, app.partition_stores, app, self)


class PromptRecovery(Recovery):
    """Faust's recovery, ended by whoever applied the last changelog record, and by nobody else."""

    def _set_recovery_started(self) -> None:
        # Faust takes the signal back only after up to five seconds: a second recovery within them would end at once,
        # and the stage would work on a state that is not there yet.
        self.signal_recovery_end.clear()
        super()._set_recovery_started()

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Nothing: no changelog record comes through Faust's queue, and the original takes signals back untimely."""


class PromptTableManager(FaustTableManager):
    """Faust's manager without the second that it sleeps at start: here all tables exist before the app starts."""

    @property
    def recovery(self) -> Recovery:
        """The recovery service of this manager."""
        if self._recovery is None:
            self._recovery = PromptRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()
