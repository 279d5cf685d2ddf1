"""The admin port of a process: ``/livez``, ``/readyz``, ``/startupz`` and ``/metrics``, open to whoever reaches it, and
what a process has to show under ``/v1``, behind a bearer token. Writes nothing."""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr

from streams.settings import SettingsError

KEEPALIVE_S = 75.0
SHUTDOWN_S = 5.0
BACKLOG = 1_024
"""Connections that wait to be accepted while the loop is busy; beyond it the kernel drops them without a word."""

Readiness = Callable[[], str]
"""Empty when the process can work, else what it waits for."""


def admin_application(readiness: Readiness) -> web.Application:
    """Routes of the admin port. Alive: the loop answers. Ready and started: ``readiness`` says nothing."""

    async def alive(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_request: web.Request) -> web.Response:
        missing = readiness()
        return web.Response(text=f"{missing or 'ok'}\n", status=503 if missing else 200)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/livez", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/startupz", ready)
    app.router.add_get("/metrics", metrics)
    return app


def add_view(app: web.Application, path: str, view: Callable[[], Any], token: SecretStr | None) -> None:
    """``GET path`` answers ``view()`` as JSON to whoever shows the token: 401 without it, 403 where none is set."""
    wanted = token.get_secret_value() if token is not None else ""

    async def answer(request: web.Request) -> web.Response:
        if not wanted:
            return web.json_response({"error": f"{path} is closed: set IRIS_ADMIN_TOKEN and restart"}, status=403)
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, f"Bearer {wanted}".encode()):
            headers = {"WWW-Authenticate": "Bearer"}
            return web.json_response({"error": "send IRIS_ADMIN_TOKEN as bearer token"}, status=401, headers=headers)
        return web.json_response(view())

    app.router.add_get(path, answer)


async def listen(
    app: web.Application, host: str, port: int, *, variable: str, options: Mapping[str, Any] | None = None
) -> web.AppRunner:
    """Serve an application, with further ``options`` of aiohttp's server; raises SettingsError, naming the variable,
    when the port cannot be opened."""
    limits: dict[str, Any] = {"keepalive_timeout": KEEPALIVE_S, "shutdown_timeout": SHUTDOWN_S}
    runner = web.AppRunner(app, access_log=None, **limits, **(options or {}))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"{host}:{port} cannot be opened ({error.strerror}); set {variable} to a free port"
        ) from error
    return runner
