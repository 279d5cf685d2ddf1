"""Part (f): records of 1 KiB that come back from a changelog per second when the local store is gone."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

from schemas import headers
from streams.engine import keys
from streams.engine.writer import WireRecord
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import PARTITIONS, BenchFailed, Ground, run_side
from tests.perf.sides.clock import Order

RECORDS = 300_000
QUICK_RECORDS = 40_000
VALUE = b"z" * 1024


async def run(ground: Ground) -> list[Figure]:
    """Ours and the plain loop read the same changelog, each into a folder of its own."""
    records = QUICK_RECORDS if ground.is_quick else RECORDS
    group = ground.fresh("recovery")
    order = Order(
        bootstrap=ground.bootstrap,
        source=f"{group}.source",
        output=f"{group}.output",
        changelog=f"{group}-count-changelog",
        group=group,
        folder="",
        records=records,
        partitions=PARTITIONS,
        state_bytes=0,
    )
    ours: list[float] = []
    bare: list[float] = []
    async with ground.topics(order.source, order.output, order.changelog):
        await ground.fill(order.changelog, _changelog(records))
        for pair in range(ground.pairs):
            ours.append(await _rate(ground, "engine", order))
            bare.append(await _rate(ground, "rocksdb", order))
            ground.say(f"recovery {pair + 1}/{ground.pairs}: ours {ours[-1]:.0f}, plain loop {bare[-1]:.0f} records/s")
    return [
        Figure(
            part="recovery",
            what=f"recovery of {records:,} records of 1 KiB",
            unit="records/s",
            ours=tuple(ours),
            wanted=Wanted(50_000, is_minimum=True),
            value_key="recovery_records_per_s",
        ),
        Figure(
            part="recovery",
            what="the same beside aiokafka and RocksDB without an engine",
            unit="records/s",
            ours=tuple(ours),
            yardstick="plain loop",
            theirs=tuple(bare),
        ),
    ]


async def _rate(ground: Ground, side: str, order: Order) -> float:
    folder = ground.folder / ground.fresh(side)
    result = await run_side(f"tests.perf.sides.{side}_recovery", replace(order, folder=str(folder)).to_json())
    shutil.rmtree(folder)
    if result["held"] < order.records:
        raise BenchFailed(f"{side} says that it has recovered and holds {result['held']} of {order.records} records")
    return order.records / float(result["wall_s"])


def _changelog(records: int) -> Iterator[tuple[bytes, WireRecord]]:
    for number in range(records):
        key = b"line_shop_user-%d" % number
        yield key, (keys.full_key(key, b""), VALUE, [(headers.POSITION, b"%d" % number)])
