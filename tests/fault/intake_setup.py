"""Intake alone, with one fake that signs, for the drills that count webhooks: what was taken, and what is stored."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson

from streams.app import build_topics
from tests.fakes.base import FakePlatform
from tests.fault.drill_frame import Frame
from tests.fault.webhooks import Connections, Webhook, prepare
from tests.harness.deployment import CHANNEL, Deployment
from tests.harness.processes import Process
from tests.harness.topics import read_topic

PLATFORM = "line"
PATH = f"/webhooks/{PLATFORM}/{CHANNEL}"


class IntakeAlone:
    """A running intake."""

    def __init__(self, it: Deployment) -> None:
        self.it = it
        self.fake: FakePlatform = it.fakes[PLATFORM]
        self.process: Process = it.processes["intake"]

    def connections(self, count: int) -> Connections:
        """Kept connections to its public port."""
        return Connections(self.it.port, count)

    def prepare(self, count: int) -> list[Webhook]:
        """Signed messages, each with ids of its own."""
        return prepare(self.fake, count, path=PATH)

    async def stored(self) -> Counter[str]:
        """How often each native id is on the inbound topic."""
        topic = build_topics(self.it.product_settings).inbound(PLATFORM)
        records = await read_topic(self.it.bootstrap, topic)
        return Counter(self.fake.native_id(orjson.loads(record.value or b"{}")["event"]) for record in records)


@asynccontextmanager
async def intake_alone(frame: Frame, **settings: object) -> AsyncIterator[IntakeAlone]:
    """Intake and nothing else, on topics of its own."""
    here = Deployment(
        frame.bootstrap, frame.folder / "intake", platforms=[PLATFORM], settings=settings, seed=frame.seed
    )
    async with here.running(["intake"]):
        yield IntakeAlone(here)


async def judge_stored(frame: Frame, intake: IntakeAlone, taken: Sequence[str]) -> None:
    """What was answered 2xx is stored, each once; nothing that was sent once is stored twice."""
    stored = await intake.stored()
    frame.accept(len(taken))
    frame.lose(len(set(taken) - stored.keys()))
    doubled = [native_id for native_id, count in stored.items() if count > 1]
    frame.require(not doubled, f"{len(doubled)} webhooks are stored twice")
    frame.measures["stored"] = sum(stored.values())
