"""What a broker answers to "which cluster are you?", byte by byte, and a server that says so."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


def frame(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """The loopback port of a server that takes our question, and nothing else, and gives this answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        assert (await reader.readexactly(size)).startswith(struct.pack(">hh", 3, 2))
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port
