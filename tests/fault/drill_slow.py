"""slow: sockets that say nothing or drip, and requests that are made to cost, while honest messages come at a rate.

Model: a socket that sends no request in time is closed, seen at the socket; honest answers stay as quick as before;
what is huge, nested, packed or crumbled is answered with 4xx, and costs neither the loop nor the memory much. A stall
is seen by a process of its own: what intake works while a small request waits. Figure: "slow and huge" of the drills.
"""

import asyncio
import time
from collections import Counter

from tests.fault.drill_frame import Frame
from tests.fault.huge_requests import Huge, huge_requests
from tests.fault.intake_setup import IntakeAlone, intake_alone, judge_stored
from tests.fault.memory import memory_mb, peak_memory_mb
from tests.fault.probe import Probe
from tests.fault.raw_http import status_of
from tests.harness.deployment import CHANNEL
from tests.harness.eventually import eventually

CLOSED_S_MAX = 15.0
DRIP_S = 0.5
HONEST_PER_S = 50
STALL_MS_MAX = 100.0
MEMORY_MB_MAX = 20.0
P99_FLOOR_S = 0.005
"""Below this a doubled answer time says more about the machine than about the sockets."""


async def run(frame: Frame) -> None:
    """Honest messages alone, then beside slow sockets, then beside huge requests."""
    sockets = int(frame.scaled("slow sockets", 500, 120))
    timeout_s = frame.scaled("seconds to send a request", 10, 3)
    bomb_mb = int(frame.scaled("MB of a bomb", 900, 100))
    async with intake_alone(frame, request_timeout_s=timeout_s) as intake:
        taken = await _honest(frame, intake, "warming up", seconds=frame.scaled("seconds to warm up", 2, 1))
        taken += await _honest(frame, intake, "alone", seconds=frame.scaled("seconds of honest messages alone", 3, 1.5))
        memory_before_mb = memory_mb(intake.process.pid)
        peak = asyncio.create_task(peak_memory_mb(intake.process.pid))
        frame.plan_faults(sockets)
        opened: list[str] = []
        slow = asyncio.create_task(_slow_sockets(frame, intake, sockets, opened))
        await eventually(lambda: _require_open(opened, sockets))
        taken += await _honest(frame, intake, "beside slow sockets", seconds=timeout_s)
        await slow
        taken += await _huge(frame, intake, bomb_mb)
        peak.cancel()
        frame.measure("memory_mb_more", await peak - memory_before_mb, limit=MEMORY_MB_MAX)
        base_s = max(P99_FLOOR_S, frame.measures["p99_ms_alone"] / 1000)
        ratio = frame.measures["p99_ms_beside_slow_sockets"] / 1000 / base_s
        frame.measure("honest_p99_ratio", ratio, limit=2.0)
        await judge_stored(frame, intake, taken)


async def _honest(frame: Frame, intake: IntakeAlone, when: str, *, seconds: float) -> list[str]:
    """Signed messages at a steady rate; what was taken."""
    answers = await intake.connections(16).at_rate(intake.prepare(int(HONEST_PER_S * seconds)), HONEST_PER_S)
    refused = {status: count for status, count in answers.statuses.items() if status != 200}
    frame.require(not refused, f"honest messages {when} were answered with {refused}")
    frame.measure(f"p99_ms_{when.replace(' ', '_')}", answers.percentile_s(0.99) * 1000)
    return answers.taken


# Slow.


def _require_open(opened: list[str], count: int) -> None:
    assert len(opened) == count


async def _slow_sockets(frame: Frame, intake: IntakeAlone, count: int, opened: list[str]) -> None:
    """As many of each kind; all must be closed by the other side. ``opened`` tells how many there are."""
    head = f"POST /webhooks/line/{CHANNEL} HTTP/1.1\r\nHost: x\r\n".encode()
    kinds = {
        "idle": (b"", b""),
        "half a head": (head, b""),
        "a dripping head": (head, b"X-Drip: 1\r\n"),
        "a dripping body": (head + b"Content-Length: 100000\r\n\r\n", b"x"),
    }
    names = [list(kinds)[number % len(kinds)] for number in range(count)]
    ages = await asyncio.gather(*(_age_of(intake.it.port, *kinds[name], opened) for name in names))
    frame.measure("closed_s_max", max(ages), limit=CLOSED_S_MAX, decides=True)
    closed = Counter(name for name, age in zip(names, ages, strict=True) if age <= CLOSED_S_MAX)
    frame.faults_seen += closed.total()
    frame.say(f"closed in time: {dict(closed)}; the last after {max(ages):.1f} s")
    frame.require(closed.total() == count, f"of {count} slow sockets {count - closed.total()} stayed open too long")


async def _age_of(port: int, first: bytes, drip: bytes, opened: list[str]) -> float:
    """Seconds until the other side closes, at most twice what is allowed."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    opened.append("")
    dripping = asyncio.create_task(_drip(writer, first, drip))
    try:
        async with asyncio.timeout(2 * CLOSED_S_MAX):
            await reader.read()
    except (OSError, TimeoutError):
        pass
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()
    return time.monotonic() - began


async def _drip(writer: asyncio.StreamWriter, first: bytes, drip: bytes) -> None:
    writer.write(first)
    while drip:
        await asyncio.sleep(DRIP_S)
        writer.write(drip)


# Huge.


async def _huge(frame: Frame, intake: IntakeAlone, bomb_mb: int) -> list[str]:
    """Every huge request in turn, beside honest ones and a probe for stalls; what of the honest was taken."""
    requests = huge_requests(intake.fake, f"/webhooks/line/{CHANNEL}", bomb_mb=bomb_mb)
    probe = await Probe.start(intake.it.port, intake.process.pid)
    seconds = frame.scaled("seconds of honest messages beside huge requests", 4, 2)
    honest = asyncio.create_task(_honest(frame, intake, "beside huge requests", seconds=seconds))
    for request in requests:
        await _send(frame, intake, request)
    taken = await honest
    slowest = await probe.slowest()
    frame.measure("slowest_answer_ms", slowest.wall_s * 1000)
    frame.measure("loop_stall_ms", slowest.busy_s * 1000, limit=STALL_MS_MAX)
    frame.measures["huge_requests"] = len(requests)
    return taken


async def _send(frame: Frame, intake: IntakeAlone, request: Huge) -> None:
    status = await status_of(intake.it.port, request.pieces)
    frame.say(f"{request.about}: {status}")
    frame.require(status in request.allowed, f"{request.about} was answered with {status}")
