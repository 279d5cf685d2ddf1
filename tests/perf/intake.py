"""Part (c): our intake process against a bare aiohttp handler with aiokafka, in requests per second of CPU.

64 connections send prepared, signed LINE webhooks, each the next as soon as the last was answered.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streams.app import build_topics
from tests.fakes.base import FakePlatform
from tests.harness.deployment import CHANNEL, Deployment
from tests.perf import machine
from tests.perf.figures import Figure, Wanted
from tests.perf.ground import ROOT, BenchFailed, Ground, killed

PLATFORM = "line"
CONNECTIONS = 64
BODIES = 2_000
WARM_UP_REQUESTS = 2_000
REQUESTS = 20_000
QUICK_REQUESTS = 6_000
START_WITHIN_S = 20.0


async def run(ground: Ground) -> list[Figure]:
    """Both servers are up from the start and are loaded in turn."""
    requests = QUICK_REQUESTS if ground.is_quick else REQUESTS
    here = Deployment(ground.bootstrap, ground.folder / ground.fresh("intake"), platforms=[PLATFORM])
    ours: list[float] = []
    bare: list[float] = []
    async with here.running(["intake"]), ground.topics(topic := ground.fresh("bare-intake")):
        fake = here.fakes[PLATFORM]
        secret = fake.environment()["FAKE_LINE_CHANNEL_SECRET"]
        async with _bare(ground, topic, secret) as (pid, port):
            own = Target(here.port, f"/webhooks/{PLATFORM}/{CHANNEL}", here.processes["intake"].pid)
            other = Target(port, "/webhook", pid)
            for target in (own, other):
                await target.load(_bodies(fake), WARM_UP_REQUESTS)
            for pair in range(ground.pairs):
                ours.append(await target_rate(own, fake, requests))
                bare.append(await target_rate(other, fake, requests))
                ground.say(f"intake {pair + 1}/{ground.pairs}: ours {ours[-1]:.0f}, bare {bare[-1]:.0f} requests/CPU s")
        stored = await ground.held(build_topics(here.product_settings).inbound(PLATFORM))
    if stored < len(ours) * requests:
        raise BenchFailed(f"intake answered {len(ours) * requests} webhooks and stored {stored}")
    return [
        Figure(
            part="intake",
            what=f"webhooks at {CONNECTIONS} connections",
            unit="requests/CPU s",
            ours=tuple(ours),
            yardstick="bare",
            theirs=tuple(bare),
            wanted=Wanted(0.7, is_minimum=True),
            ratio_key="intake_vs_bare",
        )
    ]


class Target:
    """A server on loopback and the process whose CPU counts."""

    def __init__(self, port: int, path: str, pid: int) -> None:
        self._port, self._path, self.pid = port, path, pid

    async def load(self, bodies: list[tuple[bytes, dict[str, str]]], requests: int) -> None:
        """So many requests over all connections; raises BenchFailed on any answer but 200."""
        wires = [self._wire(body, headers) for body, headers in bodies]
        numbers = iter(range(requests))

        async def connection() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            for number in numbers:
                writer.write(wires[number % len(wires)])
                await _answer(reader)
            writer.close()

        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))

    def _wire(self, body: bytes, headers: dict[str, str]) -> bytes:
        lines = [f"POST {self._path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


async def target_rate(target: Target, fake: FakePlatform, requests: int) -> float:
    """Requests per CPU second of the server."""
    bodies = _bodies(fake)
    used_s = machine.cpu_s(target.pid)
    await target.load(bodies, requests)
    return requests / (machine.cpu_s(target.pid) - used_s)


def _bodies(fake: FakePlatform) -> list[tuple[bytes, dict[str, str]]]:
    bodies = (
        fake.body([fake.user_message(f"user-{number}", "hello, where is my parcel?")]) for number in range(BODIES)
    )
    return [(body, fake.headers(body)) for body in bodies]


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise BenchFailed(f"a webhook was answered: {head.splitlines()[0].decode()}")
    length = next((line for line in head.splitlines() if line.lower().startswith(b"content-length:")), b":0")
    await reader.readexactly(int(length.partition(b":")[2]))


@asynccontextmanager
async def _bare(ground: Ground, topic: str, secret: str) -> AsyncIterator[tuple[int, int]]:
    """(pid, port) of the yardstick."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.perf.sides.aiohttp_intake", ground.bootstrap, topic, secret,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    with killed(process):
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_WITHIN_S)
        if not line:
            raise BenchFailed("the bare intake did not start; its words are above")
        yield process.pid, int(json.loads(line)["port"])
