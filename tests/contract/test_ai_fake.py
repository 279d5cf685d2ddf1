"""The fake AI as a process of its own: announced in one line, controlled over HTTP, gone on SIGTERM."""

import asyncio
import json
import sys
from typing import Any

import aiohttp

from schemas.registry import encode
from tests.unit.ai_samples import CONVERSATION, question


async def test_the_fake_runs_apart_and_is_controlled_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.ai", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = json.loads(await process.stdout.readline())["url"]
    async with aiohttp.ClientSession(url) as http:

        async def control(path: str, body: Any) -> int:
            async with http.post(f"/_fake/{path}", json=body) as response:
                return response.status

        async def ask() -> int:
            async with http.post("/process", data=encode(question())) as response:
                return response.status

        async def journal(after: int = 0) -> list[dict[str, Any]]:
            async with http.get("/_fake/journal", params={"after": after}) as response:
                return [dict(entry) for entry in await response.json()]

        assert await control("faults", {"kind": "rate", "times": 1, "retry_after_s": 2}) == 200
        assert await control("faults", {"kind": "earthquake"}) == 400
        assert [await ask(), await ask()] == [429, 200]
        first, second = await journal()
        assert (first["fault"], first["retry_after_s"], first["answered_at"]) == ("rate", 2, 0)
        assert (second["fault"], second["conversation"], second["text"]) == (None, CONVERSATION, "hello")
        assert [entry["n"] for entry in await journal(after=1)] == [2]
        assert await control("reset", {}) == 200
        assert await journal() == []
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 10) == 0
