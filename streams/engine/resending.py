"""Sends a batch again where aiokafka would give it up: a broker does not know what went wrong, or nobody leads.

A broker whose disk runs full answers UNKNOWN_SERVER_ERROR for a moment, before it ends itself and others lead: its
index is mapped into memory, and a page that cannot be had is no I/O error to it. Nothing tells whether the batch was
stored; an idempotent one may be sent again all the same, for its sequence number shows a second copy.
A partition without a leader has one again when a broker comes back: whoever may not wait so long does not await it.
And a node that was stopped takes connections and says nothing: until others lead, it is asked again and again.
"""

import math
import time
from collections.abc import Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import UnknownError, UnknownTopicOrPartitionError
from aiokafka.producer.sender import Sender, SendProduceReqHandler
from aiokafka.structs import TopicPartition

PUZZLED_S = 2.0
"""Until the next try on such a node. Not at once: in that moment it appends every try to its file under one and the
same offset, and takes the file for corrupt when it comes up again; two other copies outlive that, an only one does
not."""
CONNECT_MS = 1_000
"""A connection says its first words within this. It is how much later than others do we learn who leads now."""
TOPIC_UNKNOWN_S = 10.0
"""A topic that no broker tells of for so long does not exist, which is an error of the installation."""


class PatientProduce(SendProduceReqHandler):  # type: ignore[misc] # aiokafka ships no types
    """One request, whose batches go back into the queue on this error, too."""

    def _can_retry(self, error: BaseException, batch: Any) -> bool:
        if isinstance(error, UnknownError):
            self._default_backoff = PUZZLED_S
            # Somebody else may lead by then.
            self._client.force_metadata_update()
            return True
        return bool(super()._can_retry(error, batch))


class PatientSender(Sender):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's sender with our requests."""

    async def _send_produce_req(self, node_id: int, batches: Mapping[TopicPartition, Any]) -> None:
        await PatientProduce(self, batches).do(node_id)
        self._in_flight.remove(node_id)
        self._muted_partitions.difference_update(batches)


class PromptClient(AIOKafkaClient):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's client with a shorter time-out for the first words of a connection than for all later ones."""

    answer_s = CONNECT_MS / 1000

    async def _get_conn(self, node_id: Any, **options: Any) -> Any:
        connection = await super()._get_conn(node_id, **options)
        if connection is not None:
            connection._request_timeout = self.answer_s
        return connection

    async def _wait_on_metadata(self, topic: str) -> Any:
        """Partitions of a topic. One that nobody asked for before an outage is not unknown because of it."""
        give_up = time.monotonic() + TOPIC_UNKNOWN_S
        while True:
            try:
                return await super()._wait_on_metadata(topic)
            except UnknownTopicOrPartitionError:
                if time.monotonic() > give_up:
                    raise


def be_patient(producer: Any, identities: Any) -> None:
    """Prepare an idempotent producer that was not started yet, under these identities."""
    sender, accumulator = producer._sender, producer._message_accumulator
    accumulator._batch_ttl = math.inf
    client = producer.client
    client.__class__ = PromptClient
    client.answer_s, client._request_timeout_ms = client._request_timeout_ms / 1000, CONNECT_MS
    producer._txn_manager = accumulator._txn_manager = identities
    producer._sender = PatientSender(
        sender.client,
        acks=sender._acks,
        txn_manager=identities,
        message_accumulator=accumulator,
        retry_backoff_ms=sender._retry_backoff * 1000,
        request_timeout_ms=sender._request_timeout_ms,
    )
