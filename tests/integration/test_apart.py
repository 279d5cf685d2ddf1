"""Parts that run apart check what they count on before they start, and say what to do."""

from pathlib import Path

import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.processes import ProcessFailed

pytestmark = pytest.mark.broker


async def failure_of(it: Deployment, name: str) -> str:
    process = it.process(name)
    with pytest.raises(ProcessFailed):
        await process.start()
    assert await process.wait() == 78
    return process.tail()


async def test_a_stage_refuses_to_start_on_topics_with_other_partitions_than_it_counts_on(
    broker: Broker, tmp_path: Path
) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["line"])
    await it.open()
    it.settings["partitions"] = "16"
    for name in ("converse", "intake"):
        assert "IRIS_PARTITIONS" in await failure_of(it, name)
    await it.close()


async def test_a_stage_without_its_topics_says_how_to_create_them(broker: Broker, tmp_path: Path) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["line"])
    await it.open()
    it.settings["topic_prefix"] = it.prefix + "elsewhere."
    assert "iris topics ensure" in await failure_of(it, "normalise")
    await it.close()


async def test_respond_without_an_ai_service_says_which_setting_is_missing(broker: Broker, tmp_path: Path) -> None:
    it = Deployment(broker.bootstrap, tmp_path, platforms=["line"])
    await it.open()
    del it.settings["ai_url"]
    assert "IRIS_AI_URL" in await failure_of(it, "respond")
    await it.close()
