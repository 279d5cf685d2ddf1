"""Where the measurements take place: a broker, topics that live as long as one run, processes that report one line.

Writes topics with the product's own ``Writer``, so that a conversation's partition is the one that the product expects.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import TopicPartition

from streams.engine.partitioner import partition_of
from streams.engine.writer import WireRecord, Writer

ROOT = Path(__file__).resolve().parents[2]
QUIX_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
PARTITIONS = 8
SIDE_TIMEOUT_S = 600.0
CHUNK_RECORDS = 20_000
LEADERS_WITHIN_S = 20.0


class BenchFailed(Exception):
    """A measurement could not be made; the text says which and why."""


@dataclass
class Ground:
    """A running broker and a folder for all that the runs leave behind. ``pairs``: runs of each comparison."""

    bootstrap: str
    folder: Path
    is_quick: bool
    pairs: int
    _runs: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def say(self, text: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def fresh(self, name: str) -> str:
        """A name that no other run has."""
        return f"bench{os.getpid()}-{name}-{next(self._runs)}"

    @asynccontextmanager
    async def topics(self, *names: str, config: Mapping[str, str] | None = None) -> AsyncIterator[None]:
        """Topics with ``PARTITIONS`` partitions, gone afterwards."""
        async with admin_of(self.bootstrap) as admin:
            await admin.create_topics(
                [NewTopic(name, PARTITIONS, 1, topic_configs=dict(config or {})) for name in names]
            )
            await _leaders(admin, names)
            try:
                yield
            finally:
                await admin.delete_topics(list(names))

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Writer]:
        """The product's writer; a failed delivery fails the bench."""

        def fail(error: BaseException) -> None:
            raise BenchFailed(f"a record could not be written: {error!r}") from error

        writer = Writer(self.bootstrap, client_id="bench", on_failure=fail)
        await writer.start()
        try:
            yield writer
        finally:
            await writer.stop()

    async def fill(self, topic: str, records: Iterable[tuple[bytes, WireRecord]]) -> None:
        """Write (conversation key, record) pairs, each to the partition of the key."""
        async with self.writing() as writer:
            remaining = iter(records)
            while chunk := list(islice(remaining, CHUNK_RECORDS)):
                await write_chunk(writer, topic, chunk)

    async def held(self, topic: str) -> int:
        """How many records a topic has; 0 where there is none."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            return sum((await consumer.end_offsets(places)).values())
        finally:
            await consumer.stop()


async def write_chunk(writer: Writer, topic: str, chunk: Sequence[tuple[bytes, WireRecord]]) -> None:
    """All of them, acknowledged."""
    batches: dict[int, list[WireRecord]] = {}
    for key, record in chunk:
        batches.setdefault(partition_of(key, PARTITIONS), []).append(record)
    await asyncio.gather(*(writer.write(topic, number, batch) for number, batch in batches.items()))


@asynccontextmanager
async def admin_of(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client, closed afterwards."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _leaders(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    async with asyncio.timeout(LEADERS_WITHIN_S):
        while True:
            found = await admin.describe_topics(list(names))
            if all(topic["partitions"] and all(p["leader"] >= 0 for p in topic["partitions"]) for topic in found):
                return
            await asyncio.sleep(0.05)


async def run_side(module: str, *arguments: str, python: Path = Path(sys.executable)) -> dict[str, Any]:
    """Run ``python -m module`` to its end; the JSON object of its last line. Raises BenchFailed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        str(python), "-m", module, *arguments,
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    with killed(process):
        try:
            out, err = await asyncio.wait_for(process.communicate(), SIDE_TIMEOUT_S)
        except TimeoutError as error:
            raise BenchFailed(f"{module} did not end within {SIDE_TIMEOUT_S:.0f} s") from error
    lines = out.decode().splitlines()
    if process.returncode or not lines:
        raise BenchFailed(f"{module} ended with {process.returncode}:\n{err.decode()[-3000:]}")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


@contextmanager
def killed(process: asyncio.subprocess.Process) -> Iterator[None]:
    """Whatever happens, the process does not outlive this."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
