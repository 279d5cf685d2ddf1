"""The demo: simulated platforms, the people who write to them, and the bare yardstick beside our own figure.

An async context manager: inside it the simulated platforms run, and ``settings`` are those of a tree that serves them.
Knows no platform by name: it takes what the fakes announce.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from streams.cli.crowd import Crowd
from streams.cli.fakes import Fakes, channels_toml, start_from_checkout
from streams.cli.tree import webhook_base
from streams.settings import Settings

BARE_SECONDS = 5
BARE_WITHIN_S = 60.0
WARM_UP_S = 3.0
"""Our own time is counted after this; the yardstick warms up as well."""
STATE_BYTES = 4_000
"""Of one conversation in the yardstick, about what ours weighs."""


class Demo:
    """One demo; ``crowd`` is there once entered."""

    def __init__(self, settings: Settings, *, rate_per_s: float, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.rate_per_s = rate_per_s
        self.bare_own_ms_p50: float | None = None
        self._say = say
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Demo":
        """Start the fakes; raises CommandError."""
        try:
            fakes = Fakes(webhook_base=webhook_base(self.settings))
            self._stack.push_async_callback(fakes.stop)
            await fakes.start()
            folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="iris-demo-")))
            self.settings = self.settings.model_copy(update={"config": self._write_config(folder, fakes)})
            # The channels name these variables: we read them here, and our children inherit them.
            os.environ.update(fakes.environment)
            self.crowd = await self._stack.enter_async_context(Crowd(fakes.platforms))
        except BaseException:
            await self._stack.aclose()
            raise
        self._say(f"simulated platforms: {', '.join(fake.name for fake in fakes.platforms)}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def measure_bare(self, bootstrap: str) -> None:
        """Run the yardstick on the same broker at the same rate; a failure costs only the comparison."""
        rate = max(1, round(self.rate_per_s))
        self._say(f"measuring the bare yardstick at {rate} messages a second")
        options = {
            "bootstrap": bootstrap,
            "rates": rate,
            "turns": 0,
            "seconds": BARE_SECONDS,
            "state-bytes": STATE_BYTES,
        }
        argv = [f"--{name}={value}" for name, value in options.items()]
        process = await start_from_checkout(("-m", "tests.perf.bare", *argv))
        try:
            output, _ = await asyncio.wait_for(process.communicate(), BARE_WITHIN_S)
            self.bare_own_ms_p50 = orjson.loads(output.splitlines()[-1])[f"own_ms_at_{rate}"][0]
        except (TimeoutError, ValueError, KeyError, IndexError) as error:
            self._say(f"the yardstick gave no figure ({type(error).__name__}), so there is none to compare with")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def work(self, seconds: float | None, *, on_warm: Callable[[], None]) -> None:
        """People write for so long (None: for ever); ``on_warm`` is called when times begin to count."""
        warm_up_s = WARM_UP_S if seconds is None else min(WARM_UP_S, seconds / 4)
        asyncio.get_running_loop().call_later(warm_up_s, on_warm)
        until = float("inf") if seconds is None else time.monotonic() + seconds
        await self.crowd.write(rate_per_s=self.rate_per_s, until=until)

    def _write_config(self, folder: Path, fakes: Fakes) -> Path:
        existing = self.settings.config
        path = folder / "iris.toml"
        path.write_text(channels_toml(existing.read_text() if existing.exists() else "", fakes.platforms))
        return path
