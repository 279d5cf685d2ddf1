"""A fake platform, and the stage `fetch` that gets from it what converse asks for. One clock for both, no waiting.

``World.events`` turns the fake's native events into ours as intake and normalise do; ``World.fetched`` is everything
that `fetch` writes for one of them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver

from connectors.interface import Accepted, Channel, WebhookRequest
from connectors.registry import fetcher_class, platform_named
from connectors.shared.download import Downloader
from schemas import headers
from schemas.envelope import AnyEvent
from schemas.fetching import FetchRequest
from schemas.inbound import decode_raw
from schemas.registry import decode_event, encode
from streams.channels import Channels
from streams.conversation.media import fetch_requests
from streams.conversation.memory import DictMemory
from streams.conversation.model import BLANK
from streams.conversation.policy import Limits
from streams.conversation.state import evolve
from streams.engine.api import Record
from streams.media_store import media_store
from streams.settings import Settings
from streams.stages.fetch import Fetch
from streams.topics import Topics
from tests.fakes.base import FakePlatform

BESIDE_VALUES = ("id", "platform", "api_base")
TRACE = (headers.TRACEPARENT, b"00-1-2-01")


class World:
    """``now`` (seconds) is the clock of both sides; a wait of the stage moves it and is noted in ``waits``."""

    def __init__(self, fake: type[Any], folder: Path, **settings: Any) -> None:
        self.now = 1_790_000_000.0
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None
        self.fake: Any = fake(clock=lambda: self.now)
        self.settings = Settings(data_dir=folder, **settings)
        self.resolver: AbstractResolver | None = None

    async def start(self) -> None:
        await self.fake.start()
        self.channel = channel_of(self.fake)
        self.topics = Topics("iris.", [self.fake.name])
        self.download = Downloader(
            bytes_max=self.settings.media_bytes_max, timeout_s=self.settings.fetch_timeout_s, resolver=self.resolver
        )
        made = fetcher_class(self.fake.name)
        self.stage = Fetch(
            self.topics,
            self.settings,
            Channels((self.channel,)),
            fetchers=lambda _: made() if made else None,
            download=self.download,
            store=media_store(self.settings),
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        await self.stage.start()

    async def stop(self) -> None:
        await self.stage.stop()
        await self.fake.stop()

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        self.on_wait()

    def events(self, *native: dict[str, Any]) -> list[AnyEvent]:
        """Our events of one webhook body."""
        return self.events_of(self.fake.body(list(native)))

    def events_of(self, body: bytes) -> list[AnyEvent]:
        """The same, of a body that the fake's ``body`` would not make."""
        platform = platform_named(self.fake.name)
        proof = {name.lower(): value for name, value in self.fake.headers(body).items()}
        request = WebhookRequest("POST", proof, self.fake.query(body), body)
        accepted = platform.accept(request, self.channel, (self.channel,))
        assert isinstance(accepted, Accepted)
        made: list[AnyEvent] = []
        for record in accepted.records:
            raw = decode_raw(
                record.value, platform=platform.name, channel=record.channel, received_at=int(self.now * 1000)
            )
            events = platform.normalise(raw)
            assert isinstance(events, tuple), events
            made += events
        return made

    def requests(self, *native: dict[str, Any]) -> list[FetchRequest]:
        """What converse would ask for."""
        return self.requests_of(self.fake.body(list(native)))

    def requests_of(self, body: bytes) -> list[FetchRequest]:
        """The same, of a body that the fake's ``body`` would not make."""
        found = []
        for event in self.events_of(body):
            after = evolve(BLANK, event, DictMemory(), Limits())
            found += fetch_requests(BLANK, after, event)
        return found

    async def fetch(self, request: FetchRequest) -> list[AnyEvent]:
        """What `fetch` writes for one command."""
        outputs = await self.stage.handle(None, [self.record(request)])  # type: ignore[arg-type]
        return [decode_event(output.value) for output in outputs]

    async def media(self, *native: dict[str, Any]) -> AnyEvent:
        """What becomes of the only media of a webhook body."""
        return await self.media_of(self.fake.body(list(native)))

    async def media_of(self, body: bytes) -> AnyEvent:
        """The same, of a body that the fake's ``body`` would not make."""
        (request,) = (request for request in self.requests_of(body) if request.what == "media")
        (event,) = await self.fetch(request)
        return event

    async def profile(self, *native: dict[str, Any]) -> AnyEvent | None:
        """What becomes known about its only sender."""
        (request,) = (request for request in self.requests(*native) if request.what == "profile")
        return next(iter(await self.fetch(request)), None)

    def record(self, request: FetchRequest) -> Record:
        key = request.conversation_id.encode()
        return Record(self.topics.fetch, 0, 0, int(self.now * 1000), key, encode(request), (TRACE,))

    @property
    def paths(self) -> list[tuple[str, int]]:
        """What the platform was asked, and the status that it answered."""
        found: list[tuple[str, int]] = self.fake.lookups
        return found


def channel_of(fake: FakePlatform) -> Channel:
    """The fake's own table, with its secrets filled in."""
    table, environment = fake.channel_table("shop"), fake.environment()
    values = {
        name: (environment.get(str(value).removeprefix("env:"), str(value)),)
        for name, value in table.items()
        if name not in BESIDE_VALUES
    }
    return Channel("shop", fake.name, values, api_base=fake.base_url)


def stored_bytes(event: AnyEvent) -> bytes:
    """What lies behind the link of a `media_stored`."""
    url = urlsplit(event.data.content.url)
    assert url.scheme == "file"
    return Path(url.path).read_bytes()


@asynccontextmanager
async def running(fake: type[Any], folder: Path, **settings: Any) -> AsyncIterator[World]:
    """A started world."""
    world = World(fake, folder, **settings)
    await world.start()
    try:
        yield world
    finally:
        await world.stop()


def files(folder: Path) -> list[Path]:
    """Every file under it."""
    return [path for path in folder.rglob("*") if path.is_file()]
