"""A platform that this repository has never heard of: a folder in a temporary path works, with no product code touched.

It is written as an engineer would write it: one package with its pure half, and a ``sender`` module beside it.
Processes of their own find it through ``IRIS_CONNECTORS_PATH``, as a deployment would.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.contract import pigeon

ROOT = Path(__file__).parents[2]

IRIS = ("-c", "from streams.cli.main import main; main()")
BODY = {"letters": [{"from": "ann", "ring": "r1", "says": "coo?"}, {"from": "ben", "ring": "r2"}]}


@pytest.fixture
def loft(tmp_path: Path) -> Path:
    """A folder with one package, ``pigeon``; the product is not told its name."""
    package = tmp_path / "connectors-of-ours" / "pigeon"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(pigeon.INITIAL)
    (package / "platform.py").write_text(pigeon.PLATFORM)
    (package / "sender.py").write_text(pigeon.SENDER)
    return package.parent


async def run(loft: Path, *arguments: str, given: str = "", **environment: str) -> tuple[int, str, str]:
    """A process that knows of the folder; (exit code, stdout, stderr)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IRIS_CONNECTORS_PATH": str(loft), **environment},
    )
    out, err = await process.communicate(given.encode())
    return process.returncode or 0, out.decode(), err.decode()


class Roost:
    """Pigeon Post's server: remembers every flight."""

    def __init__(self) -> None:
        self.flights: list[tuple[str, Any]] = []

    async def fly(self, request: web.Request) -> web.Response:
        self.flights.append((request.headers["Authorization"], await request.json()))
        return web.json_response({"ring": "r9"})


@pytest.fixture
async def roost() -> AsyncIterator[tuple[Roost, str]]:
    made = Roost()
    app = web.Application()
    app.router.add_post("/fly", made.fly)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield made, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_folder_on_the_path_is_a_platform_from_the_webhook_to_the_call(
    loft: Path, roost: tuple[Roost, str], tmp_path: Path
) -> None:
    server, url = roost
    config = tmp_path / "iris.toml"
    config.write_text(
        f'[[channels]]\nid = "shop"\nplatform = "pigeon"\nloft_key = "env:LOFT_KEY"\nring = "7"\napi_base = "{url}"\n'
    )
    journey = tmp_path / "journey.py"
    journey.write_text(pigeon.JOURNEY)
    code, out, err = await run(loft, str(journey), str(config), json.dumps(BODY), LOFT_KEY="coo")
    assert code == 0, err
    told = json.loads(out)
    assert "pigeon" in told["platforms"]
    assert len(told["platforms"]) > 6, "the others are still there"
    assert (told["conversation"], told["dead"], told["ids"]) == ("pg_shop_ann", 1, ["r9"])
    assert told["topics"] == ["iris.inbound.pigeon", "iris.outbound.pigeon"]
    assert told["read"], "the stage normalise reads its topic"
    assert server.flights == [("coo", {"to": "ann", "says": "re: coo?"})]


async def test_inspect_and_render_know_a_platform_that_was_dropped_in(loft: Path) -> None:
    (code, out, err), (code2, out2, err2) = await asyncio.gather(
        run(loft, *IRIS, "inspect", "pigeon", given=json.dumps(BODY)),
        run(
            loft,
            *IRIS,
            "render",
            "pigeon",
            given='{"peer":"ann","parts":[{"kind":"text","text":"hello"}]}',
        ),
    )
    assert (code, code2) == (0, 0), err + err2
    event, letter = (json.loads(line) for line in out.splitlines())
    assert (event["type"], event["conversation_id"]) == ("message_received", "pg_main_ann")
    assert letter["dead_letter"] == "an empty letter"
    assert json.loads(out2) == {
        "method": "POST",
        "url": "https://api.pigeon.example/fly",
        "headers": {"Authorization": "***"},
        "body": {"to": "ann", "says": "hello"},
    }


async def test_without_the_folder_the_platform_is_unknown_and_the_message_lists_those_there_are(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path, *IRIS, "inspect", "pigeon", given="{}")
    assert code == 2
    assert "'pigeon'" in err
    assert "telegram" in err
