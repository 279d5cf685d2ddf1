"""Finds free ports, and says who holds one that is not. Reads /proc; opens and closes loopback sockets.

A broker keeps its port over restarts, so a free port is sought below the range from which the kernel serves outgoing
connections: up there, any client could be sitting on it when the broker comes back.
"""

import random
import socket
from collections.abc import Iterable
from pathlib import Path

LOOPBACK = "127.0.0.1"
FIRST_PORT = 15_000
EPHEMERAL_DEFAULT = 32_768
"""ip(7): the first port of ip_local_port_range where /proc does not tell."""
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """True when a server could listen on this loopback port now."""
    with socket.socket() as candidate:
        # As the JVM does, so that connections of an earlier broker in TIME_WAIT are no obstacle.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int, *, taken: Iterable[int] = ()) -> list[int]:
    """Distinct ports that are free now; raises OSError when so many cannot be found."""
    chosen: list[int] = []
    unusable = set(taken)
    for _ in range(ATTEMPTS * count):
        if len(chosen) == count:
            return chosen
        port = random.randrange(FIRST_PORT, _ephemeral_start())
        if port not in unusable and is_free(port):
            chosen.append(port)
        unusable.add(port)
    raise OSError(f"no {count} free ports between {FIRST_PORT} and {_ephemeral_start()}")


def holder_of(port: int) -> str:
    """The process that listens on this port, as far as this user may see; for an error's text."""
    inodes = _listening_inodes(port)
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.removeprefix("socket:[").removesuffix("]") in inodes:
            process = descriptor.parent.parent
            return f"`{_name_of(process)}` (pid {process.name})"
    return "another process"


def _ephemeral_start() -> int:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    except OSError:
        return EPHEMERAL_DEFAULT
    return max(int(text.split()[0]), FIRST_PORT + ATTEMPTS)


def _listening_inodes(port: int) -> frozenset[str]:
    """Inodes of the sockets that listen on this port: proc(5), /proc/net/tcp, state 0A."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, rows):
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(fields[9])
    return frozenset(inodes)


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "unknown"
