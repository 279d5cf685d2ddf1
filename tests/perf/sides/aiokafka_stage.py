"""The counting stage written plainly on aiokafka: what the client itself costs.

State in a dictionary, sent to the changelog with every event; all sends are verified before the offsets are committed.
Nothing is recovered, no local store is kept: less than any engine has to do.
"""

import asyncio
import time

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from tests.perf.sides.clock import Clock, Order, read_order, report
from tests.perf.sides.counting import counted


async def run(order: Order) -> None:
    """Until every record is committed."""
    consumer = AIOKafkaConsumer(
        order.source,
        bootstrap_servers=order.bootstrap,
        group_id=order.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=order.bootstrap, acks="all", enable_idempotence=True)
    await consumer.start()
    await producer.start()
    clock = Clock()
    await work(order, consumer, producer, clock)
    report(clock.result())
    await producer.stop()
    await consumer.stop()


async def work(order: Order, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, clock: Clock) -> None:
    """Consume, change state, produce; a checkpoint every ``commit_s``."""
    state: dict[bytes, bytes] = {}
    sent: list[asyncio.Future[object]] = []
    handled, committed_at = 0, time.monotonic()
    while handled < order.records:
        for records in (await consumer.getmany(timeout_ms=100, max_records=2_000)).values():
            clock.begin()
            handled += len(records)
            for record in records:
                new = state[record.key] = counted(state.get(record.key), order.state_bytes)
                sent.append(await producer.send(order.output, key=record.key, value=record.value))
                sent.append(await producer.send(order.changelog, key=record.key, value=new))
        if time.monotonic() - committed_at > order.commit_s or handled >= order.records:
            await asyncio.gather(*sent)
            sent.clear()
            await consumer.commit()
            committed_at = time.monotonic()


if __name__ == "__main__":
    uvloop.run(run(read_order()))
