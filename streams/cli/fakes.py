"""The simulated platforms of the demo: one child process, started from the source checkout, spoken to over HTTP.

Reads the child's announcement (one JSON line: each platform's address, ``[[channels]]`` table and secrets). Writes a
temporary ``iris.toml`` that adds those channels to the ones that are configured.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import streams
from streams.cli.output import CommandError

CHANNEL = "demo"
ANNOUNCED_WITHIN_S = 20.0
STOP_S = 2.0
CHECKOUT = Path(streams.__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class FakePlatform:
    """One simulated platform: ``url`` is its API and its remote control, ``channel`` its table for iris.toml."""

    name: str
    url: str
    channel: dict[str, Any]
    environment: dict[str, str]


class Fakes:
    """All simulated platforms; ``start`` before anything else."""

    def __init__(self, *, webhook_base: str) -> None:
        self._webhook_base = webhook_base
        self._process: asyncio.subprocess.Process | None = None
        self.platforms: tuple[FakePlatform, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        """The secrets that the channels name."""
        return {name: value for fake in self.platforms for name, value in fake.environment.items()}

    async def start(self) -> None:
        """Start them on free ports; raises CommandError when there are none to start, or they do not start."""
        argv = ("-m", "tests.fakes", "--webhook-base", self._webhook_base, "--channel", CHANNEL)
        self._process = await start_from_checkout(argv)
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), ANNOUNCED_WITHIN_S)
            announced = orjson.loads(line)["platforms"]
        except (TimeoutError, ValueError, KeyError) as error:
            raise CommandError(
                "the simulated platforms did not start; what they said stands above", exit_code=70
            ) from error
        self.platforms = tuple(
            FakePlatform(name, item["url"], item["channel"], item["environment"]) for name, item in announced.items()
        )

    async def stop(self) -> None:
        """End the process, kindly first; does nothing when it is gone."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def start_from_checkout(argv: tuple[str, ...]) -> asyncio.subprocess.Process:
    """Python with a module of the source checkout, its stdout ours to read; raises CommandError without a checkout."""
    if not (CHECKOUT / "tests" / "fakes" / "__main__.py").exists():
        raise CommandError(
            f"the demo's simulated platforms are part of the source checkout, and {CHECKOUT} is none; run `iris serve` "
            "from a checkout, or configure a channel in iris.toml",
            exit_code=os.EX_UNAVAILABLE,
        )
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        process_group=0,
    )


def channels_toml(existing: str, fakes: tuple[FakePlatform, ...]) -> str:
    """The text of an ``iris.toml`` with the simulated channels after those of ``existing``."""
    tables = [existing.rstrip(), *(_table(fake.channel) for fake in fakes)]
    return "\n\n".join(filter(None, tables)) + "\n"


def _table(channel: dict[str, Any]) -> str:
    return "\n".join(["[[channels]]", *(f"{name} = {_toml(value)}" for name, value in channel.items())])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + " }"
    # Text, numbers, booleans and lists of them are written alike in TOML and in JSON.
    return json.dumps(value, ensure_ascii=False)
