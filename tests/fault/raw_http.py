"""HTTP requests as bytes, one connection each: for what no honest client would send. Writes to loopback ports."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

ANSWER_S_MAX = 30.0


def wire(
    path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> bytes:
    """A POST that asks for the connection to be closed; header values may be anything that Latin-1 can hold."""
    target = f"{path}?{urlencode(query, errors='surrogateescape')}" if query else path
    given = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


async def status_of(port: int, request: bytes | Iterable[bytes], *, pause_s: float = 0.0) -> int:
    """The answer's status, 0 where the connection ended without one; ``pause_s`` lies between the pieces."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    pieces = [request] if isinstance(request, bytes) else request
    sending = asyncio.create_task(_send(writer, pieces, pause_s))
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            head = await reader.readline()
    except OSError:
        head = b""
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return int(head[9:12]) if head.startswith(b"HTTP/1.") else 0


async def _send(writer: asyncio.StreamWriter, pieces: Iterable[bytes], pause_s: float) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        if pause_s:
            await asyncio.sleep(pause_s)


async def statuses_of(port: int, requests: Sequence[bytes], *, side_by_side: int = 16) -> Counter[int]:
    """How often each status was answered."""
    found: Counter[int] = Counter()
    queue = iter(requests)

    async def sender() -> None:
        for request in queue:
            found[await status_of(port, request)] += 1

    await asyncio.gather(*(sender() for _ in range(side_by_side)))
    return found
