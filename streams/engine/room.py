"""How much a stage has in hand of each source topic, and which topics are not read on for now.

The limit holds per topic, so that one platform's outage, whose messages all wait in ``send``, holds up no other
platform. Bounds what is in memory at (limit + one fetch) records for each topic.
"""

import asyncio
from collections.abc import Callable, Iterable


class Room:
    """Counts records from their reading to their acknowledgement. ``full`` names the topics that are at their limit;
    ``is_free`` is set while there is any other; ``on_room`` is told of a topic that may be read on."""

    def __init__(self, topics: Iterable[str], records_max: int) -> None:
        self._records_max = records_max
        self._in_hand = dict.fromkeys(topics, 0)
        self.total = 0
        self.full: set[str] = set()
        self.is_free = asyncio.Event()
        self.is_free.set()
        self.on_room: Callable[[set[str]], None] = lambda _: None

    def take(self, topic: str, count: int) -> None:
        """So many more of this topic are in hand."""
        self.total += count
        self._in_hand[topic] += count
        if self._in_hand[topic] >= self._records_max:
            self.full.add(topic)
            if len(self.full) == len(self._in_hand):
                self.is_free.clear()

    def give_back(self, topic: str, count: int) -> None:
        """So many of this topic are done."""
        self.total -= count
        self._in_hand[topic] -= count
        if topic in self.full and self._in_hand[topic] < self._records_max:
            self.full.discard(topic)
            self.is_free.set()
            self.on_room({topic})

    def clear(self) -> None:
        """Nothing is in hand any more."""
        self.total = 0
        self._in_hand = dict.fromkeys(self._in_hand, 0)
        full, self.full = self.full, set()
        self.is_free.set()
        if full:
            self.on_room(full)
