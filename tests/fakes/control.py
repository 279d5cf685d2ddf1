"""Remote control of a fake that runs in another process: routes under ``/_fake/``.

GET journal (``?after=N``: calls with n > N), deliveries, info, seen?user=U, faults. POST faults (as ``Faults.add``),
say {user, text}, choose {user, data}, deliver {events}, reset.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.fakes.base import FakePlatform


def add_routes(app: web.Application, fake: "FakePlatform") -> None:
    """Put the control routes in front of the platform's own."""
    controls = Control(fake)
    app.router.add_get("/_fake/journal", controls.journal)
    app.router.add_get("/_fake/deliveries", controls.deliveries)
    app.router.add_get("/_fake/info", controls.info)
    app.router.add_get("/_fake/seen", controls.seen)
    app.router.add_get("/_fake/faults", controls.faults)
    app.router.add_post("/_fake/faults", controls.add_fault)
    app.router.add_post("/_fake/say", controls.say)
    app.router.add_post("/_fake/choose", controls.choose)
    app.router.add_post("/_fake/deliver", controls.deliver)
    app.router.add_post("/_fake/reset", controls.reset)


class Control:
    """One method per route."""

    def __init__(self, fake: "FakePlatform") -> None:
        self._fake = fake

    async def journal(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        return web.json_response(self._fake.journal[after:])

    async def deliveries(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", 0))
        return web.json_response(self._fake.deliveries[after:])

    async def info(self, request: web.Request) -> web.Response:
        channel = self._fake.channel_table(request.query.get("channel", "main"))
        environment = self._fake.environment()
        return web.json_response({"name": self._fake.name, "channel_table": channel, "environment": environment})

    async def seen(self, request: web.Request) -> web.Response:
        return web.json_response(self._fake.seen(request.query["user"]))

    async def faults(self, request: web.Request) -> web.Response:
        return web.json_response([dataclasses.asdict(fault) for fault in self._fake.faults.switches])

    async def add_fault(self, request: web.Request) -> web.Response:
        options: dict[str, Any] = await request.json()
        try:
            self._fake.faults.add(**options)
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def say(self, request: web.Request) -> web.Response:
        event = await request.json()
        native_id = await self._fake.say(**event)
        return web.json_response({"id": native_id})

    async def choose(self, request: web.Request) -> web.Response:
        event = await request.json()
        native_id = await self._fake.choose(**event)
        return web.json_response({"id": native_id})

    async def deliver(self, request: web.Request) -> web.Response:
        events = (await request.json())["events"]
        return web.json_response({"status": await self._fake.deliver(self._fake.body(events))})

    async def reset(self, request: web.Request) -> web.Response:
        self._fake.reset()
        return web.json_response({})
