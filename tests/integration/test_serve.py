"""``iris serve`` and ``iris worker`` as a person runs them: they talk, remember, restart, and leave nobody behind.

The processes are real, the broker is the embedded one of ``iris serve`` itself (or the session's, for the parts apart).
"""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.broker import Broker
from streams.ensure import ensure_topics
from streams.settings import Settings
from tests.fakes.__main__ import discovered
from tests.fakes.ai import FakeAI, Question
from tests.harness.broker import unique_prefix
from tests.harness.eventually import eventually

pytestmark = pytest.mark.broker
STOP_S = 15.0
"""The longest that a Ctrl-C may take."""


class Iris:
    """One ``iris`` command under test; ``stderr`` fills while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.stderr = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.stderr += line.decode()

    async def says(self, text: str, *, timeout_s: float = 90.0) -> None:
        """Wait until it has said this; raises AssertionError when it ends or takes too long."""

        def has_said() -> None:
            assert text in self.stderr, self.stderr

        await eventually(has_said, timeout_s=timeout_s)

    async def end(self, number: signal.Signals, *, timeout_s: float = STOP_S) -> int:
        """Signal it and wait; the exit code."""
        self.process.send_signal(number)
        return await self.wait(timeout_s=timeout_s)

    async def wait(self, *, timeout_s: float) -> int:
        code = await asyncio.wait_for(self.process.wait(), timeout_s)
        await self._reading
        return code

    async def stdout(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.read()).decode()


@asynccontextmanager
async def iris(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Iris]:
    environment = {f"IRIS_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "streams.cli", *arguments),
        cwd=folder,
        env={
            **os.environ,
            "IRIS_DATA_DIR": str(folder / "data"),
            "IRIS_PORT": "0",
            "IRIS_ADMIN_PORT": "0",
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Iris(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def descendants(root: int) -> dict[int, str]:
    """Every process below this one: pid → command line."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            commands[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    found: set[int] = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: commands[pid] for pid in found - {root}}


def those_running(processes: dict[int, str]) -> dict[int, str]:
    """Those that still run the same command; a zombie has none."""
    return {
        pid: command
        for pid, command in processes.items()
        if Path(f"/proc/{pid}").exists()
        and Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() == command
    }


async def child_of(root: int, words: str, *, other_than: int = 0) -> int:
    """The pid of the descendant whose command line holds these words."""

    def find() -> int:
        found = [pid for pid, command in descendants(root).items() if words in command and pid != other_than]
        assert found, words
        return found[0]

    return await eventually(find)


@pytest.mark.timeout(300)  # Two whole starts; a busy machine takes a minute for each.
async def test_replies_flow_ctrl_c_ends_everybody_and_a_second_start_remembers(tmp_path: Path) -> None:
    ai = FakeAI()
    url = await ai.start()
    try:
        async with iris(tmp_path, "serve", "--no-bare", ai_url=url) as first:
            await first.says("no channel is configured in iris.toml, so simulated platforms stand in")
            for name in discovered():
                await first.says(f"/webhooks/{name}/demo")

            def all_platforms_are_answered() -> None:
                asked = {question["body"]["message"]["platform"] for question in ai.journal}
                assert asked == set(discovered())
                assert "replied 1" in first.stderr

            await eventually(all_platforms_are_answered, timeout_s=60)
            family = descendants(first.process.pid)
            assert len(family) >= 7, family
            began = time.monotonic()
            assert await first.end(signal.SIGINT) == 0
            assert time.monotonic() - began < STOP_S
            assert those_running(family) == {}
        known = {question["conversation"] for question in ai.journal}
        texts = {question["text"] for question in ai.journal}
        ai.reset()
        async with iris(tmp_path, "serve", "--demo", "--no-bare", "--for", "5s", "--json", ai_url=url) as second:
            assert await second.wait(timeout_s=150) == 0, second.stderr
            result = json.loads(await second.stdout())
    finally:
        await ai.stop()
    assert_whole(result)
    # A turn that was open at the end of the first run is asked again, and may be the first of its conversation.
    asked = first_questions(question for question in ai.journal if question["text"] not in texts)
    assert known & set(asked), "no person wrote in both runs"
    for conversation in known & set(asked):
        assert asked[conversation]["context"]["messages"], f"{conversation} was forgotten"


def assert_whole(result: dict[str, Any]) -> None:
    assert set(result["platforms"]) == set(discovered())
    for row in (result, *result["platforms"].values()):
        # On a machine that is far too busy a call may time out, which is recorded as unknown; that is not a loss.
        assert row["received"] >= row["replied"] >= row["received"] - row["unknown"] > 0
        assert (row["failed"], row["lost"]) == (0, 0)
    assert result["residual"] == 0
    assert result["own_ms_p99"] >= result["own_ms_p50"] > 0


def first_questions(questions: Iterable[Question]) -> dict[str, Any]:
    first: dict[str, Any] = {}
    for question in questions:
        first.setdefault(question["conversation"], question["body"])
    return first


async def test_ctrl_c_while_it_starts_leaves_nobody_behind(tmp_path: Path) -> None:
    async with iris(tmp_path, "serve") as it:
        await child_of(it.process.pid, "kafka.Kafka")
        family = descendants(it.process.pid)
        assert await it.end(signal.SIGINT) == 0
        assert those_running(family) == {}
        assert "stopped while starting" in it.stderr


async def test_a_public_port_in_use_is_named_with_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = next(iter(discovered().values()))()
    table = "\n".join(f"{name} = {json.dumps(value)}" for name, value in fake.channel_table("shop").items() if value)
    (tmp_path / "iris.toml").write_text(f"[[channels]]\n{table}\n")
    for name, value in fake.environment().items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with iris(tmp_path, "serve", port=port) as it:
            assert await it.wait(timeout_s=30) == 78
    assert it.stderr.startswith(f"iris: 127.0.0.1:{port} cannot be opened")
    assert "set IRIS_PORT" in it.stderr
    assert it.stderr.count("\n") == 1


async def test_a_worker_of_several_stages_restarts_the_one_that_died_and_ends_in_time(
    broker: Broker, tmp_path: Path
) -> None:
    settings = Settings(kafka_bootstrap_servers=broker.bootstrap, topic_prefix=unique_prefix(), partitions=2)
    await ensure_topics(broker.bootstrap, settings)
    names = {"kafka_bootstrap_servers": broker.bootstrap, "topic_prefix": settings.topic_prefix, "partitions": "2"}
    async with iris(tmp_path, "worker", "--stages", "normalise,send", **names) as it:
        stage = await child_of(it.process.pid, "--stages normalise")
        await eventually(lambda: _assert_ready(it, "normalise"), timeout_s=45)
        os.kill(stage, signal.SIGKILL)
        await it.says("normalise works again")
        assert await child_of(it.process.pid, "--stages normalise") != stage
        family = descendants(it.process.pid)
        assert await it.end(signal.SIGTERM) == 0
        assert those_running(family) == {}


def _assert_ready(it: Iris, stage: str) -> None:
    lines = [line for line in it.stderr.splitlines() if line.startswith(stage)]
    assert any(line.endswith("ready") for line in lines), it.stderr


async def test_the_yardstick_measures_and_clears_up_after_itself(broker: Broker) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.perf.bare", "--bootstrap", broker.bootstrap, "--rates=20", "--seconds=1", "--turns=50"),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    result = json.loads(output)
    p50, p95, p99 = result["own_ms_at_20"]
    assert 0 < p50 <= p95 <= p99
    assert p50 <= result["seen_ms_at_20"][0]
    assert result["cpu_us_per_turn"] > 0
