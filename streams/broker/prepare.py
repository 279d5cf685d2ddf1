"""Makes a runtime ready for quick starts: jars by Maven, then a class archive by letting a broker run a moment.

Reads and writes the cache described in ``runtime``; the practice broker lives in a temporary directory.
The JVM spends most of a broker's start on loading and verifying some 10,000 classes. An archive of them ("java" manual
page, -XX:ArchiveClassesAtExit) takes a start from 2.0 s to 1.1 s, and from 3.2 s to 1.9 s of CPU.
"""

import asyncio
import logging
import tempfile
from pathlib import Path

from streams.broker.config import NodePorts, node_properties
from streams.broker.errors import BrokerStartFailed
from streams.broker.node import Node
from streams.broker.ports import LOOPBACK, free_ports
from streams.broker.probe import describe_cluster
from streams.broker.runtime import Runtime, archive_path, cached_runtime, prepared_jars, with_archive

logger = logging.getLogger(__name__)

PRACTICE_TIMEOUT_S = 60.0
PRACTICE_CLUSTER_ID = "iris-practice-broker-0"
"""Kafka wants 22 characters of URL-safe base64."""


def prepare_runtime() -> Runtime:
    """A runtime to start brokers on; raises BrokerUnavailable. Blocks: some 15 s the first time, later not at all."""
    cached = cached_runtime()
    if cached is not None:
        return cached
    with prepared_jars() as runtime:
        archive = archive_path(runtime)
        if not archive.exists():
            _make_archive(runtime, archive)
        return with_archive(runtime)


def _make_archive(runtime: Runtime, archive: Path) -> None:
    """A JVM that cannot do this leaves an empty file, so that it is not asked again at every start."""
    logger.info("preparing quick starts of the embedded broker, once")
    with tempfile.TemporaryDirectory(prefix="iris-practice-") as scratch:
        made = Path(scratch, "broker.jsa")
        try:
            asyncio.run(_practise(runtime, Path(scratch), made))
        except (BrokerStartFailed, OSError) as error:
            logger.warning("no quick starts of the embedded broker: %s", error)
        # Written beside and renamed, since other processes look for the final name without a lock.
        beside = archive.with_suffix(".new")
        beside.write_bytes(made.read_bytes() if made.exists() else b"")
        beside.replace(archive)


async def _practise(runtime: Runtime, home: Path, archive: Path) -> None:
    """One start and one orderly stop; the JVM writes the archive as it exits."""
    broker, controller = free_ports(2)
    node = Node(home, 0, runtime=runtime, heap_mb=256)
    node.configure(node_properties(0, [NodePorts(broker, controller, broker)], log_dir=node.log_dir, extra={}))
    await node.format(PRACTICE_CLUSTER_ID)
    node.spawn(f"-XX:ArchiveClassesAtExit={archive}")
    try:
        async with asyncio.timeout(PRACTICE_TIMEOUT_S):
            while await describe_cluster(LOOPBACK, broker) is None:
                if not node.is_alive:
                    raise BrokerStartFailed(f"the practice broker ended by itself\n{node.log_tail()}")
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise BrokerStartFailed(f"the practice broker was not up after {PRACTICE_TIMEOUT_S:.0f} s") from error
    finally:
        await node.stop(timeout_s=PRACTICE_TIMEOUT_S)
