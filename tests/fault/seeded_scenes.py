"""Six scenes, each of which brings out one seeded bug for certain; without the bug each leaves a clean history.

A scene writes messages of users of its own and works on one process, its victim. What it starts runs with the bug only
when the scene was given one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.fakes.base import FakePlatform
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.load import Load, write_one
from tests.harness.processes import Process

STEPS = 6
"""Messages of one user: enough that records scattered over eight partitions are out of order (all but 1 in 700)."""


class Scene:
    """A running deployment, the history so far, and the victim's environment."""

    def __init__(self, it: Deployment, load: Load, *, bug: str = "") -> None:
        self.it = it
        self.load = load
        self.fake: FakePlatform = next(iter(it.fakes.values()))
        self._bug = bug

    async def stopped(self, name: str) -> Process:
        """The victim, ended, so that it can be started anew."""
        process = self.it.processes[name]
        await process.terminate()
        if self._bug:
            process.environment["IRIS_SEEDED_BUG"] = self._bug
        return process

    async def write(self, user: str, messages: int = 1) -> None:
        """Messages of one user, each written when the one before was accepted."""
        for number in range(1, messages + 1):
            self.load.sent.append(await write_one(self.fake, user, number))

    async def write_until_answered(self, user: str, *, after: int) -> None:
        """More messages of a user who has written ``after`` of them, until one of these has its answer."""
        number = after

        async def answered() -> None:
            nonlocal number
            number += 1
            sent = await write_one(self.fake, user, number)
            self.load.sent.append(sent)
            await eventually(lambda: self._require_seen(user, f"re: {sent.text}"), timeout_s=3)

        await eventually(answered, timeout_s=60)

    def _require_seen(self, user: str, text: str) -> None:
        assert text in self.fake.seen(user)


async def fetch_dropped_after_rebalance(scene: Scene) -> None:
    """normalise is assigned partitions on which records are waiting."""
    normalise = await scene.stopped("normalise")
    await scene.write("waiting")
    await normalise.start()
    # With the bug nothing is committed before another message of the user has come through.
    await scene.write_until_answered("waiting", after=1)


async def ack_on_exception(scene: Scene) -> None:
    """respond raises once, on a record that it can handle the second time."""
    respond = await scene.stopped("respond")
    await respond.start(failpoints="respond.after_answer=1:raise")
    await scene.write("stumbling")


async def unkeyed_produce(scene: Scene) -> None:
    """Users write one message after the other."""
    intake = await scene.stopped("intake")
    await intake.start()
    await asyncio.gather(*(scene.write(f"scattered{number}", STEPS) for number in range(3)))


async def deduplication_off(scene: Scene) -> None:
    """The platform delivers everything twice."""
    converse = await scene.stopped("converse")
    await converse.start()
    fault = scene.fake.faults.add("duplicate_webhook")
    await scene.write("repeating", STEPS)
    scene.fake.faults.switches.remove(fault)


async def answer_before_acks(scene: Scene) -> None:
    """intake is killed as soon as it has answered."""
    intake = await scene.stopped("intake")
    await intake.start()
    await scene.write("trusting")
    await intake.kill()
    await intake.start()


async def offset_before_outputs(scene: Scene) -> None:
    """normalise dies before it has written anything."""
    normalise = await scene.stopped("normalise")
    await normalise.start(failpoints="normalise.before_outputs=1", wait_ready=False)
    await scene.write("overtaken")

    def died() -> None:
        assert not normalise.is_alive, f"normalise never got a record:\n{normalise.tail()}"

    await eventually(died, timeout_s=30)
    await normalise.wait()
    await normalise.start()


@dataclass(frozen=True)
class Case:
    """A scene, and the verdict's fields of which at least one must not be 0 with the bug."""

    play: Callable[[Scene], Awaitable[None]]
    anomalies: tuple[str, ...]


CASES = {
    "fetch_dropped_after_rebalance": Case(fetch_dropped_after_rebalance, ("lost",)),
    "ack_on_exception": Case(ack_on_exception, ("lost", "residual")),
    "unkeyed_produce": Case(unkeyed_produce, ("reordered",)),
    "deduplication_off": Case(deduplication_off, ("doubled_inside", "doubled_outside", "lost", "residual")),
    "answer_before_acks": Case(answer_before_acks, ("lost",)),
    "offset_before_outputs": Case(offset_before_outputs, ("lost",)),
}
