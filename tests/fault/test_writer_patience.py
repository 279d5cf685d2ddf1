"""What a writer waits for instead of giving up: a broker whose disk is full, a partition that nobody leads."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.engine.writer import REQUEST_TIMEOUT_MS, Writer
from tests.harness.broker import BrokerFactory, unique_prefix
from tests.harness.eventually import eventually
from tests.harness.small_disk import MountRefused, SmallDisk
from tests.harness.topics import read_topic, values

pytestmark = pytest.mark.broker

PARTITIONS = 8
DISK_BYTES = 256 * 1024**2
INDEX_INTERVAL_BYTES = 1000
VALUE = b"x" * 500
"""Three of them share the log's first page, but only the third has an entry in the index, whose first page that takes:
it is mapped into memory, and the broker knows no name for what happens when it cannot be had."""


@pytest.mark.timeout(120)
async def test_a_broker_with_a_full_disk_fails_no_write(make_broker: BrokerFactory, tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "small" / "node-0" / "log")
    try:
        disk.mount(size_bytes=DISK_BYTES)
    except MountRefused as error:
        pytest.skip(str(error))
    failures: list[BaseException] = []
    try:
        broker = await make_broker(data_dir=tmp_path / "small")
        topic = unique_prefix() + "written"
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        configs = {"index.interval.bytes": str(INDEX_INTERVAL_BYTES)}
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=configs)])
        await admin.close()
        writer = Writer(broker.bootstrap, client_id="writer", on_failure=failures.append)
        await writer.start()

        def write_all(number: int) -> list["asyncio.Future[int]"]:
            return [
                writer.write(topic, partition, [(b"%d-%d" % (partition, number), VALUE, [])])
                for partition in range(PARTITIONS)
            ]

        await asyncio.gather(*write_all(1))
        await asyncio.gather(*write_all(2))
        disk.take_space(left_bytes=0)
        written = write_all(3)

        def is_puzzled() -> None:
            assert "a fault occurred" in (broker.data_dir / "broker-0.log").read_text(), "the index still has space"

        await eventually(is_puzzled, interval_s=0.02)
        broker.kill()
        disk.give_space(size_bytes=DISK_BYTES)
        await broker.restart()
        await asyncio.wait(written, timeout=30)

        assert not failures
        assert all(future.done() for future in written)
        stored = await read_topic(broker.bootstrap, topic)
        assert len(values(stored)) == len({record.key for record in stored}) == 3 * PARTITIONS
        await writer.stop()
    finally:
        disk.unmount()


@pytest.mark.timeout(120)
async def test_a_partition_without_a_leader_is_waited_for(make_broker: BrokerFactory) -> None:
    broker = await make_broker(nodes=3)
    topic = unique_prefix() + "alone"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    configs = {"min.insync.replicas": "1"}
    await admin.create_topics([NewTopic(topic, -1, -1, replica_assignments={0: [2]}, topic_configs=configs)])
    await admin.close()
    failures: list[BaseException] = []
    writer = Writer(broker.bootstrap, client_id="writer", on_failure=failures.append)
    await writer.start()
    await writer.write(topic, 0, [(b"first", b"", [])])

    broker.kill(2)
    written = writer.write(topic, 0, [(b"second", b"", [])])
    await asyncio.wait([written], timeout=3 * REQUEST_TIMEOUT_MS / 1000)
    assert not failures
    assert not written.done()
    await broker.restart(2)
    assert await asyncio.wait_for(written, 30) == 1
    await writer.stop()
