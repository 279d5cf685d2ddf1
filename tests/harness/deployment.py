"""A whole installation for a test: topics of its own on a given broker, fakes, fake AI, intake and stages as processes.

async with Deployment(bootstrap, folder).running() as it:
    await it.fakes["line"].say("ann", "hello")
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streams.app import STAGES, build_topics
from streams.conversation.fold import differences, fold
from streams.conversation.policy import limits_of
from streams.ensure import ensure_topics
from streams.settings import Settings
from tests.fakes.__main__ import discovered
from tests.fakes.ai import FakeAI
from tests.fakes.base import FakePlatform
from tests.harness.broker import unique_prefix
from tests.harness.eventually import eventually
from tests.harness.history import Log, Verdict, check
from tests.harness.load import Load
from tests.harness.processes import Process
from tests.harness.tables import read_table
from tests.harness.topics import read_topic

CHANNEL = "shop"


class Deployment:
    """``settings`` are extra ``IRIS_*`` values by field name; ``platforms`` limits the fakes."""

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        *,
        platforms: Iterable[str] | None = None,
        settings: dict[str, Any] | None = None,
        seed: int = 1,
    ) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.prefix = unique_prefix()
        kinds = discovered()
        self.fakes: dict[str, FakePlatform] = {
            name: kinds[name](seed=seed) for name in (platforms if platforms is not None else kinds)
        }
        self.ai = FakeAI()
        self.port = free_port()
        self.settings = {
            "kafka_bootstrap_servers": bootstrap,
            "topic_prefix": self.prefix,
            "config": str(folder / "iris.toml"),
            "data_dir": str(folder / "data"),
            "port": str(self.port),
            "admin_port": "0",
        } | {name: str(value) for name, value in (settings or {}).items()}
        self.processes: dict[str, Process] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the installation gets."""
        variables = {f"IRIS_{name.upper()}": value for name, value in self.settings.items()}
        for fake in self.fakes.values():
            variables |= fake.environment()
        return variables

    @property
    def product_settings(self) -> Settings:
        """The same settings as the product sees them."""
        return Settings(**self.settings)  # type: ignore[arg-type]

    @asynccontextmanager
    async def running(self, stages: Iterable[str] = ("intake", *STAGES)) -> AsyncIterator["Deployment"]:
        """Everything started and ready; at the end everything is gone."""
        await self.open()
        try:
            await self.start(stages)
            yield self
        finally:
            await self.close()

    async def open(self) -> None:
        """Fakes, configuration and topics; no process of the product yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, fake in self.fakes.items():
            await fake.start()
            fake.webhook_url = f"http://127.0.0.1:{self.port}/webhooks/{name}/{CHANNEL}"
        self.settings["ai_url"] = await self.ai.start()
        tables = [fake.channel_table(CHANNEL) for fake in self.fakes.values()]
        (self.folder / "iris.toml").write_text("\n".join(_toml(table) for table in tables))
        await ensure_topics(self.bootstrap, self.product_settings)

    async def start(self, names: Iterable[str]) -> None:
        """Start processes side by side, and wait until all are ready."""
        for name in names:
            self.processes.setdefault(name, self.process(name))
        await asyncio.gather(*(self.processes[name].start() for name in names))

    def process(self, name: str, *, instance: str = "", **settings: str) -> Process:
        """A process that is not started yet: ``intake`` or a stage; ``instance`` tells several of one stage apart."""
        arguments = ("intake",) if name == "intake" else ("worker", "--stages", name)
        extra = {f"IRIS_{key.upper()}": value for key, value in settings.items()}
        return Process(f"{name}{instance}", arguments, self.environment | extra, self.folder)

    async def verdict(self, load: Load) -> Verdict:
        """The history checker's judgement of everything so far."""
        records = await read_topic(self.bootstrap, f"{self.prefix}conversation.events")
        seen = {(name, user): fake.seen(user) for name, fake in self.fakes.items() for user in load.users_of(name)}
        return check(load.sent, records, seen)

    async def table_differences(self) -> list[str]:
        """Where converse's table (by its changelog) and a plain fold of the log disagree; empty when nothing does."""
        log = Log(await read_topic(self.bootstrap, f"{self.prefix}conversation.events"))
        table = await read_table(self.bootstrap, build_topics(self.product_settings).changelog("converse"))
        return differences(table, fold(log.events, limits_of(self.product_settings)))

    async def table_equals_fold(self, *, timeout_s: float = 20.0) -> None:
        """Returns when they agree; raises AssertionError with the differences when they do not in time."""

        async def no_differences() -> None:
            found = await self.table_differences()
            assert not found, f"{len(found)} differences, the first: {found[:3]}"

        await eventually(no_differences, timeout_s=timeout_s, interval_s=1)

    async def drained(self, load: Load, *, timeout_s: float = 30.0) -> Verdict:
        """The judgement once nothing is open any more; raises AssertionError when something stays open or is wrong."""

        async def clean() -> Verdict:
            verdict = await self.verdict(load)
            verdict.expect_clean()
            return verdict

        return await eventually(clean, timeout_s=timeout_s, interval_s=0.5)

    async def close(self) -> None:
        """End everything without ceremony."""
        await asyncio.gather(*(process.kill() for process in self.processes.values() if process.is_alive))
        await asyncio.gather(*(fake.stop() for fake in self.fakes.values()), self.ai.stop())


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _toml(table: dict[str, Any]) -> str:
    lines = ["[[channels]]"]
    for name, value in table.items():
        lines.append(f'{name} = "{value}"')
    return "\n".join(lines) + "\n"
