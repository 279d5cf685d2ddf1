"""Fixtures for the tests of one platform: its fake, started, and a client of ours, under one clock that stands still.

    fake = running(FakeLine)
    sender = closing(lambda _: Sender())
    sender = uploading(lambda _: Sender())

The fixtures ``clock`` and ``shelf`` are those of ``tests/contract/conftest.py``, or the module's own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pytest

from connectors.interface import Uploader
from tests.fakes.base import FakePlatform
from tests.harness.shelf import Shelf

START_S = 1_790_000_000.0
"""21 September 2026."""


@dataclass
class Clock:
    """Unix seconds that stand still until they are moved."""

    now_s: float = START_S

    def __call__(self) -> float:
        return self.now_s


class Closable(Protocol):
    """A sender, a care, or whatever else keeps connections."""

    def close(self) -> Awaitable[None]:
        """Release them."""
        ...


class UploadingSender(Closable, Uploader, Protocol):
    """A sender that uploads."""


Client = TypeVar("Client", bound=Closable)
Sender = TypeVar("Sender", bound=UploadingSender)


def running(make: Callable[..., FakePlatform], *, redelivery_wait_s: float | None = None, **options: Any) -> Any:
    """A fixture: the fake made with these options, from its start to its end."""

    @pytest.fixture
    async def fake(clock: Clock) -> AsyncIterator[FakePlatform]:
        server = make(clock=clock, **options)
        server.redelivery_wait_s = redelivery_wait_s or server.redelivery_wait_s
        await server.start()
        yield server
        await server.stop()

    return fake


def closing(make: Callable[[Clock], Client]) -> Any:
    """A fixture: what ``make`` makes, closed at the end."""

    @pytest.fixture
    async def client(clock: Clock) -> AsyncIterator[Client]:
        made = make(clock)
        yield made
        await made.close()

    return client


def uploading(make: Callable[[Clock], Sender]) -> Any:
    """A fixture: the sender that ``make`` makes, which finds its media on the shelf."""

    @pytest.fixture
    async def sender(clock: Clock, shelf: Shelf) -> AsyncIterator[Sender]:
        made = make(clock)
        made.upload_from(shelf)
        yield made
        await made.close()

    return sender
