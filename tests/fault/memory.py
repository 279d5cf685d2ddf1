"""How much memory a process holds, as proc(5) tells in "/proc/pid/status". Reads, writes nothing."""

import asyncio
from pathlib import Path

WATCH_S = 0.1


def memory_mb(pid: int) -> float:
    """Resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


async def peak_memory_mb(pid: int) -> float:
    """The most that it held until this was cancelled."""
    peak = 0.0
    try:
        while True:
            peak = max(peak, memory_mb(pid))
            await asyncio.sleep(WATCH_S)
    except asyncio.CancelledError:
        return peak
