"""The admin ports: alive, ready, and figures that move."""

import re
from pathlib import Path

import aiohttp
import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment, free_port
from tests.harness.eventually import eventually

pytestmark = pytest.mark.broker


async def test_intake_and_a_stage_tell_health_and_figures(broker: Broker, tmp_path: Path) -> None:
    ports = {"intake": free_port(), "normalise": free_port()}
    it = Deployment(broker.bootstrap, tmp_path, platforms=["line"])
    it.settings |= {"admin_port": str(ports["intake"]), "worker_admin_port": str(ports["normalise"])}
    async with it.running(["intake", "normalise"]), aiohttp.ClientSession() as session:

        async def text(process: str, path: str) -> tuple[int, str]:
            async with session.get(f"http://127.0.0.1:{ports[process]}{path}") as answer:
                return answer.status, await answer.text()

        for process in ports:
            for path in ("/livez", "/readyz", "/startupz"):
                assert await text(process, path) == (200, "ok\n")
        await it.fakes["line"].say("ann", "hello")

        async def counted() -> None:
            _, figures = await text("normalise", "/metrics")
            assert 'iris_stage_handled_records_total{stage="normalise"} 1.0' in figures
            _, figures = await text("intake", "/metrics")
            assert re.search(r'iris_intake_answers_total\{platform="line",status="200"\} 1\.0', figures)

        await eventually(counted)
