"""Part (a): CPU per event of one stage, on our engine, on bare aiokafka, on Faust as shipped, on Quix Streams.

All read the same records from one topic, keep the same state per key with a changelog, write the same outputs, commit
as often, with acks=all, and their outputs are counted afterwards.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import executable

from streams.engine.writer import WireRecord
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import PARTITIONS, QUIX_PYTHON, BenchFailed, Ground, run_side
from tests.perf.sides.clock import Order

VALUE = b"y" * 100
STATE_BYTES = 100
SIDES = {"ours": "engine", "aiokafka": "aiokafka", "quix": "quix", "faust": "faust"}
"""In the order in which a round runs them."""
FAUST_SHARE = 20
"""Stock Faust reads so much less, the first of the same records in a topic of their own: all would take minutes, and
its commit waits for a pause in producing, which it only finds at the topic's end."""


@dataclass(frozen=True)
class Size:
    """How much is read."""

    records: int
    keys: int


FULL = Size(200_000, 100_000)
QUICK = Size(24_000, 12_000)


async def run(ground: Ground) -> list[Figure]:
    """One figure per yardstick; our own µs are the same in all."""
    size = QUICK if ground.is_quick else FULL
    sides = [name for name in SIDES if not (ground.is_quick and name == "faust")]
    source = ground.fresh("source")
    found: dict[str, list[float]] = {name: [] for name in sides}
    beginning = ground.fresh("beginning")
    async with ground.topics(source, beginning):
        await ground.fill(source, _records(size.records, size.keys))
        await ground.fill(beginning, _records(size.records // FAUST_SHARE, size.keys))
        for pair in range(ground.pairs):
            for name in sides:
                is_faust = name == "faust"
                records = size.records // FAUST_SHARE if is_faust else size.records
                found[name].append(await _cpu_us(ground, name, beginning if is_faust else source, records))
                ground.say(f"stage {pair + 1}/{ground.pairs}: {name} {found[name][-1]:.1f} µs an event")
    wanted = {"aiokafka": Wanted(0.6), "quix": Wanted(0.5), "faust": None}
    return [
        Figure(
            part="stage",
            what=f"one stage, {size.records:,} records, {size.keys:,} keys",
            unit="CPU µs/event",
            ours=tuple(found["ours"]),
            yardstick=name,
            theirs=tuple(found[name]),
            wanted=wanted[name],
            ratio_key={"aiokafka": "stage_vs_aiokafka", "quix": "stage_vs_quix"}.get(name, ""),
        )
        for name in sides
        if name != "ours"
    ]


async def _cpu_us(ground: Ground, name: str, source: str, records: int) -> float:
    group = ground.fresh(name)
    changelog = f"{group}-count-changelog"
    folder = ground.folder / group
    order = Order(
        bootstrap=ground.bootstrap,
        source=source,
        output=f"{group}.output",
        changelog=changelog,
        group=group,
        folder=str(folder),
        records=records,
        partitions=PARTITIONS,
        state_bytes=STATE_BYTES,
    )
    async with ground.topics(order.output, changelog):
        result = await run_side(
            f"tests.perf.sides.{SIDES[name]}_stage",
            order.to_json(),
            python=QUIX_PYTHON if name == "quix" else Path(executable),
        )
        written = await ground.held(order.output)
    shutil.rmtree(folder, ignore_errors=True)
    if written < records:
        raise BenchFailed(f"{name} says that it is done and has written {written} of {records} outputs")
    return float(result["cpu_s"]) / records * 1e6


def _records(records: int, keys: int) -> Iterator[tuple[bytes, WireRecord]]:
    for number in range(records):
        key = b"user-%d" % (number % keys)
        yield key, (key, VALUE, [])
