"""The embedded broker keeps what it acknowledged, tells its own death, and says in words why it cannot start.

Real JVMs on loopback; one of a test's own wherever the test breaks something.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.broker import (
    Broker,
    BrokerDied,
    BrokerStartFailed,
    BrokerUnavailable,
    DataDirInUse,
    EmbeddedBroker,
    PortInUse,
    choose_broker,
)
from streams.broker.identity import DirLock, cluster_identity
from streams.broker.ports import free_ports
from streams.settings import Settings
from tests.harness.broker import BrokerFactory, unique_prefix
from tests.harness.eventually import eventually


async def create_topic(bootstrap: str, topic: str, *, replication: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, replication)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    """Each acknowledged by every replica in sync before the next is sent."""
    # A paused node accepts connections and never answers; the client's own default waits 40 s for it.
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=2_000
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def read_all(bootstrap: str, topic: str) -> list[bytes]:
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                values.extend(record.value for record in records)
        return values


async def test_the_shared_broker_serves_what_was_produced(broker: Broker) -> None:
    topic = f"{unique_prefix()}echo"
    await create_topic(broker.bootstrap, topic)
    await produce(broker.bootstrap, topic, [b"1", b"2"])
    assert await read_all(broker.bootstrap, topic) == [b"1", b"2"]


async def test_a_second_start_on_the_same_directory_serves_the_same_log(make_broker: BrokerFactory) -> None:
    broker = await make_broker()
    await create_topic(broker.bootstrap, "kept")
    await produce(broker.bootstrap, "kept", [b"before"])
    first_pid = broker.pid_of()
    await broker.stop()
    assert not broker.is_alive()
    await broker.start()
    assert broker.pid_of() != first_pid
    await produce(broker.bootstrap, "kept", [b"after"])
    assert await read_all(broker.bootstrap, "kept") == [b"before", b"after"]


async def test_a_killed_broker_is_noticed_and_serves_all_acknowledged_records_when_back(
    make_broker: BrokerFactory,
) -> None:
    broker = await make_broker()
    await create_topic(broker.bootstrap, "killed")
    await produce(broker.bootstrap, "killed", [b"acknowledged"])
    watching = asyncio.create_task(broker.watch())
    pid = broker.pid_of()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(BrokerDied, match=rf"broker 0 \(pid {pid}\) ended by itself"):
        await asyncio.wait_for(watching, timeout=5)
    await broker.restart()
    assert await read_all(broker.bootstrap, "killed") == [b"acknowledged"]


async def test_three_nodes_acknowledge_through_the_death_of_any_one(make_broker: BrokerFactory) -> None:
    cluster = await make_broker(nodes=3)
    await create_topic(cluster.bootstrap, "replicated", replication=3)
    await produce(cluster.bootstrap, "replicated", [b"three alive"])
    cluster.kill(0)
    assert [cluster.is_alive(node) for node in range(3)] == [False, True, True]
    await produce(cluster.bootstrap, "replicated", [b"two alive"])
    await cluster.restart(0)
    cluster.pause(1)
    await produce(cluster.bootstrap, "replicated", [b"one paused"])
    cluster.resume(1)
    expected = [b"three alive", b"two alive", b"one paused"]
    assert await read_all(cluster.bootstrap, "replicated") == expected


async def test_clients_find_a_node_where_it_is_advertised(make_broker: BrokerFactory) -> None:
    """A proxy's place: what the client is told leads to the proxy, and the proxy to ``port_of``."""
    (front,) = free_ports(1)
    broker = await make_broker(advertised=lambda node: front + node)
    assert broker.bootstrap == f"127.0.0.1:{front}"
    seen = 0

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", broker.port_of(0))
        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(forward, "127.0.0.1", front)
    async with server:
        await create_topic(broker.bootstrap, "proxied")
        await produce(broker.bootstrap, "proxied", [b"through the proxy"])
        assert await read_all(broker.bootstrap, "proxied") == [b"through the proxy"]
    assert seen >= 3


async def test_a_named_port_in_use_is_said_with_its_holder(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, port=port)
        with pytest.raises(PortInUse, match=rf"port {port} is in use by .*\(pid {os.getpid()}\): stop it, set IRIS_"):
            await broker.start()


async def test_a_directory_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    lock = DirLock(tmp_path / "lock")
    lock.acquire()
    with pytest.raises(DataDirInUse, match=rf"started by pid {os.getpid()}\).*IRIS_DATA_DIR"):
        await EmbeddedBroker(tmp_path).start()
    lock.release()


async def test_a_directory_keeps_the_size_and_the_id_of_its_cluster(tmp_path: Path) -> None:
    identity = tmp_path / "cluster.json"
    assert cluster_identity(identity, nodes=1) == cluster_identity(identity, nodes=1)
    with pytest.raises(DataDirInUse, match=r"cluster of 1 node\(s\), not 3"):
        await EmbeddedBroker(tmp_path, nodes=3).start()


async def test_a_broker_that_cannot_start_says_the_end_of_its_log(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path, settings={"num.network.threads": "none"})
    with pytest.raises(BrokerStartFailed, match=r"Invalid value none for configuration num\.network\.threads"):
        await broker.start()


async def test_a_broker_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, signal, sys\n"
        "from streams.broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(pathlib.Path(sys.argv[1]))\n"
        "asyncio.run(broker.start())\n"
        "print(broker.pid_of(), flush=True)\n"
        "signal.pause()\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    broker_pid = int(await parent.stdout.readline())
    os.kill(broker_pid, 0)
    parent.kill()
    await parent.wait()

    def gone() -> None:
        # A killed child of a dead parent stays a zombie until init reaps it; a zombie has no command line.
        command = Path(f"/proc/{broker_pid}/cmdline")
        assert not command.exists() or not command.read_bytes()

    await eventually(gone)


async def test_no_java_no_engine_and_no_name_is_one_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(BrokerUnavailable) as failure:
        await choose_broker(Settings(data_dir=tmp_path), container=no_engine)
    text = str(failure.value)
    assert "IRIS_KAFKA_BOOTSTRAP_SERVERS=host:port" in text
    assert "no Docker engine answers" in text
    assert "apt-get install openjdk-17-jre-headless" in text


async def test_jars_not_yet_resolved_and_no_maven_is_one_clear_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = shutil.which("java")
    assert java is not None
    (tmp_path / "java").symlink_to(java)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(BrokerUnavailable, match=r"Maven, which resolves them, is not on PATH: install Maven"):
        await EmbeddedBroker(tmp_path / "data").start()


async def test_a_named_broker_that_is_none_of_kafkas_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.broker.choose.NAMED_TIMEOUT_S", 0.3)

    async def answer_nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer_nonsense, "127.0.0.1", 0)
    async with server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(BrokerUnavailable, match=f"no Kafka broker answers at {address}"):
            await choose_broker(Settings(kafka_bootstrap_servers=address))


async def test_a_named_broker_wins_over_all_others(broker: Broker) -> None:
    named = await choose_broker(Settings(kafka_bootstrap_servers=broker.bootstrap), container=no_engine)
    assert named.bootstrap == broker.bootstrap
    await named.stop()
    await create_topic(broker.bootstrap, f"{unique_prefix()}still-there")


async def no_engine() -> None:
    return None
