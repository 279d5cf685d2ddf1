"""The counting stage on Faust as its documentation shows it: an agent, a table on RocksDB, a topic to send to.

Its producer is not idempotent in at-least-once mode, and its flush gives up early: it promises less than the others.
"""

import asyncio
import logging
import os
from typing import Any

import faust

from tests.perf.sides.clock import Clock, Order, read_order, report
from tests.perf.sides.counting import counted

POLL_S = 0.05


def build(order: Order, clock: Clock) -> faust.App:
    """The app with its agent."""
    app = faust.App(
        order.group,
        broker=f"kafka://{order.bootstrap}",
        store="rocksdb://",
        datadir=order.folder,
        web_enabled=False,
        topic_partitions=order.partitions,
        topic_replication_factor=1,
        broker_commit_interval=order.commit_s,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes}
    source, output = app.topic(order.source, **raw), app.topic(order.output, **raw)
    table: Any = app.Table(
        "count", partitions=order.partitions, options={"driver": "rocksdict"}, on_window_close=None, **raw
    )

    async def count(stream: Any) -> None:
        async for event in stream.events():
            clock.begin()
            table[event.key] = counted(table.get(event.key), order.state_bytes)
            await output.send(key=event.key, value=event.value)

    app.agent(source, name="count")(count)
    return app


async def run(order: Order) -> None:
    """Until every record is committed; its slow end is nobody's business here."""
    clock = Clock()
    app: Any = build(order, clock)
    app.finalize()
    await app.start()
    while sum(offset or 0 for offset in app.consumer._committed_offset.values()) < order.records:
        await asyncio.sleep(POLL_S)
    report(clock.result())
    os._exit(0)


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    asyncio.run(run(read_order()))
