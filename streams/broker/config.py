"""The configuration of one node of the embedded cluster, as data. Pure: reads and writes nothing.

Names and meanings: Apache Kafka 4.3 documentation, "Broker Configs". Every node is broker and controller at once
(KRaft combined mode) and listens on loopback only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.broker.ports import LOOPBACK

INTERNAL_PARTITIONS = 8
"""Of the offsets and transaction topics: Kafka's 50 each would cost a small machine its quick start."""
REPLICAS_MAX = 3
RESTART_ALONE = {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"}
"""A killed node may register again only when its old session is over; Kafka's nine seconds would be a long start."""


@dataclass(frozen=True, slots=True)
class NodePorts:
    """Where a node listens, and under which port it makes itself known (a proxy's, or its own)."""

    broker: int
    controller: int
    advertised: int


THREADS = {"num.network.threads": "1", "num.io.threads": "2"}
"""Kafka's own 3 and 8 are for machines of its own; here more of them only take turns."""


def node_properties(
    node: int, ports: Sequence[NodePorts], *, log_dir: Path, extra: Mapping[str, str]
) -> dict[str, str]:
    """Properties of node ``node`` (its index in ``ports`` and its id); ``extra`` wins over all."""
    mine = ports[node]
    voters = ",".join(f"{index}@{LOOPBACK}:{each.controller}" for index, each in enumerate(ports))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node),
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{mine.broker},CONTROLLER://{LOOPBACK}:{mine.controller}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{mine.advertised}",
        "log.dirs": str(log_dir),
        **THREADS,
        **_durability(len(ports)),
        **(_failover() if len(ports) > 1 else RESTART_ALONE),
        **extra,
    }


def _durability(nodes: int) -> dict[str, str]:
    """Everything on three nodes and two acknowledgements where there are three; retention stays Kafka's."""
    replicas = str(min(nodes, REPLICAS_MAX))
    in_sync = "2" if nodes >= REPLICAS_MAX else "1"
    partitions = str(INTERNAL_PARTITIONS)
    return {
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "num.partitions": partitions,
        "offsets.topic.num.partitions": partitions,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": partitions,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": partitions,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # The first member of a group starts at once instead of waiting three seconds for others.
        "group.initial.rebalance.delay.ms": "0",
        # A misspelt topic is an error, not a new topic with the wrong number of partitions.
        "auto.create.topics.enable": "false",
    }


def _failover() -> dict[str, str]:
    """A dead or paused node is noticed in three seconds instead of nine, a dead controller in one and a half."""
    return {
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "controller.quorum.fetch.timeout.ms": "1000",
        "controller.quorum.election.timeout.ms": "500",
        "controller.quorum.election.backoff.max.ms": "500",
        "controller.quorum.request.timeout.ms": "1500",
        # A follower that waits for a paused leader applies no news of a new one: Kafka's 30 s would be the outage.
        "replica.socket.timeout.ms": "2000",
        "controller.socket.timeout.ms": "2000",
    }
