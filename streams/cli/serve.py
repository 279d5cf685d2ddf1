"""The command ``iris serve``: starts the tree, shows what it does, ends it on Ctrl-C or by itself.

stdout gets the JSON summary and nothing else; everything said to a person goes to stderr.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.logging import RichHandler

from streams.app import announce_ready, configured_channels
from streams.broker import choose_broker
from streams.cli.demo import Demo
from streams.cli.display import display
from streams.cli.logs import setup_logging
from streams.cli.operating import operating
from streams.cli.output import write_lines
from streams.cli.stopping import Stopped, stop_requested, unless
from streams.cli.summary import is_whole, summary, table
from streams.cli.tree import Tree, running, settings_with_ports, webhook_base
from streams.ensure import ensure_topics
from streams.settings import Settings

log = logging.getLogger("iris")

DRAIN_S = 30.0
"""A turn may take 15 s and its sending as long again; what is not settled then is lost."""
QUIET_S = 1.0
"""The log says nothing new for so long: what was under way has arrived."""
FOR_EVER_S = 1e9
LOST = 1


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for. ``seconds`` None: until Ctrl-C."""

    demo: bool = False
    seconds: float | None = None
    rate_per_s: float = 20.0
    bare: bool = True
    as_json: bool = False


def run_serve(settings: Settings, order: Order) -> None:
    """Until SIGTERM, SIGINT or the end of ``seconds``; exit code 1 when something was lost. Raises CommandError."""
    console = Console(stderr=True)
    with operating():
        setup_logging(settings, _terminal_handler(console) if console.is_terminal else None)
        result = asyncio.run(_Run(settings, order, console).result())
    if result is None:
        return
    if order.as_json:
        write_lines([result])
    else:
        console.print(table(result))
    if not is_whole(result):
        raise typer.Exit(LOST)


def _terminal_handler(console: Console) -> logging.Handler:
    # It shares the console with the live table, so that neither writes over the other.
    handler = RichHandler(console=console, show_path=False, show_level=False)
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


class _Run:
    """One run of the command."""

    def __init__(self, settings: Settings, order: Order, console: Console) -> None:
        self._settings, self._order, self._console = settings, order, console
        self._demo: Demo | None = None
        self._began = time.monotonic()

    async def result(self) -> dict[str, Any] | None:
        """The summary; None when it was stopped before it worked, or has nothing to sum up."""
        async with stop_requested() as stop, AsyncExitStack() as stack:
            try:
                tree = await self._start(stack, stop)
            except Stopped:
                log.info("stopped while starting")
                return None
            is_drained = await self._work(tree, stop)
            if self._demo is None and self._order.seconds is None:
                return None
            return self._summary(tree, is_drained=is_drained)

    async def _start(self, stack: AsyncExitStack, stop: asyncio.Event) -> Tree:
        settings = self._settings
        is_demo = self._order.demo or not configured_channels(settings).all
        if is_demo and not self._order.demo:
            log.info("no channel is configured in %s, so simulated platforms stand in (--demo)", settings.config)
        settings = settings_with_ports(settings, log.info, is_any_port_fine=is_demo)
        broker = await unless(stop, choose_broker(settings))
        stack.push_async_callback(broker.stop)
        settings = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap})
        created = await unless(stop, ensure_topics(broker.bootstrap, settings))
        log.info("topics: all there, %d of them new", len(created))
        if is_demo:
            demo = Demo(settings, rate_per_s=self._order.rate_per_s, say=log.info)
            self._demo = await unless(stop, stack.enter_async_context(demo))
            if self._order.bare:
                await unless(stop, demo.measure_bare(broker.bootstrap))
            settings = demo.settings
        tree = await unless(stop, stack.enter_async_context(running(settings, broker, say=log.info)))
        for channel in tree.channels.all:
            log.info("webhook: %s/%s/%s", webhook_base(settings), channel.platform, channel.id)
        await announce_ready()
        return tree

    async def _work(self, tree: Tree, stop: asyncio.Event) -> bool:
        """Serve until the end; True when everything that was under way then has been settled or given up."""
        self._began = self._ended = time.monotonic()
        async with display(self._console, lambda: self._look(tree), is_shown=self._is_shown):
            try:
                try:
                    await unless(stop, tree.guarded(self._serve(tree)))
                finally:
                    self._ended = time.monotonic()
                await unless(stop, tree.guarded(self._drain(tree)))
            except Stopped:
                log.info("stopping")
                return False
        return True

    @property
    def _is_shown(self) -> bool:
        return self._demo is not None and not self._order.as_json

    async def _serve(self, tree: Tree) -> None:
        seconds = self._order.seconds
        if self._demo is None:
            await asyncio.sleep(seconds if seconds is not None else FOR_EVER_S)
            return
        tree.tally.is_timing = False
        await self._demo.work(seconds, on_warm=lambda: setattr(tree.tally, "is_timing", True))

    async def _drain(self, tree: Tree) -> None:
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline:
            await self._look(tree)
            owed = self._demo.crowd.owed if self._demo else 0
            if not owed and not tree.tally.residual and tree.reader.quiet_s > QUIET_S:
                return
            await asyncio.sleep(0.2)

    async def _look(self, tree: Tree) -> dict[str, Any]:
        if self._demo is not None:
            await self._demo.crowd.look()
        return self._summary(tree, is_drained=False)

    def _summary(self, tree: Tree, *, is_drained: bool) -> dict[str, Any]:
        demo = self._demo
        ended = self._ended if self._ended > self._began else time.monotonic()
        return summary(
            tree.tally,
            demo.crowd.audiences if demo else None,
            seconds=ended - self._began,
            bare_own_ms_p50=demo.bare_own_ms_p50 if demo else None,
            is_drained=is_drained,
        )
