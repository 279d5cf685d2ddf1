"""recovery: converse loses its local store and is killed twice while it recovers; the state is the same in the end.

Model: the changelog is the state; the local store is a copy that may be behind or gone. Recovery that is cut short goes
on from what is stored. Detected by comparing the store, opened when the worker has ended, with the changelog key by
key, and the changelog with a fold of the log. Kills count when the worker had begun to recover and was not ready.
Figure: "table recovery" of the table of drills.
"""

import asyncio
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from connectors.registry import platform_named
from schemas.content import TextContent
from schemas.events import MessageReceived
from schemas.ids import conversation_id, event_id
from schemas.registry import EVENT_MODELS, encode
from streams.app import STAGES, build_topics
from streams.engine.partitioner import partition_of
from streams.engine.store import PartitionStore
from tests.fault.drill_frame import Frame
from tests.fault.fleet import Fleet
from tests.harness.deployment import CHANNEL
from tests.harness.eventually import eventually
from tests.harness.processes import Process
from tests.harness.tables import Table, read_table
from tests.harness.topics import producing, read_topic

PLATFORM = "line"
FENCED = "fenced "
"""What a worker logs when it is about to read its changelogs."""
WRITTEN_AT_ONCE = 2_000
WARM_READY_S_MAX = 5.0
"""Promised for a tenth of the full form's conversations."""


async def run(frame: Frame) -> None:
    """Build a state, kill, delete, kill, kill, recover, compare."""
    conversations = int(frame.scaled("conversations", 100_000, 4_000))
    # The short form's changelog comes back in some 0.2 s, that of the full form in some 5 s.
    within_s = frame.scaled("kill_within_s", 0.5, 0.05)
    frame.plan_faults(4)
    async with Fleet(frame, static=STAGES, stages=("converse",), platforms=[PLATFORM]).running() as fleet:
        await _write_messages(fleet, conversations)
        frame.measure("state_built_s", await fleet.drained())
        converse = fleet.it.processes["converse"]
        await fleet.it.table_equals_fold(timeout_s=60)
        changelog = build_topics(fleet.it.product_settings).changelog("converse")
        table = await read_table(fleet.it.bootstrap, changelog)
        frame.accept(len(table))
        await _lose_everything(frame, fleet, converse)
        for _ in range(2):
            await _kill_in_recovery(frame, converse, within_s=within_s)
        await converse.start()
        await _expect_same(frame, fleet, table)
        shutil.rmtree(_folder(fleet))
        await _measure_recovery(frame, fleet, converse)
        await _expect_same(frame, fleet, table)
        await _measure_warm_start(frame, fleet, converse)


async def _write_messages(fleet: Fleet, conversations: int) -> None:
    """One message of each conversation, straight onto the log: enough for a state, cheaper than a webhook each."""
    topics = build_topics(fleet.it.product_settings)
    prefix = platform_named(PLATFORM).prefix
    async with producing(fleet.it.bootstrap) as producer:
        for start in range(0, conversations, WRITTEN_AT_ONCE):
            sent = []
            for number in range(start, min(start + WRITTEN_AT_ONCE, conversations)):
                key = conversation_id(prefix, CHANNEL, f"U{number:032x}")
                sent.append(await producer.send(topics.events, _event(key, number), key=key.encode()))
            await asyncio.gather(*sent)


def _event(conversation: str, number: int) -> bytes:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    data = MessageReceived(
        message_id=f"m{number}",
        sender_id=f"U{number:032x}",
        recipient_id="bot",
        content=TextContent(text=f"question {number}, with some words so that the state has a usual size"),
    )
    identity = event_id(PLATFORM, CHANNEL, "message_received", f"m{number}")
    return encode(
        EVENT_MODELS["message_received"](
            id=identity,
            type="message_received",
            conversation_id=conversation,
            platform=PLATFORM,
            channel=CHANNEL,
            occurred_at=now_ms,
            recorded_at=now_ms,
            correlation_id=identity,
            data=data,
        )
    )


def _folder(fleet: Fleet) -> Path:
    return fleet.it.folder / "converse" / "tables" / f"{fleet.it.prefix}converse-converse-converse"


async def _lose_everything(frame: Frame, fleet: Fleet, converse: Process) -> None:
    await converse.kill()
    if converse.exits[-1] == -9:
        frame.saw_fault("converse killed")
    folder = _folder(fleet)
    if folder.is_dir():
        shutil.rmtree(folder)
        frame.saw_fault("the local store is gone")


async def _kill_in_recovery(frame: Frame, converse: Process, *, within_s: float) -> None:
    """Start, and kill as soon as the changelogs are about to be read, or a little later."""
    fences = converse.log.read_text().count(FENCED)
    await converse.start(wait_ready=False)
    await _fenced_again(converse, fences)
    await asyncio.sleep(frame.random.uniform(0, within_s))
    was_ready = converse.has_said_ready
    await converse.kill()
    if not was_ready:
        frame.saw_fault("converse killed while it recovered")


async def _measure_recovery(frame: Frame, fleet: Fleet, converse: Process) -> None:
    """From nothing: the rate counts from the fencing of the changelogs until the worker is ready."""
    changelog = build_topics(fleet.it.product_settings).changelog("converse")
    records = len(await read_topic(fleet.it.bootstrap, changelog))
    began = time.monotonic()
    fenced_at = await _start_noting_fence(converse)
    ready_at = time.monotonic()
    frame.measure("changelog_records", records)
    frame.measure("ready_again_s", ready_at - began, limit=60.0)
    frame.measure("recovery_records_per_s", records / (ready_at - fenced_at))


async def _measure_warm_start(frame: Frame, fleet: Fleet, converse: Process) -> None:
    """With everything in its store, as after an ordinary restart."""
    await converse.start()
    frame.measure("warm_ready_s", converse.ready_s[-1], limit=None if frame.is_quick else WARM_READY_S_MAX)
    await fleet.terminate("converse")


async def _start_noting_fence(converse: Process) -> float:
    """Start and wait until ready; the time (monotonic) when the changelogs were fenced."""
    fences = converse.log.read_text().count(FENCED)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(converse.start())
        await _fenced_again(converse, fences)
        return time.monotonic()


async def _fenced_again(converse: Process, fences: int) -> None:
    """Wait until the log tells of one more."""

    def is_fenced() -> None:
        assert converse.log.read_text().count(FENCED) > fences, converse.tail()

    await eventually(is_fenced, timeout_s=60, interval_s=0.01)


async def _expect_same(frame: Frame, fleet: Fleet, table: Table) -> None:
    """End the worker and compare its stores with what the table was."""
    await fleet.terminate("converse")
    changelog = build_topics(fleet.it.product_settings).changelog("converse")
    _compare(frame, table, stored(_folder(fleet), changelog, fleet.it.product_settings.partitions))


def stored(folder: Path, changelog: str, partitions: int) -> Table:
    """What the local stores hold, conversation by conversation."""
    table: Table = {}
    for number in range(partitions):
        store = PartitionStore(folder / str(number), changelog=changelog, partition=number)
        for conversation, name, value in store.dump():
            assert partition_of(conversation, partitions) == number, f"{conversation!r} is in partition {number}"
            if value.data is not None:
                table.setdefault(conversation.decode(), {})[name] = value.data
        store.close()
    return table


def _compare(frame: Frame, expected: Table, found: Table) -> None:
    wrong: Sequence[str] = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    frame.measure_worst("conversations_differing", len(wrong), limit=0)
    frame.require(not wrong, f"{len(wrong)} conversations differ from the table before")
    frame.lose(len(expected.keys() - found.keys()))
    if wrong:
        frame.say(f"{wrong[0]}: expected {expected.get(wrong[0])}, found {found.get(wrong[0])}")
