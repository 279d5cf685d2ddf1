"""Asks one address, over the Kafka protocol, which cluster it belongs to. Reads and writes no topic.

An open port proves little: it may be anybody's. The cluster id is written by us when we format the data directory, so
only a broker of ours can answer with it. One request needs no client: it is framed by hand, as the Kafka protocol
guide lays down ("Metadata API, key 3, version 2", "Request header v1").
"""

import asyncio
import struct
from dataclasses import dataclass

METADATA_KEY = 3
METADATA_VERSION = 2
"""The first version that tells the cluster id; Kafka 4 still answers it."""
ANSWER_BYTES_MAX = 1_000_000
"""A larger answer is not a broker's: a cluster of three takes some 200 bytes."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a broker says about its cluster: ``nodes`` are the ids of the brokers that are up."""

    cluster_id: str | None
    nodes: frozenset[int]


async def describe_cluster(host: str, port: int, *, timeout_s: float = 2.0) -> Cluster | None:
    """Cluster of the broker at this address; None when nothing there answers as a broker within the time."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(_metadata_request())
                await writer.drain()
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                if not 0 < size <= ANSWER_BYTES_MAX:
                    return None
                return _read_answer(await reader.readexactly(size))
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, struct.error, UnicodeDecodeError):
        return None


def _metadata_request() -> bytes:
    """Header (key, version, correlation id, client id) and an empty list of topics, length first."""
    client = b"iris-probe"
    body = struct.pack(">hhih", METADATA_KEY, METADATA_VERSION, 1, len(client)) + client + struct.pack(">i", 0)
    return struct.pack(">i", len(body)) + body


def _read_answer(answer: bytes) -> Cluster:
    """Correlation id, brokers (id, host, port, rack), cluster id; what follows is not needed."""
    cursor = _Cursor(answer)
    cursor.integer()
    nodes = set()
    for _ in range(cursor.integer()):
        nodes.add(cursor.integer())
        cursor.string()
        cursor.integer()
        cursor.string()
    return Cluster(cursor.string(), frozenset(nodes))


class _Cursor:
    """Reads big-endian values one after another; struct.error where the answer ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def integer(self) -> int:
        (value,) = struct.unpack_from(">i", self._data, self._at)
        self._at += 4
        return int(value)

    def string(self) -> str | None:
        """A length of -1 stands for null."""
        (length,) = struct.unpack_from(">h", self._data, self._at)
        self._at += 2
        if length < 0:
            return None
        (raw,) = struct.unpack_from(f">{length}s", self._data, self._at)
        self._at += length
        return bytes(raw).decode()
