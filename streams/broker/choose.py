"""Chooses the broker that this process talks to: the one that is named, else a container, else one on our own JVM.

Reads the settings; starts what it chooses. Containers are for tests, so the caller brings the way to start one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from streams.broker.embedded import EmbeddedBroker
from streams.broker.errors import BrokerUnavailable
from streams.broker.probe import describe_cluster
from streams.broker.running import embedded_dir
from streams.broker.runtime import INSTALL_JAVA, NAME_A_BROKER, find_java
from streams.settings import Settings

logger = logging.getLogger(__name__)

NAMED_TIMEOUT_S = 15.0
"""How long a named broker has to answer; it may be starting beside us."""


class Broker(Protocol):
    """A broker that answers. Only what a client of it needs."""

    @property
    def bootstrap(self) -> str:
        """``host:port,…``"""
        ...

    @property
    def description(self) -> str:
        """One line for the log: what it is and where."""
        ...

    async def stop(self) -> None:
        """Stop it, if it was started for us."""
        ...

    async def watch(self) -> None:
        """Return never while it lives; raise BrokerDied when what was started for us ended by itself."""
        ...


class NamedBroker:
    """Somebody else's broker: neither started nor stopped here."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.description = f"Kafka at {bootstrap} (IRIS_KAFKA_BOOTSTRAP_SERVERS)"

    async def start(self) -> None:
        """Return when one of its servers answers; raises BrokerUnavailable after ``NAMED_TIMEOUT_S``."""
        servers = [_host_and_port(server) for server in self.bootstrap.split(",")]
        try:
            async with asyncio.timeout(NAMED_TIMEOUT_S):
                while not any([await describe_cluster(*server) for server in servers]):
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise BrokerUnavailable(
                f"no Kafka broker answers at {self.bootstrap} within {NAMED_TIMEOUT_S:.0f} s: start it, "
                "correct IRIS_KAFKA_BOOTSTRAP_SERVERS, or unset it to use an embedded broker"
            ) from error

    async def stop(self) -> None:
        """It is not ours to stop."""

    async def watch(self) -> None:
        """Clients notice its end by themselves and wait for its return, so this waits for ever."""
        await asyncio.Event().wait()


async def choose_broker(
    settings: Settings, *, container: Callable[[], Awaitable[Broker | None]] | None = None
) -> Broker:
    """The first that is to be had, started: named servers, ``container()`` unless it gives None, an embedded broker.

    Logs the choice in one line. Raises BrokerUnavailable, saying what to install or set, or another BrokerError.
    """
    broker = await _choose(settings, container)
    logger.info("broker: %s", broker.description)
    return broker


async def _choose(settings: Settings, container: Callable[[], Awaitable[Broker | None]] | None) -> Broker:
    if settings.kafka_bootstrap_servers is not None:
        named = NamedBroker(settings.kafka_bootstrap_servers)
        await named.start()
        return named
    contained = await container() if container is not None else None
    if contained is not None:
        return contained
    if find_java() is None:
        engine = "no Docker engine answers, " if container is not None else ""
        raise BrokerUnavailable(
            f"there is no Kafka broker to use: IRIS_KAFKA_BOOTSTRAP_SERVERS is not set, {engine}and no Java is "
            f"on PATH to run an embedded one: {NAME_A_BROKER}, or {INSTALL_JAVA}"
        )
    embedded = EmbeddedBroker(embedded_dir(settings), port=settings.kafka_port)
    await embedded.start()
    return embedded


def _host_and_port(server: str) -> tuple[str, int]:
    host, _, port = server.strip().rpartition(":")
    if not host or not port.isdecimal():
        raise BrokerUnavailable(f"IRIS_KAFKA_BOOTSTRAP_SERVERS: {server!r} is not host:port, such as 127.0.0.1:9092")
    return host.strip("[]"), int(port)
