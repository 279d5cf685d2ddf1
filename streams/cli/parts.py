"""``iris intake`` and ``iris worker``: the parts apart, for many machines.

One stage runs in this process; several run as one child process each, so that a slow one never holds back another.
All of them need a broker that is already there and topics that ``iris topics ensure`` made.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from streams.app import STAGES, announce_ready, run_intake, run_stage
from streams.cli.child import Spec
from streams.cli.logs import setup_logging
from streams.cli.operating import operating
from streams.cli.output import CommandError, say
from streams.cli.stopping import Stopped, stop_requested, unless
from streams.cli.supervise import Supervisor
from streams.settings import Settings

COLLECT_AFTER = 20_000
"""New objects between two rounds of Python's collector (the default is 700): nearly all of them go by themselves."""


def intake(settings: Settings) -> None:
    """Until SIGTERM or SIGINT; raises CommandError."""
    _run(run_intake, settings)


def worker(settings: Settings, stages: Sequence[str]) -> None:
    """Until SIGTERM or SIGINT; raises CommandError, which names a stage that does not exist."""
    unknown = [name for name in stages if name not in STAGES]
    if unknown or not stages:
        wrong = f"no stage {unknown[0]!r}" if unknown else "no stage named"
        raise CommandError(f"{wrong}; there are: {', '.join(STAGES)}", exit_code=2)
    if len(stages) == 1:
        _run(partial(run_stage, stages[0]), settings)
    else:
        with operating():
            setup_logging(settings)
            # uvloop cannot start a child in a process group of its own, and nothing here needs its speed.
            asyncio.run(_supervise(stages, settings.kafka_url))


def stage_spec(name: str, env: Mapping[str, str], *, log: Path | None = None) -> Spec:
    """The child process that runs one stage; without ``log`` its output goes to ours."""
    return Spec(name, (sys.executable, "-m", "streams.cli", "worker", "--stages", name), env, log)


def intake_spec(env: Mapping[str, str], *, log: Path | None = None) -> Spec:
    """The child process that takes webhooks in; it stops before the stages do."""
    return Spec("intake", (sys.executable, "-m", "streams.cli", "intake"), env, log, stops_first=True)


def _run(part: Callable[[Settings], Coroutine[Any, Any, None]], settings: Settings) -> None:
    with operating():
        setup_logging(settings)
        _spare_the_collector()
        uvloop.run(part(settings))


def _spare_the_collector() -> None:
    """What is there now stays, so Python's collector need not look through it again and again: each of its full rounds
    would hold up every conversation for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


async def _supervise(stages: Sequence[str], kafka_url: str) -> None:
    # The address is asked for before, so that its absence is said once and not by every child.
    specs = [stage_spec(name, {"IRIS_KAFKA_BOOTSTRAP_SERVERS": kafka_url}) for name in dict.fromkeys(stages)]
    supervisor = Supervisor(specs, say=say)
    async with stop_requested() as stop:
        try:
            await unless(stop, supervisor.start())
            await announce_ready()
            await unless(stop, supervisor.watch())
        except Stopped:
            pass
        finally:
            await supervisor.stop()
