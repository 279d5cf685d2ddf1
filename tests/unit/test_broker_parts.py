"""The embedded broker's pure parts: what a node is configured to be, and what counts as an answer of a broker."""

import asyncio
import struct
from pathlib import Path

import pytest

from streams.broker.config import NodePorts, node_properties
from streams.broker.ports import free_ports, holder_of, is_free
from streams.broker.probe import Cluster, describe_cluster
from tests.unit.broker_answers import answering, frame, text

PORTS = [NodePorts(9092 + node, 19092 + node, 29092 + node) for node in range(3)]


@pytest.mark.parametrize(("nodes", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2")])
def test_all_topics_of_kafkas_own_are_as_durable_as_the_cluster_allows(nodes: int, replicas: str, in_sync: str) -> None:
    properties = node_properties(0, PORTS[:nodes], log_dir=Path("/log"), extra={})
    for name in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
        assert properties[f"{name}.replication.factor"] == replicas
    assert properties["default.replication.factor"] == replicas
    for name in ("min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"):
        assert properties[name] == in_sync


def test_a_node_listens_on_its_own_ports_and_makes_the_advertised_one_known() -> None:
    properties = node_properties(1, PORTS, log_dir=Path("/log"), extra={"log.retention.ms": "-1"})
    assert properties["node.id"] == "1"
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:9093,CONTROLLER://127.0.0.1:19093"
    assert properties["advertised.listeners"] == "PLAINTEXT://127.0.0.1:29093"
    assert properties["controller.quorum.voters"] == "0@127.0.0.1:19092,1@127.0.0.1:19093,2@127.0.0.1:19094"
    assert properties["log.retention.ms"] == "-1"


def test_settings_of_the_caller_win() -> None:
    assert node_properties(0, PORTS, log_dir=Path("/log"), extra={"node.id": "7"})["node.id"] == "7"


BROKERS = b"".join(
    struct.pack(">i", node) + text("127.0.0.1") + struct.pack(">i", 9092) + text(rack)
    for node, rack in ((0, None), (2, "rack"))
)
ANSWER = struct.pack(">ii", 1, 2) + BROKERS + text("our-cluster") + struct.pack(">ii", 0, 0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (frame(ANSWER), Cluster("our-cluster", frozenset({0, 2}))),
        (frame(struct.pack(">ii", 1, 0) + text(None)), Cluster(None, frozenset())),
        (frame(ANSWER)[:-30], None),
        (frame(ANSWER[:30]), None),
        (frame(struct.pack(">ii", 1, 2**31 - 1)), None),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
        (struct.pack(">i", -1), None),
        (b"", None),
    ],
    ids=["cluster", "no id", "cut off", "short", "endless list", "HTTP", "negative size", "silence"],
)
async def test_only_a_whole_answer_of_a_broker_counts(answer: bytes, expected: Cluster | None) -> None:
    async with answering(answer) as port:
        assert await describe_cluster("127.0.0.1", port) == expected


async def test_a_peer_that_claims_a_huge_answer_is_not_waited_for() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(struct.pack(">i", 2**30))
        await reader.read()  # Until the client has hung up.
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await asyncio.wait_for(describe_cluster("127.0.0.1", port, timeout_s=60), timeout=5) is None


def test_free_ports_are_distinct_free_and_none_of_the_taken() -> None:
    first = free_ports(20)
    second = free_ports(20, taken=first)
    assert len(set(first + second)) == 40
    assert all(map(is_free, first))


def test_a_port_that_nobody_holds_has_no_named_holder() -> None:
    (port,) = free_ports(1)
    assert holder_of(port) == "another process"
