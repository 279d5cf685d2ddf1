"""Commands beside a running embedded broker find it by its data directory alone."""

from pathlib import Path

import pytest

from schemas.control import ChannelHealth, health_key
from schemas.registry import encode
from streams.app import build_topics
from streams.broker.running import FILE, embedded_dir
from streams.care.control import Publisher
from streams.settings import Settings
from tests.fakes.line import FakeLine
from tests.harness.broker import BrokerFactory
from tests.harness.channels import configure, iris, iris_text


async def test_commands_find_the_broker_that_runs_and_tell_when_it_does_not(
    make_broker: BrokerFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data", partitions=2)
    configure([FakeLine()], tmp_path, monkeypatch)
    monkeypatch.setenv("IRIS_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("IRIS_PARTITIONS", "2")
    folder = embedded_dir(settings)
    broker = await make_broker(data_dir=folder)

    code, _, said = await iris("channels", "list")
    lacks = f"topic iris.control is missing at {broker.bootstrap}; create it with `iris topics ensure`"
    assert (code, f"the last known state is not told: {lacks}" in said) == (0, True), said
    assert (await iris("topics", "list"))[1][0]["state"] == "missing"
    publisher = Publisher(broker.bootstrap, build_topics(settings).control, partitions=2)
    code, _, said = await iris_text("topics", "ensure")
    assert code == 0, said
    await publisher.put(health_key("line", "shop"), encode(ChannelHealth(state="limited", since=1_790_000_000_000)))
    await publisher.close()
    code, (line,), said = await iris("channels", "list")
    assert (code, line["health"]["state"], said) == (0, "limited", "")

    broker.kill()
    code, (line,), said = await iris("channels", "list")
    assert (code, line["health"], "but nothing answers there: restart `iris serve`" in said) == (0, None, True)
    await broker.stop()
    assert not (folder / FILE).exists()
    code, _, said = await iris("topics", "list")
    assert (code, f"no `iris serve` runs on {settings.data_dir}" in said) == (69, True), said
