"""The command line of the drills: ``python -m tests.fault.drill crash --quick --seed 7``, or ``all``.

Prints the seed first and one JSON object last, per drill; exit 1 when one did not pass. Progress goes to stderr.
"""

import argparse
import asyncio
import importlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from streams.broker import EmbeddedBroker, choose_broker
from streams.settings import Settings
from tests.fault.drill_frame import Drill, Frame, as_line, run_drill
from tests.harness.container import start_container

DRILLS = (
    *("crash", "zombie", "restart", "recovery", "redelivery", "intake", "overload", "brokers"),
    *("badinput", "forgery", "slow"),
)
OWN_BROKERS = frozenset({"brokers"})
"""Drills that break brokers start their own."""


def drill_named(name: str) -> Drill:
    """``run`` of ``tests.fault.drill_<name>``."""
    drill: Drill = importlib.import_module(f"tests.fault.drill_{name}").run
    return drill


@asynccontextmanager
async def some_broker(folder: Path) -> AsyncIterator[str]:
    """The bootstrap address of the broker that the settings choose, by default an embedded one of this run's own."""
    broker = await choose_broker(Settings(data_dir=folder / "broker", kafka_port=None), container=start_container)
    try:
        yield broker.bootstrap
    finally:
        if isinstance(broker, EmbeddedBroker):
            # Its data end with the drill, so nobody waits until they are in order.
            broker.kill_all()
        await broker.stop()


async def run_named(name: str, options: argparse.Namespace) -> bool:
    """Run one drill from its seed to its last line; whether it passed."""
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix=f"drill-{name}-"))
    if name in OWN_BROKERS:
        report = await _report(name, options, folder, "")
    else:
        async with some_broker(folder) as bootstrap:
            report = await _report(name, options, folder, bootstrap)
    if report["passed"]:
        shutil.rmtree(folder)
    else:
        print(f"logs of the processes are in {folder}", file=sys.stderr, flush=True)
    print(as_line(report), flush=True)
    return bool(report["passed"])


async def _report(name: str, options: argparse.Namespace, folder: Path, bootstrap: str) -> dict[str, object]:
    frame = Frame(name, seed=options.seed, is_quick=options.quick, bootstrap=bootstrap, folder=folder)
    return await run_drill(drill_named(name), frame)


def main() -> None:
    """Parse, run, exit."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault.drill", description=__doc__)
    parser.add_argument("name", choices=(*DRILLS, "all"))
    parser.add_argument("--quick", action="store_true", help="scale counts and waits down; ends within 50 s")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = DRILLS if options.name == "all" else (options.name,)
    passed = [asyncio.run(run_named(name, options)) for name in names]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
