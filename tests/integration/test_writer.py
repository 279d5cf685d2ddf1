"""One writer per changelog partition: the broker refuses what an earlier owner still sends (law 10)."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced

from streams.broker import Broker
from streams.engine.writer import FENCE_KEY, Writer
from tests.harness.broker import unique_prefix
from tests.harness.eventually import eventually
from tests.harness.topics import read_topic, values

pytestmark = pytest.mark.broker


class Worker:
    """A writer whose failures are noted instead of ending the process."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.failures: list[BaseException] = []
        self.writer = Writer(bootstrap, client_id=name, on_failure=self.failures.append)

    async def put(self, topic: str, partition: int, value: bytes) -> int:
        return await self.writer.write(topic, partition, [(b"key", value, [])])


async def make_topics(bootstrap: str, *names: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 2, 1) for name in names])
    await admin.close()


async def test_a_fenced_writer_cannot_write_to_the_partition_that_another_took_over(broker: Broker) -> None:
    changelog, outputs = (unique_prefix() + name for name in ("changelog", "outputs"))
    await make_topics(broker.bootstrap, changelog, outputs)
    old, new = Worker(broker.bootstrap, "old"), Worker(broker.bootstrap, "new")
    await old.writer.start()
    await new.writer.start()
    await old.writer.fence(changelog, 0)
    await old.writer.fence(changelog, 1)
    await old.put(changelog, 0, b"of the old owner")

    await new.writer.fence(changelog, 0)
    await new.put(changelog, 0, b"of the new owner")
    stale = asyncio.ensure_future(old.put(changelog, 0, b"stale"))

    def refused() -> None:
        assert isinstance(old.failures[0] if old.failures else None, ProducerFenced)

    await eventually(refused)
    stored = [record for record in await read_topic(broker.bootstrap, changelog) if record.key != FENCE_KEY]
    assert values(stored) == [b"of the old owner", b"of the new owner"]
    # What it still owns, and topics that need no fence, it may write on.
    await old.put(changelog, 1, b"still mine")
    await old.put(outputs, 0, b"an output")
    stale.cancel()
    await old.writer.stop()
    await new.writer.stop()


async def test_fencing_alone_without_a_further_write_already_refuses_the_old_owner(broker: Broker) -> None:
    changelog = unique_prefix() + "changelog"
    await make_topics(broker.bootstrap, changelog)
    old, new = Worker(broker.bootstrap, "old"), Worker(broker.bootstrap, "new")
    await old.writer.start()
    await new.writer.start()
    await old.writer.fence(changelog, 0)
    await new.writer.fence(changelog, 0)
    stale = asyncio.ensure_future(old.put(changelog, 0, b"stale"))

    def refused() -> None:
        assert old.failures

    await eventually(refused)
    stored = await read_topic(broker.bootstrap, changelog)
    assert [record.key for record in stored] == [FENCE_KEY, FENCE_KEY]
    stale.cancel()
    await old.writer.stop()
    await new.writer.stop()


async def test_records_of_one_partition_keep_their_order_and_offsets_over_many_batches(broker: Broker) -> None:
    topic = unique_prefix() + "outputs"
    await make_topics(broker.bootstrap, topic)
    worker = Worker(broker.bootstrap, "one")
    await worker.writer.start()
    futures = [worker.writer.write(topic, 1, [(b"k", b"%d" % n, []), (b"k", b"%d!" % n, [])]) for n in range(300)]
    assert await asyncio.gather(*futures) == [2 * n + 1 for n in range(300)]
    expected = [text for n in range(300) for text in (b"%d" % n, b"%d!" % n)]
    assert values(await read_topic(broker.bootstrap, topic)) == expected
    await worker.writer.stop()


async def test_a_record_above_the_soft_limit_travels_alone_and_one_above_the_hard_limit_is_a_failure(
    broker: Broker,
) -> None:
    topic = unique_prefix() + "outputs"
    await make_topics(broker.bootstrap, topic)
    worker = Worker(broker.bootstrap, "one")
    await worker.writer.start()
    await worker.put(topic, 0, b"x" * 950_000)
    too_large = asyncio.ensure_future(worker.put(topic, 0, b"x" * 8_100_000))

    def failed() -> None:
        assert "over the limit" in str(worker.failures)

    await eventually(failed)
    too_large.cancel()
    await worker.writer.stop()
