"""All that a stage writes: batches per partition, every delivery awaited, changelogs under a fenced identity.

Records gather per partition while the partition's previous batch is in flight; then they leave as one prebuilt batch.
One future tells of each write. Outputs carry the process's own idempotent identity. Changelog partitions carry an
identity per partition, obtained from the broker with a transactional id for its epoch: the broker then refuses every
batch of an earlier epoch, so that a writer that was stopped and continued writes nothing (ADR 0003).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.structs import TopicPartition

from streams.engine.pace import Pace
from streams.engine.producer_identities import Identities
from streams.engine.resending import be_patient

WireRecord = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, value (None: tombstone), headers."""

OnFailure = Callable[[BaseException], None]
Queue = deque[tuple[Sequence[WireRecord], "asyncio.Future[int]"]]
"""What waits for one partition: records, and the future of the last one's offset."""

Waiting = list[tuple[int, "asyncio.Future[int]"]]
"""Index in a batch of the last record of a write, and that write's future."""

BATCH_BYTES_SOFT = 900_000
"""A batch is closed beyond this: below the broker's default ``message.max.bytes`` of 1 MiB."""
RECORD_BYTES_MAX = 7_900_000
"""A single larger record travels alone; topics that hold such raise their own ``max.message.bytes``."""
REQUEST_TIMEOUT_MS = 2_000
"""A broker that stopped answering holds a partition back no longer than this, then its new leader is looked for."""
METADATA_AGE_MS_MAX = 30_000
TRANSACTION_TIMEOUT_MS = 60_000
"""Needed to ask for an identity; no transaction is ever begun under it."""


class Fenced(Exception):
    """Another worker owns this changelog partition now; this process must not go on."""


class Writer:
    """The producer of one process. ``on_failure`` is called once with the error when a delivery fails for good; the
    caller ends the process, because what was promised to be written was not. ``pace`` says how long requests wait."""

    def __init__(self, bootstrap: str, *, client_id: str, on_failure: OnFailure, pace: Pace | None = None) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._on_failure = on_failure
        self._queues: dict[TopicPartition, Queue] = {}
        self._busy: set[TopicPartition] = set()
        self._ready: deque[TopicPartition] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._pace = pace or Pace()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._identities = Identities()
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; raises KafkaError when no broker answers."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=RECORD_BYTES_MAX + BATCH_BYTES_SOFT,
            max_request_size=RECORD_BYTES_MAX + BATCH_BYTES_SOFT,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            metadata_max_age_ms=METADATA_AGE_MS_MAX,
        )
        be_patient(self._producer, self._identities)
        await self._producer.start()

    async def stop(self) -> None:
        """Flush and disconnect."""
        await self.flush()
        if self._producer is not None:
            await self._producer.stop()

    def write(self, topic: str, partition: int, records: Sequence[WireRecord]) -> "asyncio.Future[int]":
        """Queue records in order; the future gives the offset of the last one once all are acknowledged."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        place = TopicPartition(topic, partition)
        queue = self._queues.get(place)
        if queue is None:
            queue = self._queues[place] = deque()
        queue.append((records, future))
        self._pace.count()
        if place not in self._busy:
            self._make_ready(place)
        return future

    async def flush(self) -> None:
        """Wait until nothing is queued or in flight."""
        await self._is_idle.wait()

    def _make_ready(self, place: TopicPartition) -> None:
        self._busy.add(place)
        self._is_idle.clear()
        self._ready.append(place)
        if self._pump is None:
            self._pump = asyncio.create_task(self._pump_ready())

    async def _pump_ready(self) -> None:
        """Hand over one batch of each partition that is ready, all of them in one turn of the loop, so that they travel
        in one request."""
        if linger_s := self._pace.linger_s():
            await asyncio.sleep(linger_s)
        while self._ready:
            place = self._ready.popleft()
            try:
                await self._send_batch(place)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - the process must not go on
                self._free(place)
                self._on_failure(error)
        self._pump = None

    async def _send_batch(self, place: TopicPartition) -> None:
        assert self._producer is not None
        batch = self._producer.create_batch()
        waiting = _fill(batch, self._queues[place])
        batch.close()
        delivery = await self._producer.send_batch(batch, place.topic, partition=place.partition)
        delivery.add_done_callback(partial(self._delivered, place, waiting))

    def _delivered(self, place: TopicPartition, waiting: Waiting, delivery: "asyncio.Future[Any]") -> None:
        if delivery.cancelled():
            return
        error = delivery.exception()
        if error is not None:
            self._free(place)
            self._on_failure(error)
            return
        first = delivery.result().offset
        for index, future in waiting:
            if not future.done():
                future.set_result(first + index)
        if self._queues[place]:
            self._make_ready(place)
        else:
            self._free(place)

    def _free(self, place: TopicPartition) -> None:
        self._busy.discard(place)
        if not self._busy:
            self._is_idle.set()

    async def fence(self, changelog: str, partition: int) -> None:
        """Become the only writer of a changelog partition.

        Takes a new epoch of the partition's identity and writes one record under it: from then on the broker refuses
        what any earlier owner still sends. Raises KafkaError when the coordinator cannot be reached.
        """
        producer_id, epoch = await self._new_epoch(f"{changelog}-{partition}")
        self._identities.adopt(TopicPartition(changelog, partition), producer_id, epoch)
        await self.write(changelog, partition, [(FENCE_KEY, b"%d" % epoch, [])])

    async def _new_epoch(self, transactional_id: str) -> tuple[int, int]:
        assert self._producer is not None
        client = self._producer.client
        while True:
            try:
                node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
                if await client.ready(node, group=ConnectionGroup.COORDINATION):
                    request = InitProducerIdRequest(
                        transactional_id=transactional_id, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS
                    )
                    answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
                    error = for_code(answer.error_code)
                    if answer.error_code == 0:
                        return answer.producer_id, answer.producer_epoch
                    if not error.retriable and error.__name__ not in RETRIED_ERRORS:
                        raise error(f"no writer identity for {transactional_id}")
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(0.05)


FENCE_KEY = b"\xff\xfffence"
"""Key of the record that a new owner writes first; recovery passes it by."""
RETRIED_ERRORS = {"ConcurrentTransactions", "CoordinatorLoadInProgressError", "NotCoordinatorError"}


def _fill(batch: Any, queue: Queue) -> Waiting:
    """Move records from the queue into the batch until it is full; (index in the batch, future) of what is complete.

    Raises ValueError for a record over the hard limit.
    """
    complete: Waiting = []
    count = size = 0
    while queue:
        records, future = queue[0]
        for taken, (key, value, headers) in enumerate(records):
            if len(value or b"") > RECORD_BYTES_MAX:
                raise ValueError(f"a record of {len(value or b'')} bytes is over the limit of {RECORD_BYTES_MAX}")
            is_full = size > BATCH_BYTES_SOFT
            added = None if is_full else batch.append(timestamp=None, key=key, value=value, headers=headers)
            if added is None:
                queue[0] = (records[taken:], future)
                return complete
            count += 1
            size += added.size
        queue.popleft()
        complete.append((count - 1, future))
    return complete
