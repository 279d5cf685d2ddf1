"""Fetches as a stage wants them: incremental, and asked for by whoever takes the records.

aiokafka reads with a task of its own, names every partition in every fetch and is told of every one again. What that
costs grows with the partitions: with 64 of each topic and six platforms an answer took twice as long (ADR 8).
Positions, leaders, errors and the parsing of batches stay aiokafka's; ``tests/integration/test_fetching.py`` fails when
a release changes what is built upon.
"""

import asyncio
import logging
from collections.abc import Collection
from functools import partial
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.protocol.fetch import FetchRequest

from streams.engine.fetch_session import FIRST_VERSION, FetchSession, IncrementalRequest

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.02
"""Small beside the wait of a fetch."""


class FetchingClient(AIOKafkaClient):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's client, whose fetches are incremental. aiokafka's fetcher asks each broker one thing at a time."""

    sessions: dict[int, FetchSession]

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:
        if type(request) is not FetchRequest:
            return await super().send(node_id, request, **options)
        session = self.sessions.setdefault(node_id, FetchSession())
        try:
            answer = await super().send(node_id, IncrementalRequest(request, session), **options)
        except BaseException:
            session.forget()
            raise
        if answer.API_VERSION >= FIRST_VERSION:
            session.hear(answer.session_id)
        return answer


class PromptFetcher(Fetcher):  # type: ignore[misc] # aiokafka ships no types
    """aiokafka's fetcher, asked by whoever takes the records instead of by a task in between.

    That task wakes up twice per fetch and looks at every partition each time. It goes on finding positions and leaders,
    which is rare.
    """

    _asked: dict[int, asyncio.Task[bool]]
    """By node: the fetch that it has not answered yet, one at a time."""

    async def close(self) -> None:
        await super().close()
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    def _get_actions_per_node(self, assignment: Any) -> tuple[list[Any], dict[int, list[Any]], float, bool, list[Any]]:
        """For aiokafka's task: only what is to be done about positions and leaders, no fetches."""
        _, lost, _, is_leader_unknown, _ = super()._get_actions_per_node(assignment)
        return [], lost, self._fetcher_timeout, is_leader_unknown, []

    async def fetched_records(
        self, partitions: Collection[Any], timeout: float = 0, max_records: int | None = None
    ) -> dict[Any, list[Any]]:
        """Records of these partitions (of all when empty), each one's in order, as soon as there are any; none when
        ``timeout`` seconds have passed. Raises what aiokafka's own raises."""
        give_up = self._loop.time() + timeout
        while not self._closed:
            if self._subscriptions.reassignment_in_progress:
                await self._subscriptions.wait_for_assignment()
            drained = self._take(partitions, max_records)
            if drained:
                return drained
            self._ask()
            left_s = give_up - self._loop.time()
            if left_s <= 0:
                break
            # With nothing to wait for, a partition may get its position, be resumed, or have its records taken.
            await self._news(left_s if self._asked else min(left_s, LOOK_AGAIN_S))
        return {}

    async def _news(self, timeout_s: float) -> None:
        """Wait for records or an error, which is raised, but no longer than this."""
        waiter = self._create_fetch_waiter()
        alarm = self._loop.call_later(timeout_s, self._notify, waiter)
        try:
            await waiter
        finally:
            alarm.cancel()

    def _take(self, partitions: Collection[Any], max_records: int | None) -> dict[Any, list[Any]]:
        drained: dict[Any, list[Any]] = {}
        for place in list(self._records):
            if partitions and place not in partitions:
                if not self._subscriptions.is_assigned(place):
                    del self._records[place]
                continue
            result = self._records[place]
            if type(result) is not FetchResult:
                if not drained:
                    del self._records[place]
                    result.check_raise()
                break
            records = result.getall(max_records)
            if not result.has_more():
                del self._records[place]
            if records:
                drained[place] = records
                if max_records is not None:
                    max_records -= len(records)
                    if max_records <= 0:
                        break
        return drained

    def _ask(self) -> None:
        """Ask every node that owes no answer; where records wait to be taken, no more are asked for."""
        subscription = self._subscriptions.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or not assignment.active or self._closed:
            return
        leader_of = self._client.cluster.leader_for_partition
        wanted: dict[int, dict[str, list[tuple[int, int, int]]]] = {}
        for place, state in assignment._tp_state.items():
            node = leader_of(place)
            if node in self._asked or node is None or node == -1:
                continue
            if state._position is not None and not state._paused and place not in self._records:
                ask = (place.partition, state._position, self._max_partition_fetch_bytes)
                wanted.setdefault(node, {}).setdefault(place.topic, []).append(ask)
        for node, topics in wanted.items():
            request = FetchRequest(
                self._fetch_max_wait_ms,
                self._fetch_min_bytes,
                self._fetch_max_bytes,
                self._isolation_level,
                list(topics.items()),
            )
            task = self._asked[node] = self._loop.create_task(self._proc_fetch_request(assignment, node, request))
            task.add_done_callback(partial(self._answered, node))

    def _answered(self, node: int, task: asyncio.Task[bool]) -> None:
        del self._asked[node]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.critical("fetching from node %d failed", node, exc_info=error)
            # As with aiokafka's own: whoever looks after the fetcher sees that it has ended.
            self._fetch_task.cancel()
        elif task.result():
            for waiter in self._fetch_waiters:
                self._notify(waiter)
        elif self._fetch_waiters:
            self._ask()


def fetch_incrementally(consumer: Any) -> None:
    """Prepare an aiokafka consumer that was not started yet; ``fetch_promptly`` once it was."""
    consumer._client.__class__ = FetchingClient
    consumer._client.sessions = {}


def fetch_promptly(consumer: Any) -> None:
    """The second half of it, for a consumer that was just started."""
    consumer._fetcher.__class__ = PromptFetcher
    consumer._fetcher._asked = {}
