"""A tree of processes: start all, wait until all are ready, restart what ends, stop all in order.

Writes one line to ``say`` for everything that a person should know. Nobody outlives us: children are stopped here, and
by the kernel when we are killed (``process.die_with_parent``).
"""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from streams.cli.child import Child, Spec, StartFailed

FINAL_EXITS = frozenset({2, os.EX_DATAERR, os.EX_CONFIG})
"""A child that ends so would end so again: wrong usage, records that fail one like the other, a wrong setting."""


FAILED_START_S = 1.0
"""Nothing was taken in yet, so there is nothing to finish; the person waits for the message."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds. ``stop_s``: from the first SIGTERM to SIGKILL for all; ``intake_s`` of it belong to those that
    stop first. Restarts wait ``backoff_s``, doubled up to ``backoff_s_max``, and start over after ``healthy_s``."""

    ready_s: float = 60.0
    stop_s: float = 10.0
    intake_s: float = 3.0
    backoff_s: float = 0.5
    backoff_s_max: float = 15.0
    healthy_s: float = 30.0


class Supervisor:
    """Keeps one process per spec alive between ``start`` and ``stop``."""

    def __init__(self, specs: Sequence[Spec], *, say: Callable[[str], None], patience: Patience | None = None) -> None:
        self._specs = tuple(specs)
        self._say = say
        self._patience = patience or Patience()
        self._children: dict[str, Child] = {}
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process behind each name, right now."""
        return {name: child.process.pid for name, child in self._children.items()}

    async def start(self) -> None:
        """Start all at once and return when all are ready; raises StartFailed, after stopping the others."""
        try:
            async with asyncio.TaskGroup() as group:
                for spec in self._specs:
                    group.create_task(self._launch(spec))
        except* StartFailed as failures:
            await self.stop(within_s=FAILED_START_S)
            raise failures.exceptions[0] from None
        self._keepers = [asyncio.create_task(self._keep(spec)) for spec in self._specs]

    async def watch(self) -> None:
        """Watch for ever; raises StartFailed when a child ended in a way that a restart cannot repair."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_EXCEPTION)
        for keeper in done:
            keeper.result()

    async def stop(self, *, within_s: float | None = None) -> None:
        """SIGTERM to those that take work in, then to the rest, SIGKILL at the end of patience; all are gone after."""
        stop_s = self._patience.stop_s if within_s is None else min(within_s, self._patience.stop_s)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._keepers = []
        deadline = asyncio.get_running_loop().time() + stop_s
        first = [child for child in self._children.values() if child.spec.stops_first]
        for child in first:
            child.send(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(_all_ended(first), min(self._patience.intake_s, stop_s))
        for child in self._children.values():
            child.send(signal.SIGTERM)
        await self._end_by(deadline)

    async def _end_by(self, deadline: float) -> None:
        children = list(self._children.values())
        with suppress(TimeoutError):
            await asyncio.wait_for(_all_ended(children), max(0.0, deadline - asyncio.get_running_loop().time()))
        for child in children:
            if child.process.returncode is None:
                self._say(f"{child.spec.name} did not end in time and is killed")
                child.send(signal.SIGKILL)
        await _all_ended(children)
        self._children.clear()

    async def _launch(self, spec: Spec) -> None:
        child = self._children[spec.name] = await Child.launch(spec)
        await child.first_line(timeout_s=self._patience.ready_s)

    async def _keep(self, spec: Spec) -> None:
        """Restart one child for ever, later and later while it keeps ending; raises StartFailed on a final exit."""
        loop, patience = asyncio.get_running_loop(), self._patience
        wait_s, began = patience.backoff_s, loop.time()
        while True:
            child = self._children[spec.name]
            code = await child.ended()
            if code in FINAL_EXITS:
                raise StartFailed(f"{spec.name} ended with exit code {code}:\n{child.sink.told()}", code)
            if loop.time() - began > patience.healthy_s:
                wait_s = patience.backoff_s
            self._say(f"{spec.name} ended with exit code {code} and starts again in {wait_s:.1f} s")
            await asyncio.sleep(wait_s)
            wait_s, began = min(wait_s * 2, patience.backoff_s_max), loop.time()
            try:
                await self._launch(spec)
            except StartFailed as failure:
                self._say(str(failure))
                self._children[spec.name].send(signal.SIGKILL)
            else:
                self._say(f"{spec.name} works again")


async def _all_ended(children: Sequence[Child]) -> None:
    await asyncio.gather(*(child.ended() for child in children))
