"""Parts (b) and (d): a whole turn, our intake and four stages against ``bare``; CPU at full load, own time at rates.

In each pair both sides get a fresh installation on the same broker and keep as many bytes of state per conversation.
Both measure their own time themselves: webhook's handler entered → AI about to be asked, plus AI has answered →
platform about to be called. `fetch` does not run: a turn of text has nothing for it, and the profiles that it gets when
people first write are no part of what ``bare`` does.
"""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from streams.app import STAGES, build_topics
from tests.harness.deployment import Deployment
from tests.harness.topics import read_topic
from tests.perf import changelogs, machine
from tests.perf.crowd import Crowd
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import Ground, run_side

PLATFORM = "line"
MEASURED = ("intake", *(name for name in STAGES if name != "fetch"))
CONCURRENCY = 200
WARM_UP_RATE = 50
PERCENTILES = (0.5, 0.95, 0.99)
JUDGED_RATES = (20, 50)
"""Own time is promised at these; at a higher rate it is reported."""
REPORTED_RATE = 50
"""The JSON line's absolute own times are those at this rate."""


@dataclass(frozen=True)
class Size:
    """How long and how hard."""

    rates: tuple[int, ...]
    seconds: float
    warm_up_s: float
    turns: int


FULL = Size((20, 50, 100), 10.0, 5.0, 3_000)
QUICK = Size((50,), 3.0, 2.5, 500)


@dataclass
class Outcome:
    """One run of one side: µs of CPU a turn, [p50, p95, p99] of own time in ms per rate."""

    cpu_us: float
    own_ms: dict[int, list[float]]


async def run(ground: Ground) -> list[Figure]:
    """CPU a turn, own times, changelog bytes."""
    size = QUICK if ground.is_quick else FULL
    ours: list[Outcome] = []
    bare: list[Outcome] = []
    written: list[float] = []
    for pair in range(ground.pairs):
        outcome, written_bytes, state_bytes = await _ours(ground, size)
        ours.append(outcome)
        written.append(written_bytes)
        bare.append(await _bare(ground, size, state_bytes))
        ground.say(
            f"turn {pair + 1}/{ground.pairs}: ours {ours[-1].cpu_us:.0f} µs, own {ours[-1].own_ms}; "
            f"bare {bare[-1].cpu_us:.0f} µs, own {bare[-1].own_ms}; {state_bytes} bytes of state"
        )
    own_times = [figure for rate in size.rates for figure in _own_times(rate, ours, bare)]
    return [_cpu(size, ours, bare), *own_times, _changelogs(written)]


def _cpu(size: Size, ours: list[Outcome], bare: list[Outcome]) -> Figure:
    return Figure(
        part="turn",
        what=f"a whole turn, {CONCURRENCY} at once, {size.turns:,} turns",
        unit="CPU µs/turn",
        ours=tuple(outcome.cpu_us for outcome in ours),
        yardstick="bare",
        theirs=tuple(outcome.cpu_us for outcome in bare),
        wanted=Wanted(1.0),
        ratio_key="turn_vs_bare",
    )


def _own_times(rate: int, ours: list[Outcome], bare: list[Outcome]) -> list[Figure]:
    is_judged = rate in JUDGED_RATES
    figures = []
    for index, share in enumerate(PERCENTILES):
        name = f"p{share * 100:.0f}"
        is_told = name != "p95"
        figures.append(
            Figure(
                part="own",
                what=f"own time {name} at {rate} turns/s",
                unit="ms",
                ours=tuple(outcome.own_ms[rate][index] for outcome in ours),
                yardstick="bare",
                theirs=tuple(outcome.own_ms[rate][index] for outcome in bare),
                wanted=Wanted(1.5) if is_judged and is_told else None,
                ratio_key=f"own_time_{name}_vs_bare" if is_judged and is_told else "",
                value_key=f"own_time_ms_{name}" if rate == REPORTED_RATE and is_told else "",
            )
        )
    return figures


def _changelogs(written: list[float]) -> Figure:
    return Figure(
        part="turn",
        what="all changelogs of a whole turn, converse, respond and send together",
        unit="bytes/turn",
        ours=tuple(written),
    )


async def _bare(ground: Ground, size: Size, state_bytes: int) -> Outcome:
    result = await run_side(
        "tests.perf.bare",
        *("--bootstrap", ground.bootstrap),
        *("--rates", ",".join(map(str, size.rates))),
        *("--seconds", str(size.seconds)),
        *("--warm-up", str(size.warm_up_s)),
        *("--turns", str(size.turns)),
        *("--concurrency", str(CONCURRENCY)),
        *("--state-bytes", str(state_bytes)),
    )
    return Outcome(result["cpu_us_per_turn"], {rate: result[f"own_ms_at_{rate}"] for rate in size.rates})


async def _ours(ground: Ground, size: Size) -> tuple[Outcome, float, int]:
    """The outcome, changelog bytes a turn at full load, and bytes of state per conversation, halfway through it."""
    here = Deployment(ground.bootstrap, ground.folder / ground.fresh("turn"), platforms=[PLATFORM])
    async with here.running(MEASURED):
        crowd = Crowd(here.fakes[PLATFORM])
        await crowd.steady(WARM_UP_RATE, size.warm_up_s)
        spans: dict[int, tuple[float, float]] = {}
        for rate in size.rates:
            began_ms = time.time() * 1000
            await crowd.steady(rate, size.seconds)
            spans[rate] = (began_ms, time.time() * 1000)
        settings = here.product_settings
        before = await changelogs.state_bytes(ground.bootstrap, settings)
        began_ms, used_s = time.time() * 1000, _used_s(here)
        await crowd.full(size.turns, CONCURRENCY)
        cpu_us = (_used_s(here) - used_s) / size.turns * 1e6
        log = await read_topic(ground.bootstrap, build_topics(settings).events)
        written = await changelogs.written_since(ground.bootstrap, settings, began_ms)
        after = await changelogs.state_bytes(ground.bootstrap, settings)
    own_ms = {rate: _percentiles(log, span) for rate, span in spans.items()}
    return Outcome(cpu_us, own_ms), sum(written.values()) / size.turns, (before + after) // 2


def _used_s(here: Deployment) -> float:
    return sum(machine.cpu_s(here.processes[name].pid) for name in MEASURED)


def _percentiles(log: list[Any], span: tuple[float, float]) -> list[float]:
    """Of the own times that the log tells of this span."""
    began_ms, ended_ms = span
    sent = (orjson.loads(record.value) for record in log if began_ms <= record.timestamp_ms <= ended_ms)
    own = sorted(event["data"]["own_time_ms"] for event in sent if event["type"] == "message_sent")
    return [own[int(len(own) * share)] for share in PERCENTILES]
