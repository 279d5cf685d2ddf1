"""Topics that do not fit: the one message names them, both numbers, and a way out for either kind of broker."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from streams.app import STAGES_WITH_TABLE, build_topics
from streams.ensure import TopicsMismatch, TopicStatus, refuse_mismatch
from streams.settings import Settings

SETTINGS = Settings(data_dir=Path("/var/iris"), partitions=8)
TOPICS = build_topics(SETTINGS)


def refused(found: Mapping[str, int], *, others: int) -> str:
    """What is said when these topics have these partitions and the rest of the co-partitioned ones have ``others``."""
    statuses = [
        TopicStatus(topic, wanted, partitions=found.get(topic.name, topic.partitions or others))
        for topic in TOPICS.all(stages_with_table=STAGES_WITH_TABLE)
        for wanted in [topic.partitions or SETTINGS.partitions]
    ]
    with pytest.raises(TopicsMismatch) as failure:
        refuse_mismatch(statuses, SETTINGS)
    return str(failure.value)


def test_one_topic_of_an_older_version_is_not_blamed_on_the_setting() -> None:
    said = refused({TOPICS.identities: 1}, others=8)
    assert "iris.identities has 1 partition and needs 8. " in said
    assert "iris.conversation.events" not in said
    assert "set IRIS_PARTITIONS=" not in said
    assert "choose another IRIS_TOPIC_PREFIX" in said
    assert "stop all processes, delete them and run `iris topics ensure`" in said


def test_the_embedded_broker_is_started_anew_without_its_folder() -> None:
    said = refused({TOPICS.identities: 1}, others=8)
    assert "stop `iris serve`, remove the folder /var/iris with all that it remembers, and start again" in said


def test_a_number_that_fits_all_topics_is_offered_as_the_setting() -> None:
    said = refused({}, others=3)
    assert "topic iris.inbound.instagram has 3 partitions and needs 8, " in said
    assert f", {len(TOPICS.all(stages_with_table=STAGES_WITH_TABLE)) - 4} more do not fit. " in said
    assert "set IRIS_PARTITIONS=3, or choose another IRIS_TOPIC_PREFIX" in said


def test_a_topic_with_a_fixed_number_is_no_matter_of_the_setting() -> None:
    said = refused({TOPICS.control: 8}, others=8)
    assert "iris.control has 8 partitions and needs 1. " in said
    assert "set IRIS_PARTITIONS=" not in said


def test_topics_that_are_missing_are_no_reason() -> None:
    missing = [TopicStatus(topic, 8) for topic in TOPICS.all(stages_with_table=STAGES_WITH_TABLE)]
    refuse_mismatch(missing, SETTINGS)
