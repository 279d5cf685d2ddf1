"""Measures the product beside its yardsticks: one table, one JSON line as the last line of stdout.

  python -m tests.perf.bench [--quick] [--only stage,turn,intake,normalise,growth,recovery] [--pairs N] [--write]
                             [--strict]

``make bench`` prepares the environment that Quix Streams needs. Figures are worth something on a quiet machine only;
the table says how busy it was. With --strict the exit code is 1 when a promised figure was missed.
"""

import argparse
import asyncio
import logging
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson
from rich.console import Console

from streams.broker import BrokerError, choose_broker
from streams.broker.runtime import KAFKA_VERSION
from streams.settings import Settings
from tests.harness.container import start_container
from tests.perf import growth, intake, machine, normalise, recovery, stage, turn
from tests.perf.figures import Figure, json_members
from tests.perf.ground import QUIX_PYTHON, ROOT, BenchFailed, Ground
from tests.perf.report import Setting, show, write

Part = Callable[[Ground], Awaitable[list[Figure]]]
PARTS: dict[str, Part] = {
    "stage": stage.run,
    "turn": turn.run,
    "intake": intake.run,
    "normalise": normalise.run,
    "growth": growth.run,
    "recovery": recovery.run,
}
PAIRS = 5
QUICK_PAIRS = 1
SUMMARY = ROOT / "deploy" / "docs" / "benchmarks.md"
TABLE_COLUMNS = 200
OPEN_FILES = 16_384


async def measure(options: argparse.Namespace) -> tuple[list[Figure], Setting]:
    """Run the parts that were asked for, one after the other, on one broker of their own."""
    began, load = time.monotonic(), machine.load()
    # Like Ctrl-C, so that the processes under measurement end with the bench.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="iris-bench-", ignore_cleanup_errors=True) as folder:
        settings = Settings(data_dir=Path(folder) / "broker", kafka_port=None)
        broker = await choose_broker(settings, container=start_container)
        try:
            ground = Ground(broker.bootstrap, Path(folder), options.quick, options.pairs)
            for names in _rounds(options.only, is_quick=options.quick):
                round_began = time.monotonic()
                for found in await asyncio.gather(*(PARTS[name](ground) for name in names)):
                    figures += found
                ground.say(f"{' and '.join(names)}: {time.monotonic() - round_began:.0f} s")
        finally:
            await broker.stop()
    versions = ", ".join(f"{name} {version(name)}" for name in ("aiokafka", "faust-streaming", "rocksdict"))
    setting = Setting(
        day=datetime.now(UTC).date(),
        machine=machine.description(),
        load=load,
        pairs=options.pairs,
        is_quick=options.quick,
        seconds=time.monotonic() - began,
        versions=f"Kafka {KAFKA_VERSION}, {versions}",
    )
    return figures, setting


def _rounds(names: list[str], *, is_quick: bool) -> list[list[str]]:
    """Parts one after the other. When time is short, those share it that count CPU at a given load, and before the part
    that measures how long things take: whoever comes first meets a broker whose code the JVM has not compiled yet."""
    if not is_quick:
        return [[name] for name in names]
    together = [name for name in names if name in ("intake", "growth")]
    last = [[name] for name in names if name == "turn"]
    rounds = [[name] for name in names if name not in together and name != "turn"]
    return [*rounds, *([together] if together else []), *last]


def parse() -> argparse.Namespace:
    """The command line; a part that does not exist ends it with code 2."""
    parser = argparse.ArgumentParser(prog="python -m tests.perf.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller, one pair: within 50 s")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas: " + ", ".join(PARTS))
    parser.add_argument("--pairs", type=int, help=f"of each comparison; default {PAIRS}, quick {QUICK_PAIRS}")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {SUMMARY.relative_to(ROOT)}")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a promised figure was missed")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = [name for name in options.only if name not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    if "stage" in options.only and not QUIX_PYTHON.exists():
        parser.error("Quix Streams is not installed: run `make bench`, or leave out the part `stage`")
    if options.write and (options.quick or set(options.only) != set(PARTS)):
        parser.error("only a complete run is kept: leave out --quick and --only")
    options.pairs = options.pairs or (QUICK_PAIRS if options.quick else PAIRS)
    return options


def main() -> None:
    """Measure, show, keep."""
    options = parse()
    # The clients tell of every topic that is not quite there yet; what fails for good is raised.
    logging.disable(logging.ERROR)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES if hard < 0 else min(OPEN_FILES, hard), hard))
    try:
        figures, setting = asyncio.run(measure(options))
    except asyncio.CancelledError:
        sys.exit("bench: stopped")
    except (BenchFailed, BrokerError) as error:
        sys.exit(f"bench: {error}")
    show(figures, setting, Console(width=TABLE_COLUMNS))
    if options.write:
        write(figures, setting, SUMMARY)
    print(orjson.dumps(json_members(figures)).decode(), flush=True)
    if options.strict and any(figure.is_good is False for figure in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
