"""Six known bugs on order. ``IRIS_SEEDED_BUG`` names one, and the process has it; the history checker must notice.

For tests only (``tests/fault/test_seeded_bugs.py``): a checker that has never caught anything proves nothing. Reads the
environment once, at import; without the variable each place costs one comparison of strings.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka.structs import TopicPartition

BUGS = {
    "fetch_dropped_after_rebalance": "the first fetch of every assignment is dropped and not read again",
    "ack_on_exception": "a record whose handling raised is acknowledged and forgotten",
    "unkeyed_produce": "intake spreads the records of a conversation over all partitions",
    "deduplication_off": "converse takes a second copy of an event for a new one",
    "answer_before_acks": "intake answers 2xx and writes the records later",
    "offset_before_outputs": "a pure stage acknowledges its records before their outputs are written",
}
WRITTEN_LATER_S = 0.5
"""A producer's linger, as somebody might set it for throughput."""

_bug = os.environ.get("IRIS_SEEDED_BUG", "")
if _bug:
    if _bug not in BUGS:
        raise ValueError(f"IRIS_SEEDED_BUG={_bug!r}: there are {', '.join(BUGS)}; unset it outside of tests")
    os.write(2, f"IRIS_SEEDED_BUG: {_bug}: {BUGS[_bug]}; unset it outside of tests\n".encode())

_dropped: set[tuple[int, TopicPartition]] = set()
_later: set[asyncio.Task[None]] = set()


def seeded(name: str) -> bool:
    """Whether this process has the bug."""
    return _bug == name


def drops_fetch(epoch: int, place: TopicPartition) -> bool:
    """``fetch_dropped_after_rebalance``: true once per assignment and partition."""
    if not seeded("fetch_dropped_after_rebalance") or (epoch, place) in _dropped:
        return False
    _dropped.add((epoch, place))
    return True


def scattered(partitions: int) -> int:
    """``unkeyed_produce``: any partition."""
    return random.randrange(partitions)


async def write_later(write: Awaitable[None]) -> None:
    """``answer_before_acks``: the write happens behind the answer's back."""

    async def wait_and_write() -> None:
        await asyncio.sleep(WRITTEN_LATER_S)
        await write

    task = asyncio.create_task(wait_and_write())
    _later.add(task)
    task.add_done_callback(_later.discard)


async def commit_first(acknowledge: Callable[[], None], trackers: Sequence[Any]) -> None:
    """``offset_before_outputs``: acknowledge, and go on when the broker has the offsets."""
    acknowledge()
    while any(tracker.committable is not None for tracker in trackers):
        await asyncio.sleep(0.01)
