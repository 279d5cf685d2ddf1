"""A webhook for the tests of Meta's fakes: a connector's pure half behind a socket, for two accounts of one app."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.errors import WebhookRejected
from connectors.interface import Challenge, Channel, InboundRecord, Platform, Unprocessable, WebhookRequest
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent, decode_raw
from tests.contract.specimens import RECEIVED_AT
from tests.fakes.base import FakePlatform
from tests.harness.eventually import eventually


class Webhook:
    """Accepts for its channels; ``status`` other than 200 plays a broken intake, a cleared ``is_open`` a slow one."""

    def __init__(self, platform: Platform, channels: Sequence[Channel]) -> None:
        self.platform = platform
        self.channels = tuple(channels)
        self.records: list[InboundRecord] = []
        self.status = 200
        self.is_open = asyncio.Event()
        self.is_open.set()

    @property
    def events(self) -> list[AnyEvent]:
        """What was accepted, as normalise reads it; dead letters are left out."""
        made = [self.platform.normalise(self._raw(record)) for record in self.records]
        return [event for each in made if not isinstance(each, Unprocessable) for event in each]

    @property
    def kinds(self) -> list[str]:
        """The types of the events."""
        return [event.type for event in self.events]

    async def arrived(self, *expected: str) -> None:
        """Events of these types have come, in any order, and no others."""

        def check_kinds() -> None:
            assert sorted(self.kinds) == sorted(expected)

        await eventually(check_kinds)

    def _raw(self, record: InboundRecord) -> RawEvent:
        return decode_raw(record.value, platform=self.platform.name, channel=record.channel, received_at=RECEIVED_AT)

    async def answer(self, http: web.Request) -> web.Response:
        """What intake would answer; no signature, no record."""
        await self.is_open.wait()
        headers = {name.lower(): value for name, value in http.headers.items()}
        request = WebhookRequest(http.method, headers, dict(http.query), await http.read())
        if self.status != 200:
            return web.Response(status=self.status)
        try:
            result = self.platform.accept(request, self.channels[0], self.channels)
        except WebhookRejected as refusal:
            return web.Response(status=refusal.status)
        if isinstance(result, Challenge):
            return web.Response(text=result.text)
        self.records += result.records
        return web.Response()


def channel_of(fake: FakePlatform, id: str = "shop", **account: str) -> Channel:
    """A channel on the fake; ``account`` is how its table is told which, where it has several."""
    secrets = {f"env:{name}": value for name, value in fake.environment().items()}
    table = fake.channel_table(id, **account)
    values = {name: (secrets.get(value, value),) for name, value in table.items() if name not in {"id", "platform"}}
    return Channel(id, fake.name, values, api_base=fake.base_url)


def channels_of(fake: FakePlatform, option: str, accounts: Sequence[str]) -> list[Channel]:
    """The channels ``shop`` and ``cafe``, one for each account."""
    return [channel_of(fake, id, **{option: one}) for id, one in zip(("shop", "cafe"), accounts, strict=True)]


@asynccontextmanager
async def listening(fake: FakePlatform, hook: Webhook) -> AsyncIterator[Webhook]:
    """The webhook on a port of its own, where the fake delivers."""
    app = web.Application()
    app.router.add_route("*", "/", hook.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield hook
    await runner.cleanup()
