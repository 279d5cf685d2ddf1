"""Brokers for tests: one shared by the whole run, and clusters of one's own to break.

Fixtures (loaded by ``tests/conftest.py``):

    broker        a running broker, shared by every test of the session: give each test its own ``unique_prefix()``
    make_broker   ``await make_broker(nodes=3, …)``: a started ``EmbeddedBroker`` of this test's own, ended with it

The shared one is what ``choose_broker`` finds: ``IRIS_KAFKA_BOOTSTRAP_SERVERS`` as pytest was started with it, else a
container where a Docker engine answers, else an embedded one.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from streams.broker import Broker, EmbeddedBroker, choose_broker
from streams.settings import Settings
from tests.harness.container import start_container

BrokerFactory = Callable[..., Awaitable[EmbeddedBroker]]


def unique_prefix(name: str = "t") -> str:
    """A topic prefix that no other test of this broker has: ``t-3f9a1c77.``"""
    return f"{name}-{uuid.uuid4().hex[:8]}."


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """Any running broker; do not stop, pause or reconfigure it."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("broker"), kafka_port=None)
    chosen = await choose_broker(settings, container=start_container)
    yield chosen
    await chosen.stop()


@pytest_asyncio.fixture
async def make_broker(tmp_path: Path) -> AsyncIterator[BrokerFactory]:
    """Starts clusters on demand, in directories of this test; at its end they are killed, their data being void."""
    started: list[EmbeddedBroker] = []

    async def make(**options: Any) -> EmbeddedBroker:
        options.setdefault("data_dir", tmp_path / f"cluster-{len(started)}")
        cluster = EmbeddedBroker(**options)
        started.append(cluster)
        await cluster.start()
        return cluster

    yield make
    for cluster in started:
        cluster.kill_all()
    await asyncio.gather(*(cluster.stop() for cluster in started))
