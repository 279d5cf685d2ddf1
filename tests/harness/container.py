"""A broker in a container, where a Docker engine answers. Talks to the engine (through testcontainers), to no topic."""

import asyncio
import os
import socket
from pathlib import Path

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from streams.broker import Broker, BrokerStartFailed
from streams.broker.config import NodePorts, node_properties
from streams.broker.ports import LOOPBACK, free_ports
from streams.broker.probe import describe_cluster
from streams.broker.runtime import KAFKA_VERSION
from tests.harness.eventually import eventually

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
START_TIMEOUT_S = 120.0
"""The image may have to be pulled first."""
DEFAULT_HOST = "unix:///var/run/docker.sock"
DATA = Path("/tmp/iris-kafka")


class ContainerBroker:
    """One node in a container; port number inside and outside are the same, so that it can advertise itself."""

    def __init__(self) -> None:
        broker, controller = free_ports(2)
        self._port = broker
        self.bootstrap = f"{LOOPBACK}:{broker}"
        self.description = f"container {IMAGE} at {self.bootstrap}"
        properties = node_properties(
            0,
            [NodePorts(broker, controller, broker)],
            log_dir=DATA,
            extra={"listeners": f"PLAINTEXT://0.0.0.0:{broker},CONTROLLER://{LOOPBACK}:{controller}"},
        )
        # The image makes its configuration of variables: KAFKA_NODE_ID for node.id, and so on.
        variables = {f"KAFKA_{key.replace('.', '_').upper()}": value for key, value in properties.items()}
        self._container = DockerContainer(IMAGE).with_bind_ports(broker, broker).with_envs(**variables)

    async def start(self) -> None:
        """Return when it answers; raises BrokerStartFailed."""
        await asyncio.to_thread(self._container.start)
        try:
            await eventually(self._answers, timeout_s=START_TIMEOUT_S, interval_s=0.2)
        except AssertionError as error:
            raise BrokerStartFailed(f"{self.description} does not answer; see `docker logs`") from error

    async def _answers(self) -> None:
        assert await describe_cluster(LOOPBACK, self._port) is not None

    async def stop(self) -> None:
        """Remove the container and its data."""
        await asyncio.to_thread(self._container.stop)

    async def watch(self) -> None:
        """Tests notice its end by themselves, so this waits for ever."""
        await asyncio.Event().wait()


async def start_container() -> Broker | None:
    """A started broker; None when no Docker engine answers."""
    if not await asyncio.to_thread(_engine_answers):
        return None
    broker = ContainerBroker()
    await broker.start()
    return broker


def _engine_answers() -> bool:
    """Asks where DOCKER_HOST points, by default the usual socket."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
    path = host.removeprefix("unix://")
    # The client library leaves its socket open when nothing listens, so that is found out first.
    if path != host and not _listens(path):
        return False
    try:
        return bool(DockerClient().client.ping())
    except (DockerException, OSError):
        return False


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
