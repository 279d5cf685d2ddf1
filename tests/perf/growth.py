"""Part (e): what the converse stage costs per event as conversations become many and long, at one fixed rate.

The real worker finds its table on the changelog, then turns come at a fixed rate, each in another conversation, one
event per conversation and batch. Memory is that of the worker after it.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from statistics import median

from streams.app import build_topics
from streams.engine.partitioner import partition_of
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.memory_view import MemoryTable
from tests.perf import changelogs, machine, seeds
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import PARTITIONS, Ground, write_chunk
from tests.perf.seeds import EVENTS_OF_A_TURN, Author, LogRecord

TURNS_PER_S = 100
WAVE_S = 0.05
TURNS_A_WAVE = int(TURNS_PER_S * WAVE_S)
WAVES_BETWEEN_EVENTS = 6
"""The next event of a turn comes that much later, so that no batch holds two of one conversation."""
OWN_EVENTS_OF_A_TURN = 2
"""reply_requested and message_planned: the worker reads them back."""
READ_WITHIN_S = 20.0
READY_WITHIN_S = 240.0
"""Longer than is promised: what took too long shall be told, not hidden."""


@dataclass(frozen=True)
class Cell:
    """So many conversations with so many messages of history."""

    conversations: int
    messages: int

    @property
    def name(self) -> str:
        return f"{self.conversations:,} conversations of {self.messages} messages"


@dataclass(frozen=True)
class Outcome:
    """One run of one cell."""

    cpu_us: float
    bytes_a_turn: float
    rss_mb: float
    ready_s: float


BASE = Cell(1_000, 2)
FULL = (BASE, Cell(10_000, 2), Cell(100_000, 2), Cell(1_000, 50))
MEMORY = Cell(100_000, 20)
QUICK = (BASE, Cell(10_000, 2), Cell(1_000, 50))
SECONDS = 10.0
"""At ``TURNS_PER_S`` that is a turn of each conversation of the smallest cell."""
QUICK_SECONDS = 3.0
MEMORY_MB_MAX = 1_024
RECOVERED_WITHIN_S = 60


async def run(ground: Ground) -> list[Figure]:
    """Every cell beside the smallest, and, in full, memory and recovery of the largest."""
    cells = QUICK if ground.is_quick else FULL
    seconds = QUICK_SECONDS if ground.is_quick else SECONDS
    found: dict[Cell, list[Outcome]] = {cell: [] for cell in cells}
    for pair in range(ground.pairs):
        measures = [_measure(ground, cell, seconds) for cell in cells]
        # Side by side they share what disturbs them; in full the largest would take too much from the others.
        outcomes = await asyncio.gather(*measures) if ground.is_quick else [await measure for measure in measures]
        for cell, outcome in zip(cells, outcomes, strict=True):
            found[cell].append(outcome)
            ground.say(f"growth {pair + 1}/{ground.pairs}: {cell.name}: {outcome}")
    figures = [figure for cell in cells[1:] for figure in _beside_base(cell, found)]
    if not ground.is_quick:
        figures += _largest(await _measure(ground, MEMORY, seconds))
    return figures


def _beside_base(cell: Cell, found: dict[Cell, list[Outcome]]) -> list[Figure]:
    grown, base = found[cell], found[BASE]
    is_wider = cell.conversations > BASE.conversations
    bytes_max = 4_096 + 2 * seeds.NEW_TEXT_BYTES
    return [
        Figure(
            part="growth",
            what=f"converse, {cell.name}",
            unit="CPU µs/event",
            ours=tuple(outcome.cpu_us for outcome in grown),
            yardstick=BASE.name,
            theirs=tuple(outcome.cpu_us for outcome in base),
            wanted=Wanted(1.3) if is_wider else None,
            ratio_key="conversations_flatness" if is_wider else "",
        ),
        Figure(
            part="growth",
            what=f"converse's changelog, {cell.name} (most allowed: {bytes_max})",
            unit="bytes/turn",
            ours=tuple(outcome.bytes_a_turn for outcome in grown),
            yardstick=BASE.name,
            theirs=tuple(outcome.bytes_a_turn for outcome in base),
            wanted=Wanted(bytes_max / median(outcome.bytes_a_turn for outcome in base)),
            value_key="changelog_bytes_per_turn",
        ),
        Figure(
            part="growth",
            what=f"converse's memory, {cell.name}",
            unit="MB",
            ours=tuple(outcome.rss_mb for outcome in grown),
            yardstick=BASE.name,
            theirs=tuple(outcome.rss_mb for outcome in base),
        ),
    ]


def _largest(outcome: Outcome) -> list[Figure]:
    what = f"converse, {MEMORY.name}"
    return [
        Figure("growth", f"{what}: memory", "MB", (outcome.rss_mb,), wanted=Wanted(MEMORY_MB_MAX)),
        Figure("growth", f"{what}: start to first output", "s", (outcome.ready_s,), wanted=Wanted(RECOVERED_WITHIN_S)),
    ]


async def _measure(ground: Ground, cell: Cell, seconds: float) -> Outcome:
    here = Deployment(ground.bootstrap, ground.folder / ground.fresh("growth"), platforms=[seeds.PLATFORM])
    settings = here.product_settings
    author = Author(settings)
    now_ms = int(time.time() * 1000)
    seed = author.seed(cell.messages, now_ms)
    await here.open()
    try:
        topics = build_topics(here.product_settings)
        await ground.fill(topics.changelog("converse"), seeds.changelog(seed, cell.conversations))
        numbers = random.Random(1).sample(range(cell.conversations), int(TURNS_PER_S * seconds))
        turns = [author.turn(seeds.clone(seed, n), seeds.conversation(n), "new", now_ms) for n in numbers]
        began = time.monotonic()
        worker = here.processes["converse"] = here.process("converse")
        await worker.start(wait_ready=False)
        await _lay_first_records(ground, author, topics.events, now_ms)
        ready_s = time.monotonic() - began
        used_s, began_ms = machine.cpu_s(worker.pid), time.time() * 1000
        held = await ground.held(topics.events)
        await _drive(ground, topics.events, turns)
        events = len(turns) * (EVENTS_OF_A_TURN + OWN_EVENTS_OF_A_TURN)
        await eventually(lambda: _expect(ground, topics.events, held + events), timeout_s=READ_WITHIN_S)
        cpu_us = (machine.cpu_s(worker.pid) - used_s) / events * 1e6
        written = await changelogs.written_since(ground.bootstrap, settings, began_ms, ["converse"])
        return Outcome(cpu_us, written["converse"] / len(turns), machine.rss_mb(worker.pid), ready_s)
    finally:
        await here.close()


async def _expect(ground: Ground, topic: str, records: int) -> None:
    held = await ground.held(topic)
    assert held >= records, f"the log has {held} records, {records} are due"


async def _lay_first_records(ground: Ground, author: Author, topic: str, now_ms: int) -> None:
    """Offset 0 of each partition belongs to a conversation that is not counted: seeds count as written at offset 0."""
    first: dict[int, LogRecord] = {}
    number = 0
    while len(first) < PARTITIONS:
        key = f"line_shop_first{number}".encode()
        place = partition_of(key, PARTITIONS)
        if place not in first:
            first[place] = author.turn(MemoryTable(), key, "first", now_ms)[0]
        number += 1
    await ground.fill(topic, [(record.key, record.wire) for record in first.values()])
    # Each asks for an answer, and that request is the second record.
    await eventually(lambda: _expect(ground, topic, 2 * PARTITIONS), timeout_s=READY_WITHIN_S)


async def _drive(ground: Ground, topic: str, turns: list[list[LogRecord]]) -> None:
    """Waves of turns; each wave also brings the next events of earlier ones."""
    waves = [turns[start : start + TURNS_A_WAVE] for start in range(0, len(turns), TURNS_A_WAVE)]
    last = len(waves) + WAVES_BETWEEN_EVENTS * (EVENTS_OF_A_TURN - 1)
    loop = asyncio.get_running_loop()
    async with ground.writing() as writer:
        began = loop.time()
        for number in range(last):
            chunk: list[LogRecord] = []
            for step in range(EVENTS_OF_A_TURN):
                wave = number - step * WAVES_BETWEEN_EVENTS
                if 0 <= wave < len(waves):
                    chunk += [turn[step] for turn in waves[wave]]
            await write_chunk(writer, topic, [(record.key, record.wire) for record in chunk])
            await asyncio.sleep(max(0.0, began + (number + 1) * WAVE_S - loop.time()))
