"""The live view of a run: a table that renews itself on a terminal, one line now and then elsewhere. Writes stderr."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live

from streams.cli.summary import line, table

RENEW_S = 0.5
LINE_S = 2.0
"""Without a terminal a line is enough, and a log is not flooded."""

Look = Callable[[], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def display(console: Console, look: Look, *, is_shown: bool) -> AsyncIterator[None]:
    """Show what ``look`` gives while the body runs; ``is_shown`` False only looks."""
    show = _only_look(look) if not is_shown else _table(console, look) if console.is_terminal else _lines(console, look)
    task = asyncio.create_task(show)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _table(console: Console, look: Look) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            result = await _looked(look)
            if result is not None:
                live.update(table(result), refresh=True)
            await asyncio.sleep(RENEW_S)


async def _lines(console: Console, look: Look) -> None:
    shown_at = 0.0
    while True:
        result = await _looked(look)
        if result is not None and time.monotonic() - shown_at >= LINE_S:
            console.print(f"{result['seconds']:.0f} s: {line(result)}", highlight=False, soft_wrap=True)
            shown_at = time.monotonic()
        await asyncio.sleep(RENEW_S)


async def _only_look(look: Look) -> None:
    while True:
        await _looked(look)
        await asyncio.sleep(RENEW_S)


async def _looked(look: Look) -> dict[str, Any] | None:
    # A simulated platform that does not answer just now is asked again; the demo's end judges.
    try:
        return await look()
    except (aiohttp.ClientError, TimeoutError):
        return None
