"""Which broker a command finds: the named one, else the one that really answers for our data directory."""

import os
import struct
from pathlib import Path

import pytest

from streams.broker.embedded import EmbeddedBroker
from streams.broker.errors import BrokerUnavailable, DataDirInUse
from streams.broker.identity import DirLock
from streams.broker.ports import free_ports
from streams.broker.running import FILE, Running, announce, embedded_dir, find_broker
from streams.settings import Settings
from tests.unit.broker_answers import answering, frame, text

OURS = frame(struct.pack(">ii", 1, 0) + text("our-cluster") + struct.pack(">ii", 0, 0))
NEVER_A_PID = 2**22 + 1
"""Above Linux's largest pid_max."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data")
    embedded_dir(settings).mkdir(parents=True)
    return settings


def say(settings: Settings, port: int, *, cluster: str = "our-cluster", pid: int = NEVER_A_PID) -> str:
    announce(embedded_dir(settings), Running(f"127.0.0.1:{port}", cluster, pid))
    return f"127.0.0.1:{port}"


async def test_a_broker_that_answers_with_our_cluster_is_found(settings: Settings) -> None:
    async with answering(OURS) as port:
        where = say(settings, port)
        assert await find_broker(settings) == where


async def test_one_node_of_several_that_answers_is_enough(settings: Settings) -> None:
    (closed,) = free_ports(1)
    async with answering(OURS) as port:
        bootstrap = f"127.0.0.1:{closed},127.0.0.1:{port}"
        announce(embedded_dir(settings), Running(bootstrap, "our-cluster", NEVER_A_PID))
        assert await find_broker(settings) == bootstrap


async def test_a_named_broker_wins_and_is_not_asked(settings: Settings) -> None:
    async with answering(OURS) as port:
        say(settings, port)
        named = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
        assert await find_broker(named) == "127.0.0.1:1"


async def test_without_any_the_message_says_where_it_looked_and_what_to_do(settings: Settings) -> None:
    with pytest.raises(BrokerUnavailable) as failure:
        await find_broker(settings)
    said = str(failure.value)
    assert f"no `iris serve` runs on {settings.data_dir}: start it, set IRIS_DATA_DIR" in said
    assert "set IRIS_KAFKA_BOOTSTRAP_SERVERS=host:port" in said


@pytest.mark.parametrize(
    ("pid", "process"), [(NEVER_A_PID, f"process {NEVER_A_PID}, which has ended"), (os.getpid(), "which still runs")]
)
async def test_a_stale_file_is_told_with_the_process_that_wrote_it(settings: Settings, pid: int, process: str) -> None:
    (closed,) = free_ports(1)
    where = say(settings, closed, pid=pid)
    with pytest.raises(BrokerUnavailable) as failure:
        await find_broker(settings)
    said = str(failure.value)
    assert said.startswith(str(embedded_dir(settings) / FILE))
    assert process in said
    assert f"started a broker at {where}, but nothing answers there: restart `iris serve`" in said


async def test_a_broker_of_somebody_else_on_that_port_is_refused(settings: Settings) -> None:
    async with answering(OURS) as port:
        say(settings, port, cluster="an-older-one")
        with pytest.raises(BrokerUnavailable, match="but another broker answers there"):
            await find_broker(settings)


@pytest.mark.parametrize("content", ["", "[]", '{"bootstrap": "x"}', "\x00"])
async def test_a_file_that_is_none_of_ours_is_told(settings: Settings, content: str) -> None:
    (embedded_dir(settings) / FILE).write_text(content)
    with pytest.raises(BrokerUnavailable, match=r"running\.json cannot be read"):
        await find_broker(settings)


async def test_who_was_refused_the_directory_leaves_its_owners_file(settings: Settings) -> None:
    folder = embedded_dir(settings)
    lock = DirLock(folder / "lock")
    lock.acquire()
    say(settings, 1)
    refused = EmbeddedBroker(folder)
    with pytest.raises(DataDirInUse):
        await refused.start()
    await refused.stop()
    lock.release()
    assert (folder / FILE).exists()
