"""All fakes in one process: ``python -m tests.fakes --webhook-base http://127.0.0.1:8080/webhooks --channel main``.

Prints one JSON line ``{"platforms": {name: {"url", "channel", "environment"}}}`` and serves until SIGTERM, SIGINT or
until its parent is gone.
"""

import argparse
import asyncio
import importlib
import json
import os
import pkgutil
import signal
import time

import tests.fakes
from tests.fakes.base import FakePlatform

PARENT = os.getppid()
PARENT_CHECK_S = 0.5


def discovered() -> dict[str, type[FakePlatform]]:
    """Every fake of this package by platform name; adding a module is enough."""
    found: dict[str, type[FakePlatform]] = {}
    for module in pkgutil.iter_modules(tests.fakes.__path__):
        if module.name == "__main__":
            continue
        members = vars(importlib.import_module(f"tests.fakes.{module.name}")).values()
        for member in members:
            if (
                isinstance(member, type)
                and issubclass(member, FakePlatform)
                and isinstance(vars(member).get("name"), str)
            ):
                found[member.name] = member
    return dict(sorted(found.items()))


async def serve(options: argparse.Namespace) -> None:
    """Start, announce, wait for the end, stop."""
    kinds = discovered()
    fakes = [kinds[name](seed=options.seed) for name in options.platform or kinds]
    platforms = {}
    for fake in fakes:
        url = await fake.start()
        fake.webhook_url = f"{options.webhook_base.rstrip('/')}/{fake.name}/{options.channel}"
        table = fake.channel_table(options.channel)
        platforms[fake.name] = {"url": url, "channel": table, "environment": fake.environment()}
    print(json.dumps({"platforms": platforms}), flush=True)
    await _end()
    await asyncio.gather(*(fake.stop() for fake in fakes))


async def _end() -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set() and os.getppid() == PARENT:
        try:
            await asyncio.wait_for(ended.wait(), PARENT_CHECK_S)
        except TimeoutError:
            continue


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("--webhook-base", required=True)
    parser.add_argument("--channel", default="main")
    parser.add_argument("--platform", action="append", choices=sorted(discovered()), help="default: all there are")
    # New ids on every start: a second run must not repeat the message ids of the first.
    parser.add_argument("--seed", type=int, default=time.time_ns() // 1_000_000)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
