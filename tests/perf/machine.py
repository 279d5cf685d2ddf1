"""The machine and its processes: what they are, what they use. Reads ``/proc``; Linux only."""

import os
import platform
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far, all threads, without its children."""
    # The second field is the name in brackets and may hold blanks, so counting starts after it.
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def rss_mb(pid: int) -> float:
    """Resident memory of a process now."""
    return _kilobytes(PROC / str(pid) / "status", "VmRSS") / 1024


def description() -> str:
    """One line: processor, cores, memory, kernel, Python."""
    names = [line for line in (PROC / "cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.machine()
    memory_gb = _kilobytes(PROC / "meminfo", "MemTotal") / 1024**2
    return (
        f"{os.cpu_count()} cores of {model}, {memory_gb:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def load() -> float:
    """Runnable processes on average over the last minute: on a quiet machine well below 1."""
    return os.getloadavg()[0]


def _kilobytes(path: Path, name: str) -> int:
    line = next(line for line in path.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
