"""Each of the six bugs that the product can be given is caught by the history checker; without a bug it is silent.

Detected on the topics and in the fake's journal, once no stage has anything left to read. The first test shows that the
scenes are not what the checker objects to.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streams.app import STAGES, build_topics
from streams.broker import Broker
from streams.engine.seeded import BUGS
from tests.fault.seeded_scenes import CASES, Scene
from tests.harness.backlog import watching_backlog
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.history import Verdict
from tests.harness.load import Load

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@asynccontextmanager
async def scene_on(broker: Broker, folder: Path, *, bug: str = "") -> AsyncIterator[Scene]:
    """A healthy deployment with one platform; only what the scene starts again has the bug."""
    settings = {"instance_id": "one"}
    async with Deployment(broker.bootstrap, folder, platforms=["line"], settings=settings).running() as it:
        yield Scene(it, Load([], users=0, messages=0, pause_s=0, seed=1), bug=bug)


async def verdict_of(scene: Scene) -> Verdict:
    """The checker's judgement once nothing is left to read."""
    it = scene.it
    async with watching_backlog(it.bootstrap, build_topics(it.product_settings)) as backlog:

        async def is_empty() -> None:
            assert await backlog.over(STAGES) == {}

        await eventually(is_empty, timeout_s=60, interval_s=0.1)
    return await it.verdict(scene.load)


async def test_the_scenes_leave_a_clean_history_without_a_bug(broker: Broker, tmp_path: Path) -> None:
    async with scene_on(broker, tmp_path) as scene:
        for case in CASES.values():
            await case.play(scene)
        verdict = await verdict_of(scene)
        verdict.expect_clean()
        assert verdict.accepted == len(scene.load.sent)
        await scene.it.table_equals_fold()


@pytest.mark.parametrize("bug", BUGS)
async def test_a_seeded_bug_is_caught(bug: str, broker: Broker, tmp_path: Path) -> None:
    async with scene_on(broker, tmp_path, bug=bug) as scene:
        await CASES[bug].play(scene)
        verdict = await verdict_of(scene)
        print(f"{bug}: {verdict}")
        found = {name: getattr(verdict, name) for name in CASES[bug].anomalies}
        assert any(found.values()), f"{bug} ({BUGS[bug]}) was not caught: {verdict}"
        assert not verdict.is_clean
