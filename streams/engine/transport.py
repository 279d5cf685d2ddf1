"""Faust's consumer and producer, driven in batches.

``BatchConsumer`` hands whole fetches to the engine as one Faust event each (an agent's event may be a batch), applies
changelog fetches to the store in one go, and replaces Faust's acknowledgement by the engine's finished prefixes. The
rest (membership, assignment, recovery's order, flow control) stays Faust's.
"""

import asyncio
import contextlib
import logging
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.events import Event
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.engine.core import end_process
from streams.engine.loop_consumer import LoopConsumer
from streams.engine.pace import Pace
from streams.engine.room import Room

log = logging.getLogger(__name__)


class FetchingStopped(Exception):
    """aiokafka has given up fetching; only a new process begins again."""


class BatchConsumer(driver.Consumer):
    """The consumer of one stage. ``self.app.runtime`` is the ``streams.engine.worker.Runtime`` of the process."""

    @property
    def _app(self) -> Any:
        """The stage's app, with the parts of Faust that its interfaces do not declare."""
        return self.app

    @property
    def _runtime(self) -> Any:
        return self._app.runtime

    async def _drain_messages(self, fetcher: Any) -> None:
        """The read loop: fetch, hand over, wait for room."""
        engine = self._runtime.engine
        pace = Pace()
        engine.room.on_room = partial(self._switch_sources, "resume")
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not engine.room.is_free.is_set() and not self.app.in_recovery:
                    await self._wait_for_room(engine.room)
                    continue
                if engine.room.full:
                    self._switch_sources("pause", engine.room.full)
                epoch = engine.epoch
                fetched, active = await self._wait_next_records(1.0)
                if self.should_stop or fetcher._stopped.is_set():
                    return
                if not fetched:
                    self._require_fetching()
                    await asyncio.sleep(0)
                elif self.flow_active and epoch == engine.epoch:
                    await self._hand_over(fetched, active)
                    pace.count(sum(map(len, fetched.values())))
                    if (linger_s := pace.linger_s()) and not self.app.in_recovery:
                        await asyncio.sleep(linger_s)
                else:
                    await self._read_again(fetched)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    def _require_fetching(self) -> None:
        """aiokafka gives up fetching for good on an error that it does not expect, such as uvloop's RuntimeError for a
        write to a connection that was reset just now; the stage would stand still and look healthy."""
        fetcher = getattr(self._thread._consumer, "_fetcher", None)
        if fetcher is not None and fetcher._fetch_task.done() and not self.should_stop:
            self._runtime.engine.on_failure(
                FetchingStopped("the consumer has stopped fetching; the reason stands above")
            )

    async def _wait_for_room(self, room: Room) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await room.is_free.wait()

    async def _read_again(self, dropped: Iterable[Any]) -> None:
        """Records of these partitions were fetched and dropped: a fetch may begin under one assignment and return
        under the next, which has sought already, and nobody else would miss its records until later ones come."""
        recovery = self._app.tables.recovery
        assignment = self.assignment()
        offsets: dict[TP, int] = {}
        for tp in (TP(*place) for place in dropped):
            tracker = self._runtime.engine.trackers.get(TopicPartition(*tp))
            if tp not in assignment:
                continue
            if tracker is not None:
                offsets[tp] = tracker.next_offset
            elif tp in recovery.active_tps:
                offsets[tp] = max(0, recovery.active_offsets.get(tp) or 0)
        if not offsets:
            return
        log.info("reading %d partitions again, their records came too late for an assignment", len(offsets))
        try:
            await self._thread.seek_wait(offsets)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.warning("seeking back failed, the next assignment does it again: %r", error)

    async def _hand_over(self, fetched: Mapping[Any, Sequence[Any]], active: set[TP] | None) -> None:
        changelogs = self._app.tables._changelogs
        for place, records in fetched.items():
            tp = TP(place.topic, place.partition)
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            table = changelogs.get(tp.topic)
            if table is not None:
                self._restore(table, tp, records)
            elif tp.topic in self._runtime.engine.stage.reads:
                await self._deliver(tp, records)
            else:
                for record in records:
                    await self.callback(self._to_message(tp, record))
                    self._read_offset[tp] = record.offset

    async def _deliver(self, tp: TP, fetched: Sequence[Any]) -> None:
        records, seek_to = self._runtime.engine.admit(TopicPartition(*tp), fetched)
        if seek_to is not None:
            await self._thread.seek_wait({tp: seek_to})
        if not records:
            return
        last = fetched[-1]
        batch: Any = (self._runtime.engine.epoch, self._runtime.engine.number_batch(), records)
        message = ConsumerMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000, 0, [], None, batch, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        message.tracked = True
        for channel in self._app.topics._tp_index.get(tp, ()):
            channel.queue.put_nowait(Event(self.app, None, batch, None, message))
        self._read_offset[tp] = last.offset

    def _restore(self, table: Any, tp: TP, records: Sequence[Any]) -> None:
        recovery = self._app.tables.recovery
        if tp in recovery.active_tps:
            offsets = recovery.active_offsets
        elif tp in recovery.standby_tps:
            offsets = recovery.standby_offsets
        else:
            return
        seen = offsets.get(tp)
        fresh = records if seen is None else [record for record in records if record.offset > seen]
        if fresh:
            table.data.restore(tp.partition, fresh)
            offsets[tp] = fresh[-1].offset
        if recovery.in_recovery and not recovery.need_recovery():
            recovery._set_recovery_ended()
            recovery.signal_recovery_end.set()

    def _new_consumer_thread(self) -> LoopConsumer:
        return LoopConsumer(self, loop=self.loop, thread_loop=self.loop, beacon=self.beacon)

    # Positions.

    async def perform_seek(self) -> None:
        """Seek every source partition to where it goes on: the one place that says where an epoch starts.

        The seek comes last, when the trackers exist: what was fetched before and dropped for want of one is read again.
        """
        engine = self._runtime.engine
        epoch = engine.epoch
        committed = {TP(*tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        sources = [tp for tp in self.assignment() if tp.topic in engine.stage.reads]
        unknown = [tp for tp in sources if not committed.get(tp)]
        earliest = (
            {TP(*tp): offset for tp, offset in (await self.earliest_offsets(*unknown)).items()} if unknown else {}
        )
        if epoch != engine.epoch:
            return
        for tp in sources:
            engine.start_reading(TopicPartition(*tp), committed.get(tp) or earliest[tp])
        await self._thread.seek_wait({tp: engine.trackers[TopicPartition(*tp)].next_offset for tp in sources})

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit the finished prefixes; a failed commit is tried again with the next one."""
        engine = self._runtime.engine
        epoch = engine.epoch
        assignment = self.assignment()
        offsets = {place: offset for place, offset in engine.offsets().items() if TP(*place) in assignment}
        if not offsets:
            return False
        if not await self._thread.call_thread(self._commit_in_thread, offsets):
            return False
        engine.committed(epoch, offsets)
        self._committed_offset.update({TP(*place): offset for place, offset in offsets.items()})
        return True

    async def _commit_in_thread(self, offsets: Mapping[TopicPartition, int]) -> bool:
        consumer = self._thread._ensure_consumer()
        try:
            await consumer.commit({place: OffsetAndMetadata(offset, "") for place, offset in offsets.items()})
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit refused, the partitions have moved on: %s", error)
            return False
        except KafkaError as error:
            log.warning("commit failed, the next one covers it: %r", error)
            return False
        return True

    # Assignment.

    async def wait_empty(self) -> None:
        """Let what is in hand finish, give up the rest, commit."""
        await self._runtime.settle()
        await self.commit()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        await self._runtime.end_assignment()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        await self._runtime.end_assignment()
        try:
            await self._runtime.fence(assigned)
        except KafkaError as error:
            end_process(f"cannot fence the changelog partitions: {error!r}")
        await super().on_partitions_assigned(assigned, generation_id)

    # Faust pauses a partition by leaving it out of what getmany returns; aiokafka goes on fetching it, and an unread
    # changelog partition then holds back every fetch from its node. So changelogs are paused in the consumer itself.
    # Source partitions are paused there for want of room only, and in Faust for rebalance and recovery only: neither
    # undoes what the other did. A new assignment begins unpaused, as an epoch begins with nothing in hand.

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        tps = list(tps)
        super().pause_partitions(tps)
        self._switch("pause", tps, self._app.tables.changelog_topics)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        tps = list(tps)
        super().resume_partitions(tps)
        self._switch("resume", tps, self._app.tables.changelog_topics)

    def _switch_sources(self, verb: str, topics: Container[str]) -> None:
        """Stop or go on fetching these topics; those that are not held stay as they are."""
        consumer = self._thread._consumer
        self._switch(verb, consumer.assignment() if consumer is not None else (), topics)

    def _switch(self, verb: str, tps: Iterable[tuple[str, int]], topics: Container[str]) -> None:
        places = [TopicPartition(*tp) for tp in tps if tp[0] in topics]
        consumer = self._thread._consumer
        if not places or consumer is None:
            return
        held = consumer.assignment()
        mine = [place for place in places if place in held]
        if mine:
            getattr(consumer, verb)(*mine)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's own watch counts single events; ours is the lag age of the finished prefix."""


class EngineProducer(driver.Producer):
    """Faust's producer, used for nothing but its life cycle: everything is written by the engine's ``Writer``."""

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    @property
    def _writer(self) -> Any:
        app: Any = self.app
        return app.runtime.engine.writer

    async def on_start(self) -> None:
        await self._writer.start()
        await super().on_start()

    async def flush(self) -> None:
        await self._writer.flush()

    async def on_stop(self) -> None:
        await self._writer.stop()
        await super().on_stop()


class BatchTransport(driver.Transport):
    """The transport that a stage's app gets."""

    Consumer = BatchConsumer
    Producer = EngineProducer
