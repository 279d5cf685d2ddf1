"""An installation under fire: load, victims, and probes that tell when every partition works again.

async with Fleet(frame, workers={"send": 2}).running() as fleet:
    await fleet.kill("send")
    await fleet.back_at_work()
    await fleet.judge()
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from connectors.registry import platform_named
from schemas.ids import conversation_id
from streams.app import STAGES, build_topics
from streams.engine.failpoints import EXIT_CODE
from streams.engine.partitioner import partition_of
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform
from tests.fault.drill_frame import Frame
from tests.harness.backlog import watching_backlog, watching_members
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Verdict
from tests.harness.load import Load, write_one
from tests.harness.processes import Process

SESSION_S = 6.0
"""Kafka's least session time-out by default (``group.min.session.timeout.ms``)."""
PROBE_AGAIN_S = 15.0
"""A probe whose answer was lost to a fault of its own (an unknown send) is repeated."""
BACK_AT_WORK_S_MAX = 60.0
QUICK_PLATFORMS = 3
DRAIN_S_MAX = 90.0


def workers_of(stage: str, count: int) -> list[str]:
    """Names of a stage's processes: ``send``, ``send-2``, …"""
    return [stage, *(f"{stage}-{number}" for number in range(2, count + 1))]


class Fleet:
    """``workers`` processes of a stage (one where it is not named), each with its own data directory; members of the
    ``static`` stages are static ones."""

    def __init__(
        self,
        frame: Frame,
        *,
        name: str = "fleet",
        workers: Mapping[str, int] | None = None,
        static: Collection[str] = (),
        stages: Sequence[str] = STAGES,
        settings: dict[str, Any] | None = None,
        platforms: Iterable[str] | None = None,
        bootstrap: str = "",
    ) -> None:
        self.frame = frame
        self.stages = stages
        self._static = static
        self.workers = {stage: workers_of(stage, (workers or {}).get(stage, 1)) for stage in stages}
        common = {"kafka_session_timeout_s": SESSION_S} | (settings or {})
        self.it = Deployment(
            bootstrap or frame.bootstrap, frame.folder / name, settings=common, seed=frame.seed, platforms=platforms
        )
        self.load = Load([], users=0, messages=0, pause_s=0, seed=frame.seed)
        self.sender_incidents: list[tuple[float, float]] = []
        self._stop_load = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None
        self._probes = 0
        self._probing = asyncio.Lock()
        """A probe's user writes one message after the other."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Fleet"]:
        """Everything started, ready and idle; at the end everything is gone."""
        await self.it.open()
        try:
            for stage, workers in {"intake": ["intake"], **self.workers}.items():
                for worker in workers:
                    self.it.processes[worker] = self._process(stage, worker)
            await self.it.start(self.it.processes)
            yield self
        finally:
            self._stop_load.set()
            if self._loading is not None:
                self._loading.cancel()
                await asyncio.gather(self._loading, return_exceptions=True)
            await self.it.close()

    def _process(self, stage: str, worker: str) -> Process:
        settings = {"data_dir": str(self.it.folder / worker)}
        if stage in self._static:
            settings["instance_id"] = worker
        process = self.it.process(stage, instance=worker.removeprefix(stage), **settings)
        process.can_be_armed()
        return process

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Whoever ends by itself is started again, as a supervisor would; counted as ``restarts``."""
        watching = asyncio.create_task(self._supervise())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            for name, process in self.it.processes.items():
                if not process.is_alive:
                    code = await process.wait()
                    self.note(stage_of(name), time.time() - 1, time.time())
                    self.frame.say(f"{name} ended with {code}: {process.tail(1)[:200]}")
                    self.frame.measure("restarts", self.frame.measures.get("restarts", 0) + 1)
                    await process.start(wait_ready=False)

    # Load.

    def start_load(self, *, rate_per_s: float, users: int) -> None:
        """Users on every fake, writing until ``stop_load``."""
        fakes = list(self.it.fakes.values())
        self.load = Load(fakes, users=users, messages=0, pause_s=users * len(fakes) / rate_per_s, seed=self.frame.seed)
        self._loading = asyncio.create_task(self.load.run_until(self._stop_load))

    async def reach(self, messages: float) -> None:
        """Wait until so many messages were accepted."""
        while len(self.load.sent) < messages:
            assert self._loading is not None
            assert not self._loading.done(), f"the load ended: {self._loading}"
            await asyncio.sleep(0.05)

    async def stop_load(self) -> None:
        """Let every user finish its message."""
        self._stop_load.set()
        if self._loading is not None:
            await self._loading

    # Faults.

    def note(self, stage: str, began: float, ended: float | None = None) -> None:
        """A process of this stage was not itself between these times (Unix seconds)."""
        if stage == "send":
            self.sender_incidents.append((began, ended or began))

    async def kill(self, worker: str) -> float:
        """SIGKILL; returns the time (monotonic) of death, seen at the victim."""
        process = self.it.processes[worker]
        self.note(stage_of(worker), time.time())
        await process.kill()
        died = time.monotonic()
        if process.exits[-1] == -9:
            self.frame.saw_fault(f"{worker} killed")
        await process.start()
        return died

    async def kill_at(self, worker: str, point: str, *, pass_number: int) -> float:
        """Let the process die at a named point; returns the time (monotonic) of death."""
        process = self.it.processes[worker]
        process.arm(f"{point}={pass_number}")

        def died() -> None:
            assert not process.is_alive, f"{worker} never came to {point}; its log ends:\n{process.tail()}"

        await eventually(died, timeout_s=BACK_AT_WORK_S_MAX)
        self.note(stage_of(worker), time.time() - 0.1, time.time())
        at = time.monotonic()
        if await process.wait() == EXIT_CODE:
            self.frame.saw_fault(f"{worker} died at {point}")
        await process.start()
        return at

    async def terminate(self, worker: str) -> None:
        """SIGTERM; a worker ends with code 0 within the 15 s that a rolling restart allows."""
        process = self.it.processes[worker]
        began, began_at = time.monotonic(), time.time()
        code = await process.terminate(timeout_s=60)
        self.note(stage_of(worker), began_at, time.time())
        self.frame.measure_worst("exit_s_max", time.monotonic() - began, limit=15.0)
        self.frame.require(code == 0, f"{worker} ended with {code} after SIGTERM; its log ends:\n{process.tail()}")

    async def stop_past_session(self, worker: str, seconds: float) -> None:
        """SIGSTOP for longer than the session, then SIGCONT; the worker rejoins, or ends and is started again."""
        process = self.it.processes[worker]
        began = time.time()
        process.pause()
        await asyncio.sleep(seconds)
        was_stopped = process.is_stopped
        await self.resume(worker)
        self.note(stage_of(worker), began, time.time())
        if was_stopped:
            self.frame.saw_fault(f"{worker} was stopped for {seconds:g} s")

    async def resume(self, worker: str) -> bool:
        """SIGCONT; whether the worker lives on, and is a member of its group again. One that was deposed in the midst
        of a write ends, with a reason in its log, and is started again, as a supervisor would."""
        process = self.it.processes[worker]
        stage = stage_of(worker)
        async with watching_members(self.it.bootstrap, f"{self.it.prefix}{stage}") as members:
            process.resume()

            async def has_decided() -> None:
                is_complete = process.is_alive and await members() == len(self.workers[stage])
                assert not process.is_alive or is_complete, f"{worker} neither ended nor came back:\n{process.tail()}"

            await eventually(has_decided, timeout_s=BACK_AT_WORK_S_MAX)
        if process.is_alive:
            return True
        code = await process.wait()
        self.frame.require(code == 70, f"{worker} ended with {code} when it was continued:\n{process.tail()}")
        await process.start()
        return False

    # Health.

    async def back_at_work(self, since: float) -> float:
        """Seconds from ``since`` (monotonic) until a message on each partition was answered, to the user."""
        probes = probe_users(list(self.it.fakes.values()), self.it.product_settings.partitions)
        async with self._probing:
            try:
                await asyncio.gather(*(self._probe(fake, user) for fake, user in probes))
            except AssertionError as error:
                raise AssertionError(f"{error}; unread: {await self._unread()}") from error
        return time.monotonic() - since

    async def _unread(self) -> dict[str, int]:
        """Records that each stage has before it."""
        async with watching_backlog(self.it.bootstrap, build_topics(self.it.product_settings)) as backlog:
            return {stage: sum(left.values()) for stage, left in (await backlog.over(self.stages)).items()}

    async def _probe(self, fake: FakePlatform, user: str) -> None:
        give_up = time.monotonic() + BACK_AT_WORK_S_MAX
        while time.monotonic() < give_up:
            self._probes += 1
            sent = await write_one(fake, user, self._probes)
            self.load.sent.append(sent)

            def answered(text: str = f"re: {sent.text}") -> None:
                assert text in fake.seen(user)

            with contextlib.suppress(AssertionError):
                return await eventually(answered, timeout_s=PROBE_AGAIN_S)
        raise AssertionError(f"{user} on {fake.name} got no answer within {BACK_AT_WORK_S_MAX} s after a fault")

    async def drained(self) -> float:
        """Seconds until no stage has a record before it; raises AssertionError when that takes too long."""
        began = time.monotonic()
        async with watching_backlog(self.it.bootstrap, build_topics(self.it.product_settings)) as backlog:

            async def nothing_left() -> None:
                left = await backlog.over(self.stages)
                assert not left, f"records are still unread: {left}"

            await eventually(nothing_left, timeout_s=DRAIN_S_MAX, interval_s=0.2)
        return time.monotonic() - began

    async def judge(self, *, timeout_s: float = 30.0) -> Verdict:
        """Drain, check the history and the table; everything goes into the report."""
        self.frame.measure_worst("backlog_gone_s", await self.drained(), limit=60.0)
        try:
            verdict = await self.it.drained(self.load, timeout_s=timeout_s)
        except AssertionError:
            verdict = await self.it.verdict(self.load)
        self.frame.judge(verdict)
        if "converse" in self.stages:
            await self.it.table_equals_fold(timeout_s=timeout_s)
        return verdict


def stage_of(worker: str) -> str:
    """The stage that a worker's name tells."""
    return worker.partition("-")[0]


def drawn_platforms(frame: Frame) -> list[str]:
    """All of them; in the short form some, drawn by the seed: each brings topics, whose partitions all take their time
    when a process or a broker starts."""
    names = sorted(discovered())
    return frame.random.sample(names, k=int(frame.scaled("platforms", len(names), QUICK_PLATFORMS)))


def probe_users(fakes: list[FakePlatform], partitions: int) -> list[tuple[FakePlatform, str]]:
    """For each partition one user whose conversation lives there, over the fakes in turn."""
    found: dict[int, tuple[FakePlatform, str]] = {}
    number = 0
    while len(found) < partitions:
        fake = fakes[len(found) % len(fakes)]
        user = f"probe{number}"
        number += 1
        key = conversation_id(platform_named(fake.name).prefix, CHANNEL, fake.native_user(user))
        found.setdefault(partition_of(key.encode(), partitions), (fake, user))
    return list(found.values())
