"""Records that no stage can handle, put straight onto its topic among good ones, and what became of each.

A record is followed by its place: the dead letter that names topic, partition and offset is its own.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer

from schemas import headers as names
from streams.topics import Topics
from tests.harness.topics import Stored

Value = Callable[[random.Random], bytes | None]

VALUES: tuple[Value, ...] = (
    lambda _: None,
    lambda _: b"",
    lambda _: b"null",
    lambda _: b"[]",
    lambda _: b"{}",
    lambda _: b'"text"',
    lambda _: b"9" * 5_000,
    lambda _: b"[" * 100_000,
    lambda _: b'{"id":1,"id":',
    lambda _: b'{"type":"message_received","version":99,"data":{}}',
    lambda _: '{"peer":"é'.encode("utf-16"),
    lambda chances: chances.randbytes(64),
    lambda chances: b'{"enclosing":' + chances.randbytes(8) + b"}",
)
"""What may lie on a topic when somebody writes there by hand: nothing of it is a record of ours."""


def poisoned_topics(topics: Topics, platforms: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The topics that a stage reads, by stage: each of the four that every message passes gets as much poison as the
    others. One that has little else to read (a profile for each new contact) gets little: a stage stops, rightly, when
    there is nothing good among its last hundred records."""
    inbound = tuple(topics.inbound(name) for name in platforms)
    outbound = tuple(topics.outbound(name) for name in platforms)
    return (inbound, (topics.events,), (topics.ai_requests,), outbound) * 5 + ((topics.fetch,),)


@dataclass
class Poison:
    """What was written: value and time (Unix ms) by place."""

    chances: random.Random
    topics: tuple[tuple[str, ...], ...]
    keys: Sequence[bytes]
    written: dict[tuple[str, int, int], tuple[bytes | None, float]] = field(default_factory=dict)

    async def write(self, producer: AIOKafkaProducer) -> None:
        """One more, mostly into the conversation of somebody who is writing now."""
        topic = self.chances.choice(self.chances.choice(self.topics))
        value = self.chances.choice(VALUES)(self.chances)
        # A record needs a key or a value for Kafka to take it; one in twenty belongs to nobody.
        key = None if value and self.chances.random() < 0.05 else self.chances.choice(self.keys)
        at_ms = time.time() * 1000
        stored = await producer.send_and_wait(topic, value, key=key, headers=self._headers())
        self.written[topic, stored.partition, stored.offset] = (value, at_ms)

    async def write_to(self, producer: AIOKafkaProducer, topics: Sequence[str]) -> None:
        """Every kind onto topics that processes read whole, where nothing becomes a dead letter."""
        for topic in topics:
            for value in VALUES:
                await producer.send_and_wait(topic, value(self.chances), key=self.keys[0], headers=self._headers())

    def _headers(self) -> list[tuple[str, bytes]]:
        whole = [(names.SCHEMA, b"any/1"), (names.CHANNEL, b"shop"), (names.RECEIVED_AT, b"1790000000000.5")]
        return self.chances.choice([whole, whole, [], [(names.CHANNEL, b"\xff"), (names.RECEIVED_AT, b"soon")]])

    def is_own(self, record: Stored) -> bool:
        """Whether a record of a topic is one of these."""
        return (record.topic, record.partition, record.offset) in self.written

    def ages_s(self, letters: Sequence[Stored]) -> dict[tuple[str, int, int], float]:
        """Seconds until each became a dead letter, with its value unchanged."""
        found: dict[tuple[str, int, int], float] = {}
        for letter in letters:
            place = (letter.header(names.DEAD_TOPIC), *_place(letter))
            if place in self.written:
                value, at_ms = self.written[place]
                assert (letter.value or b"") == (value or b""), f"the dead letter of {place} is not what it was"
                found.setdefault(place, (int(letter.header(names.DEAD_TIME)) - at_ms) / 1000)
        return found


def _place(letter: Stored) -> tuple[int, int]:
    return int(letter.header(names.DEAD_PARTITION)), int(letter.header(names.DEAD_OFFSET))
