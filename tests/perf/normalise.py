"""Part (g): what it costs to verify a webhook and to make events of it, beside reading and proving the same body once.

Ours is ``accept`` (proof, split, raw record) and ``normalise`` of its record, in CPU of this process, for an ordinary
text message as each simulated platform signs it. The yardstick is ``orjson.loads`` and HMAC-SHA256 of the same body;
where that is no JSON, the standard library's XML parser stands in for orjson. The promise is about the median platform.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from statistics import median_low
from typing import Any
from xml.etree import ElementTree

import orjson

from connectors.interface import Accepted, Channel, Platform, WebhookRequest
from connectors.registry import platform_named
from schemas.inbound import decode_raw
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import Ground

TEXT = "hello, where is my parcel?"
SECRET = b"a channel secret of thirty chars"
RECEIVED_AT = 1_790_000_000_000
BATCH_S = 0.001
"""Batches of both sides are of equal length and take turns, so both find the moments in which nothing else runs."""
ROUNDS = 200
QUICK_ROUNDS = 60
LIMIT = 6.0
"""Times the yardstick, on the median platform."""

Work = Callable[[], object]


async def run(ground: Ground) -> list[Figure]:
    """One figure for each platform; that of the median platform carries the promise."""
    rounds = QUICK_ROUNDS if ground.is_quick else ROUNDS
    figures = [_figure(fake(seed=1), rounds, ground.pairs) for fake in discovered().values()]
    middle = median_low(sorted(figure.judged for figure in figures))
    return [figure if figure.judged != middle else _promised(figure) for figure in figures]


def _promised(figure: Figure) -> Figure:
    return Figure(
        part=figure.part,
        what=f"{figure.what} (the median)",
        unit=figure.unit,
        ours=figure.ours,
        yardstick=figure.yardstick,
        theirs=figure.theirs,
        wanted=Wanted(LIMIT),
        ratio_key="normalise_vs_parse",
    )


def _figure(fake: FakePlatform, rounds: int, pairs: int) -> Figure:
    platform = platform_named(fake.name)
    channel = _channel(fake, platform)
    body = fake.body([fake.user_message("ann", TEXT)])
    headers = {name.lower(): value for name, value in fake.headers(body).items()}
    request = WebhookRequest("POST", headers, fake.query(body), body)
    ours, theirs = _ours(platform, channel, request), _theirs(body)
    measured = [cpu_us((ours, theirs), rounds) for _ in range(pairs)]
    return Figure(
        part="normalise",
        what=f"{fake.name}, {len(body)} bytes",
        unit="CPU µs/webhook",
        ours=tuple(own for own, _ in measured),
        yardstick="parse and HMAC",
        theirs=tuple(other for _, other in measured),
    )


def _channel(fake: FakePlatform, platform: Platform) -> Channel:
    """The fake's own channel, its secrets filled in."""
    table, secrets = fake.channel_table("shop"), fake.environment()
    given = {field.name: str(table[field.name]) for field in platform.fields if field.name in table}
    values = {name: (secrets.get(value.removeprefix("env:"), value),) for name, value in given.items()}
    return Channel("shop", fake.name, values)


def _ours(platform: Platform, channel: Channel, request: WebhookRequest) -> Work:
    channels = (channel,)

    def work() -> Any:
        accepted = platform.accept(request, channel, channels)
        assert isinstance(accepted, Accepted)
        for record in accepted.records:
            raw = decode_raw(record.value, platform=platform.name, channel=record.channel, received_at=RECEIVED_AT)
            platform.normalise(raw)

    return work


def _theirs(body: bytes) -> Work:
    parse = ElementTree.fromstring if body.startswith(b"<") else orjson.loads

    def work() -> Any:
        parse(body)
        hmac.new(SECRET, body, hashlib.sha256).digest()

    return work


def cpu_us(works: Sequence[Work], rounds: int) -> list[float]:
    """The CPU time of one call of each, as the best of many rounds tells it: what else runs here only ever adds."""
    calls = [max(1, round(BATCH_S / _batch_s(work, 20) * 20)) for work in works]
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            best[place] = min(best[place], _batch_s(work, calls[place]) / calls[place])
    return [seconds * 1e6 for seconds in best]


def _batch_s(work: Work, calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        work()
    return time.process_time() - began
