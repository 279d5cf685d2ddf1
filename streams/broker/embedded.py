"""Kafka on this machine's JVM: one broker, or several that form a cluster on loopback. No Docker, nothing installed.

Reads and writes its data directory only (and the cache of ``runtime``, once):

    cluster.json    cluster id and number of nodes, written before anything is formatted
    lock            held while a broker of this directory runs
    running.json    where it listens, for other commands (``running``); there while it serves
    node-N/         configuration and log of node N
    broker-N.log    what node N printed

A second start on the same directory serves the same log; ports may change, the cluster id does not. Brokers end
with the process that started them (``guard``).
"""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from streams.broker.config import NodePorts, node_properties
from streams.broker.errors import BrokerDied, BrokerStartFailed, PortInUse
from streams.broker.identity import DirLock, cluster_identity
from streams.broker.node import Node
from streams.broker.ports import LOOPBACK, free_ports, holder_of, is_free
from streams.broker.prepare import prepare_runtime
from streams.broker.probe import describe_cluster
from streams.broker.running import Running, announce, withdraw
from streams.broker.runtime import KAFKA_VERSION

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
START_ATTEMPTS = 3
"""A port found free can be lost again before the JVM listens on it; then other ports are tried."""
LIGHT_JVM = ("-XX:TieredStopAtLevel=1",)
"""The broker shares this machine with all that it serves, mostly for minutes: the optimising compiler takes more CPU
than it gives, and takes it from whoever waits for an answer (at 50 turns a second on two cores, half of the time)."""
POLL_S = 0.05
WATCH_S = 0.2


class EmbeddedBroker:
    """A local KRaft cluster. Nodes count from 0; every method may be called under any event loop.

    ``port``: of node 0, the following ones for the others; None takes free ones. ``settings``: broker configuration
    that wins over ours. ``advertised``: from a node's index to the port under which clients and the other nodes shall
    find it, so that a proxy can stand in front; it is called at start, when ``port_of`` is known.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        nodes: int = 1,
        port: int | None = None,
        heap_mb: int = 512,
        settings: Mapping[str, str] | None = None,
        advertised: Callable[[int], int] | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._size = nodes
        self._port = port
        self._heap_mb = heap_mb
        self._settings = dict(settings or {})
        self._advertised = advertised
        self._lock = DirLock(self.data_dir / "lock")
        self._nodes: list[Node] = []
        self._ports: list[NodePorts] = []
        self._cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """``host:port,…`` of all nodes, as clients shall use them; known once started."""
        return ",".join(f"{LOOPBACK}:{ports.advertised}" for ports in self._ports)

    @property
    def description(self) -> str:
        """For the log line that says which broker was chosen."""
        return f"embedded Kafka {KAFKA_VERSION} at {self.bootstrap}, data in {self.data_dir}"

    def port_of(self, node: int) -> int:
        """The port on which the node itself listens, behind whatever it advertises."""
        return self._ports[node].broker

    def is_alive(self, node: int = 0) -> bool:
        """Whether the node's process exists; a paused one does."""
        return self._nodes[node].is_alive

    def pid_of(self, node: int = 0) -> int | None:
        """The process id of the node, for signals and memory readings."""
        return self._nodes[node].pid

    async def start(self) -> None:
        """Return when every node answers as a member of our cluster.

        Raises PortInUse, DataDirInUse, BrokerUnavailable, or BrokerStartFailed with the end of the node's log.
        """
        runtime = await asyncio.to_thread(prepare_runtime)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        # What a killed predecessor left behind.
        withdraw(self.data_dir)
        try:
            self._cluster_id = cluster_identity(self.data_dir / "cluster.json", nodes=self._size)
            self._nodes = [
                Node(self.data_dir, node, runtime=runtime, heap_mb=self._heap_mb) for node in range(self._size)
            ]
            await self._start_nodes()
            announce(self.data_dir, Running(self.bootstrap, self._cluster_id, os.getpid()))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """SIGTERM to every node, SIGKILL after 10 s. The data stays. Does nothing when stopped."""
        if self._lock.is_held:
            withdraw(self.data_dir)
        await asyncio.gather(*(node.stop() for node in self._nodes))
        self._lock.release()

    def kill(self, node: int = 0) -> None:
        """SIGKILL: the node is gone when this returns."""
        self._nodes[node].kill()

    def kill_all(self) -> None:
        """SIGKILL to every node: what a power cut would be, except that the kernel keeps what was written."""
        for node in self._nodes:
            node.kill()

    def pause(self, node: int = 0) -> None:
        """SIGSTOP: the node keeps its connections and answers nothing."""
        self._nodes[node].send_signal(signal.SIGSTOP)

    def resume(self, node: int = 0) -> None:
        """SIGCONT: the node goes on where it was paused."""
        self._nodes[node].send_signal(signal.SIGCONT)

    async def restart(self, node: int = 0) -> None:
        """Stop the node if it runs, start it on the same ports, and return when it answers."""
        await self._nodes[node].stop()
        self._nodes[node].spawn(*LIGHT_JVM)
        await self._wait_ready([node])

    async def watch(self) -> None:
        """Return never while all is well; raise BrokerDied when a node ends that nobody stopped or killed here."""
        while True:
            for node in self._nodes:
                if node.is_wanted and not node.is_alive:
                    raise BrokerDied(f"broker {node.id} (pid {node.pid}) ended by itself; {node.log_tail()}")
            await asyncio.sleep(WATCH_S)

    async def _start_nodes(self) -> None:
        for attempt in range(1, START_ATTEMPTS + 1):
            self._ports = self._choose_ports()
            for node in self._nodes:
                node.configure(node_properties(node.id, self._ports, log_dir=node.log_dir, extra=self._settings))
            await asyncio.gather(*(node.format(self._cluster_id) for node in self._nodes))
            for node in self._nodes:
                node.spawn(*LIGHT_JVM)
            try:
                await self._wait_ready(range(self._size))
            except BrokerStartFailed:
                if attempt == START_ATTEMPTS or not any(map(_lost_its_port, self._nodes)):
                    raise
                await asyncio.gather(*(node.stop() for node in self._nodes))
            else:
                return

    def _choose_ports(self) -> list[NodePorts]:
        if self._port is None:
            brokers = free_ports(self._size)
        else:
            brokers = [self._port + node for node in range(self._size)]
            for port in brokers:
                if not is_free(port):
                    raise PortInUse(port, holder_of(port))
        controllers = free_ports(self._size, taken=brokers)
        self._ports = [NodePorts(*pair, advertised=pair[0]) for pair in zip(brokers, controllers, strict=True)]
        if self._advertised is None:
            return self._ports
        return [
            NodePorts(ports.broker, ports.controller, self._advertised(node)) for node, ports in enumerate(self._ports)
        ]

    async def _wait_ready(self, nodes: Sequence[int]) -> None:
        """Every given node is alive, answers with our cluster id, and lists itself and all other given ones as up."""
        deadline = time.monotonic() + START_TIMEOUT_S
        waiting = list(nodes)
        while waiting:
            for index in waiting:
                node = self._nodes[index]
                if not node.is_alive:
                    raise BrokerStartFailed(f"broker {index} ended while it started; {node.log_tail()}")
                if time.monotonic() > deadline:
                    raise BrokerStartFailed(
                        f"broker {index} is not ready after {START_TIMEOUT_S:.0f} s; {node.log_tail()}"
                    )
            answers = [await describe_cluster(LOOPBACK, self.port_of(index)) for index in waiting]
            waiting = [
                index
                for index, cluster in zip(waiting, answers, strict=True)
                if cluster is None or cluster.cluster_id != self._cluster_id or not cluster.nodes.issuperset(nodes)
            ]
            await asyncio.sleep(POLL_S if waiting else 0)


def _lost_its_port(node: Node) -> bool:
    return node.has_printed("Address already in use")
