"""One stage as one Faust app: builds it, starts it, ends it.

Faust app ── BatchConsumer ──▶ agent (a batch per event) ──▶ runner (pure or active) ──▶ Writer
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faust.types import TP
from yarl import URL

from streams.engine.active import ActiveRunner
from streams.engine.api import Stage
from streams.engine.core import Engine, Limits, end_process
from streams.engine.due import DueWatch
from streams.engine.pure import PureRunner
from streams.engine.table import PromptTableManager, StageApp, StateTable
from streams.engine.transport import BatchTransport
from streams.engine.writer import Writer

log = logging.getLogger(__name__)

SETTLE_S = 2.0
"""How long what is in hand may take to finish when partitions are given back."""
SETTLE_CALLS_S = 8.0
"""The same while the stage is not interruptible: longer than any platform's time-out for one call."""
STOP_TIMEOUT_S = 13.0
"""Within the 15 s that a rolling restart allows."""
LAG_AGE_S_MAX = 60.0
"""A stage whose oldest record in hand is older is not ready; a turn's own limit is 15 s."""


@dataclass(frozen=True, slots=True)
class StageConfig:
    """What an engine needs to know beside the stage. ``group`` is the consumer group and the app's id."""

    bootstrap: str
    group: str
    partitions: int
    replication: int
    dead_letters: str
    data_dir: Path
    limits: Limits
    session_timeout_s: float = 6.0
    commit_interval_s: float = 0.5
    instance_id: str | None = None

    @property
    def state_folder(self) -> Path:
        """Each worker its own: RocksDB allows one process per store."""
        return self.data_dir / "tables" / (f"{self.group}-{self.instance_id}" if self.instance_id else self.group)


class Runtime:
    """The running stage: ties the consumer's events to the engine. Faust's parts reach it as ``app.runtime``."""

    def __init__(self, stage: Any, config: StageConfig) -> None:
        self.config = config
        self.stage: Stage = stage
        writer = Writer(config.bootstrap, client_id=f"{config.group}-writer", on_failure=end_process)
        self.engine = Engine(
            stage, writer, partitions=config.partitions, dead_letters=config.dead_letters, limits=config.limits
        )
        runner = ActiveRunner if hasattr(stage, "concurrency") else PureRunner
        # Two checkpoints to a commit, so that a commit finds most of what was done.
        self.runner: Any = runner(self.engine, stage, checkpoint_interval_s=config.commit_interval_s / 2)
        self.is_ready = asyncio.Event()
        self.app = self._build_app()
        self._due = DueWatch(
            self.engine,
            timer_output=getattr(stage, "timer_output", None),
            is_busy_with=self.runner.is_busy_with,
        )

    # Faust.

    def _build_app(self) -> StageApp:
        config = self.config
        config.state_folder.mkdir(parents=True, exist_ok=True)
        broker = f"aiokafka://{config.bootstrap.replace(',', ';')}"
        app = StageApp(
            config.group,
            broker=broker,
            store="memory://",
            datadir=str(config.state_folder),
            web_enabled=False,
            debug=False,
            Table=StateTable,
            TableManager=PromptTableManager,
            topic_allow_declare=False,
            topic_disable_leader=True,
            topic_partitions=config.partitions,
            topic_replication_factor=config.replication,
            table_standby_replicas=0,
            broker_session_timeout=config.session_timeout_s,
            broker_heartbeat_interval=config.session_timeout_s / 3.5,
            broker_commit_interval=config.commit_interval_s,
            broker_max_poll_records=config.limits.batch_records_max,
            consumer_auto_offset_reset="earliest",
            consumer_group_instance_id=config.instance_id,
            stream_wait_empty=True,
            stream_recovery_delay=0.0,
        )
        app.runtime = self
        app.state_folder = config.state_folder
        app.partition_stores = self.engine.stores
        app.transport = BatchTransport([URL(f"aiokafka://{server}") for server in config.bootstrap.split(",")], app)
        if self.stage.has_table:
            app.Table(self.stage.name)
        app.agent(app.topic(*self.stage.reads), name=self.stage.name)(self._consume)
        app.on_rebalance_complete.connect(self._on_rebalance_complete)
        return app

    async def _consume(self, stream: Any) -> None:
        """The agent: each event is a batch of one partition; the engine acknowledges, Faust does not."""
        async for event in stream.noack().events():
            epoch, number, records = event.value
            if epoch == self.engine.epoch and not self.engine.is_settling:
                self.engine.take_batch(number)
                await self.runner.submit(records)

    async def _on_rebalance_complete(self, *args: Any, **kwargs: Any) -> None:
        self.engine.is_accepting = True
        self.is_ready.set()

    def readiness(self) -> str:
        """What the stage waits for; empty while it works and keeps up."""
        if not self.engine.is_accepting:
            return "no partitions yet: joining the group or recovering tables"
        if self.engine.lag_age_s > LAG_AGE_S_MAX:
            return f"the oldest record in hand is {self.engine.lag_age_s:.0f} s old"
        return ""

    # Assignment.

    async def fence(self, assigned: set[TP]) -> None:
        """Become the only writer of every assigned changelog partition, before it is read."""
        changelogs = [tp for tp in assigned if tp.topic in self.app.tables.changelog_topics]
        began = time.monotonic()
        await asyncio.gather(*(self.engine.writer.fence(tp.topic, tp.partition) for tp in changelogs))
        if changelogs:
            log.info("fenced %d changelog partitions in %.0f ms", len(changelogs), (time.monotonic() - began) * 1000)

    async def settle(self) -> None:
        """Start nothing more; let what is in hand finish in time, then give it up.

        What still arrives must not be started either: it would be written with a position beyond that of the records
        which are forgotten here, and when these are read again the state would say that it has seen them.
        """
        self.engine.is_settling = True
        self.runner.settle()
        began = time.monotonic()
        while not self.runner.is_idle:
            waited_s = time.monotonic() - began
            if waited_s > (SETTLE_S if getattr(self.stage, "is_interruptible", True) else SETTLE_CALLS_S):
                log.info("giving up what is in hand after %.1f s; it will be read again", waited_s)
                await self.runner.cancel()
                break
            await asyncio.sleep(0.005)

    async def end_assignment(self) -> None:
        """Nothing of the old assignment may be written or acknowledged any more."""
        self.engine.is_accepting = False
        await self.runner.cancel()
        self.engine.begin_epoch()

    # Life.

    async def run(self, *, until: asyncio.Event, on_ready: Callable[[], Awaitable[None]]) -> None:
        """Until the event is set; then finish what is in hand, commit and leave the group."""
        await self.runner.start()
        self.app.finalize()
        watch = asyncio.create_task(self._due.run()) if self.stage.has_table else None
        await self.app.start()
        ready = asyncio.create_task(self._announce(on_ready))
        stopping = asyncio.create_task(until.wait())
        crashed = asyncio.create_task(self.app.wait_until_stopped())
        await asyncio.wait({stopping, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if crashed.done() and not stopping.done():
            end_process(f"Faust stopped by itself: {self.app.crash_reason!r}")
        for task in (ready, stopping, watch):
            if task is not None:
                task.cancel()
        try:
            await asyncio.wait_for(self._stop(), STOP_TIMEOUT_S)
        except TimeoutError:
            log.error("the stage did not stop within %.0f s; what is in hand will be read again", STOP_TIMEOUT_S)
        crashed.cancel()
        stop = getattr(self.stage, "stop", None)
        if stop is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop(), 2)

    async def _stop(self) -> None:
        """Faust closes tables before it lets streams finish, so what is in hand is finished here, before it stops."""
        self.app.consumer.stop_flow()
        await self.settle()
        await self.app.consumer.commit()
        await self.end_assignment()
        await self.app.stop()

    async def _announce(self, on_ready: Callable[[], Awaitable[None]]) -> None:
        await self.is_ready.wait()
        await on_ready()


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
