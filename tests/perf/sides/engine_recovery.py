"""Our engine comes up on an empty folder: how long until the table of the counting stage is as its changelog says.

The time runs from the moment when Faust starts recovery (partitions are assigned and fenced) to readiness.
"""

import asyncio
import time
from typing import Any

import uvloop

from tests.perf.sides.clock import Clock, Order, read_order, report
from tests.perf.sides.engine_stage import Count, runtime_of


async def run(order: Order) -> None:
    """Recover, say how long it took, stop."""
    runtime = runtime_of(order, Count(order, Clock()))
    stop = asyncio.Event()

    async def ready() -> None:
        tables: Any = runtime.app.tables
        wall_s = time.monotonic() - tables.recovery._recovery_started_at
        held = sum(1 for store in runtime.engine.stores.values() for _ in store.dump())
        report({"wall_s": wall_s, "held": held})
        stop.set()

    await runtime.run(until=stop, on_ready=ready)


if __name__ == "__main__":
    uvloop.run(run(read_order()))
