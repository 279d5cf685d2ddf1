"""The topics on a real broker are what the registry says, or the start is refused; nothing is altered in place."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.registry import platforms
from streams.app import STAGES_WITH_TABLE, build_topics
from streams.broker import Broker
from streams.broker.errors import BrokerUnavailable
from streams.ensure import TopicsMismatch, ensure_topics, topic_config, topic_statuses
from streams.settings import Settings
from tests.harness.broker import unique_prefix
from tests.harness.eventually import eventually

pytestmark = pytest.mark.broker


@pytest.fixture
def settings(broker: Broker) -> Settings:
    return Settings(kafka_bootstrap_servers=broker.bootstrap, topic_prefix=unique_prefix(), partitions=3)


def iris(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "IRIS_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_url,
        "IRIS_TOPIC_PREFIX": settings.topic_prefix,
        "IRIS_PARTITIONS": str(settings.partitions),
    }
    command = [sys.executable, "-m", "streams.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


async def test_every_topic_of_the_registry_is_created_once_with_a_leader_for_each_partition(settings: Settings) -> None:
    created = await ensure_topics(settings.kafka_url, settings)
    topics = build_topics(settings)
    assert created == [topic.name for topic in topics.all(stages_with_table=STAGES_WITH_TABLE)]
    assert {topics.inbound(name) for name in platforms()} <= set(created)
    statuses = {status.topic.name: status for status in await topic_statuses(settings.kafka_url, settings)}
    assert all(status.has_leaders for status in statuses.values())
    assert {name for name, status in statuses.items() if status.partitions == 1} == {topics.control}
    assert {status.partitions for status in statuses.values()} == {1, 3}
    assert await ensure_topics(settings.kafka_url, settings) == []


async def test_retention_time_stamps_and_compaction_are_the_registrys(settings: Settings) -> None:
    await ensure_topics(settings.kafka_url, settings)
    wanted = build_topics(settings).all(stages_with_table=STAGES_WITH_TABLE)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_url)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, each.name) for each in wanted])
    finally:
        await admin.close()
    found = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    for topic in wanted:
        config = topic_config(topic, settings)
        assert {name: found[topic.name][name] for name in config} == config
    events = found[build_topics(settings).events]
    assert (events["message.timestamp.type"], events["cleanup.policy"]) == ("LogAppendTime", "delete")
    changelog = found[build_topics(settings).changelog("converse")]
    assert (changelog["cleanup.policy"], changelog["min.compaction.lag.ms"]) == ("compact", "3600000")


async def test_processes_that_start_at_once_agree(settings: Settings) -> None:
    both = await asyncio.gather(*(ensure_topics(settings.kafka_url, settings) for _ in range(3)))
    assert any(both)
    assert all(status.has_leaders for status in await topic_statuses(settings.kafka_url, settings))


async def test_another_number_of_partitions_is_refused_before_anything_is_created(settings: Settings) -> None:
    changelog = build_topics(settings).changelog("converse")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_url)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(changelog, 5, 1)])

        async def is_known() -> None:
            assert changelog in await admin.list_topics()

        await eventually(is_known)
        with pytest.raises(TopicsMismatch, match=r"converse-changelog has 5 partitions and needs 3"):
            await ensure_topics(settings.kafka_url, settings)
        assert [name for name in await admin.list_topics() if name.startswith(settings.topic_prefix)] == [changelog]
        described = await admin.describe_topics([changelog])
    finally:
        await admin.close()
    assert len(described[0]["partitions"]) == 5


async def test_more_copies_than_brokers_is_an_error_that_names_the_setting(settings: Settings) -> None:
    with pytest.raises(BrokerUnavailable, match="IRIS_REPLICATION=3"):
        await ensure_topics(settings.kafka_url, settings.model_copy(update={"replication": 3}))


def test_the_command_creates_lists_and_refuses(settings: Settings) -> None:
    missing = [json.loads(line) for line in iris(settings, "topics", "list", "--json").stdout.splitlines()]
    assert {row["state"] for row in missing} == {"missing"}
    ensured = iris(settings, "topics", "ensure")
    assert ensured.returncode == 0
    assert f"all topics are there, {len(missing)} of them new" in ensured.stderr
    listed = iris(settings, "topics", "list")
    assert listed.returncode == 0
    assert f"{settings.topic_prefix}conversation.events" in listed.stdout
    refused = iris(settings.model_copy(update={"partitions": 4}), "topics", "ensure")
    assert refused.returncode == 78
    assert "has 3 partitions and needs 4" in refused.stderr
    assert "set IRIS_PARTITIONS=3, or choose another IRIS_TOPIC_PREFIX" in refused.stderr
