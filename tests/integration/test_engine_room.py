"""One platform's outage holds up no other, even when more of its messages wait than a stage may have in hand."""

from pathlib import Path

import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually
from tests.harness.topics import read_topic

pytestmark = pytest.mark.broker

IN_HAND_MAX = 4
WAITING = 3 * IN_HAND_MAX


class Outage:
    """LINE is down with more messages waiting than ``send`` may have in hand of one topic; Telegram works."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        settings = {
            "inflight_records_max": IN_HAND_MAX,
            "batch_records_max": IN_HAND_MAX,
            "send_pause_s": 0.5,
            "partitions": 2,
        }
        self.it = Deployment(broker.bootstrap, folder, platforms=["line", "telegram"], settings=settings)
        self._line, self._telegram = self.it.fakes["line"], self.it.fakes["telegram"]
        self._fault = self._line.faults.add("token")
        self._users = [f"u{number}" for number in range(WAITING)]
        self._said = 0

    async def begin(self) -> None:
        for user in self._users:
            await self._line.say(user, "hello")

        async def all_wait() -> None:
            assert len(await read_topic(self.it.bootstrap, f"{self.it.prefix}outbound.line")) == WAITING
            assert self._fault.hits

        await eventually(all_wait, timeout_s=30)

    async def others_are_answered(self) -> None:
        """More messages than the limit pass, one after the other, while nothing of LINE's does."""
        for _ in range(IN_HAND_MAX + 1):
            self._said += 1
            await self._telegram.say("ann", f"{self._said}")
            await eventually(self._has_answered)
        assert not any(self._line.seen(user) for user in self._users)

    def _has_answered(self) -> None:
        assert self._telegram.seen("ann") == [f"re: {number + 1}" for number in range(self._said)]

    async def end(self) -> None:
        """LINE works again, and everybody gets the one answer."""
        self._fault.left = 0

        def all_answered() -> None:
            assert {user: self._line.seen(user) for user in self._users} == {
                user: ["re: hello"] for user in self._users
            }

        await eventually(all_answered, timeout_s=30)


async def test_a_platform_that_is_down_with_more_than_its_share_waiting_holds_up_no_other(
    broker: Broker, tmp_path: Path
) -> None:
    outage = Outage(broker, tmp_path)
    async with outage.it.running():
        await outage.begin()
        await outage.others_are_answered()
        await outage.end()


async def test_a_rebalance_while_a_topic_is_not_read_on_leaves_no_partition_unread(
    broker: Broker, tmp_path: Path
) -> None:
    outage = Outage(broker, tmp_path)
    async with outage.it.running() as it:
        await outage.begin()
        it.processes["send-b"] = it.process("send", instance="-b", data_dir=str(tmp_path / "b"))
        await it.start(["send-b"])
        await outage.others_are_answered()
        await it.processes["send-b"].terminate()
        await outage.others_are_answered()
        await outage.end()
