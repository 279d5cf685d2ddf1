"""How long the public port waits for whoever connects: a socket from which no request comes in time is closed.

Closes connections, nothing else. aiohttp by itself waits for ever for the first byte and for the end of a head, so a
few thousand silent sockets would use up the process's file descriptors while nobody is served.
"""

import asyncio
import logging
from collections.abc import Iterable

from aiohttp import web

log = logging.getLogger(__name__)

SWEEP_S = 1.0
"""How often connections are looked at; a slow one lives up to twice that longer."""


class Patience:
    """Which connections have sent a whole request head for a channel of ours, and since when the others have not.

    A body has a limit of its own (see ``intake``), and what is not believed is answered with ``Connection: close``: so
    whoever is in ``served`` is answered soon, and then idles under aiohttp's keep-alive limit.
    """

    def __init__(self, timeout_s: float) -> None:
        self.served: set[asyncio.BaseProtocol] = set()
        self._timeout_s = timeout_s
        self._since: dict[web.RequestHandler, float] = {}

    def close_late(self, connections: Iterable[web.RequestHandler], now_s: float) -> int:
        """Close who keeps us waiting too long; how many. ``connections`` are all that are open."""
        self._since = {each: self._since.get(each, now_s) for each in connections}
        self.served.intersection_update(self._since)
        late = [each for each, since in self._since.items() if since < now_s - self._timeout_s]
        closed = [each.transport for each in late if each not in self.served and each.transport is not None]
        for transport in closed:
            transport.close()
        return len(closed)

    async def sweep(self, server: web.Server) -> None:
        """Close late ones, again and again."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(SWEEP_S)
            if closed := self.close_late(server.connections, clock()):
                log.info("closed %d connections that sent no request within %g s", closed, self._timeout_s)
