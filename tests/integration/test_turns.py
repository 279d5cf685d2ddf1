"""Turns under real conditions: a slow AI neither delays the webhook's answer nor makes a second answer."""

from pathlib import Path

import pytest

from streams.broker import Broker
from tests.harness.deployment import Deployment
from tests.harness.eventually import eventually

pytestmark = pytest.mark.broker

AI_S = 2.0


async def test_a_message_that_arrives_while_the_bot_is_thinking_waits_and_its_context_holds_the_answer(
    broker: Broker, tmp_path: Path
) -> None:
    async with Deployment(broker.bootstrap, tmp_path, platforms=["line"]).running() as it:
        line = it.fakes["line"]
        it.ai.fail("slow", times=1, seconds=AI_S)
        await line.say("ann", "first")

        def is_thinking() -> None:
            assert len(it.ai.journal) == 1

        await eventually(is_thinking)
        await line.say("ann", "second")
        await line.say("ann", "third")

        def answered() -> None:
            assert line.seen("ann") == ["re: first", "re: third"]

        await eventually(answered, timeout_s=15)
        first, second = it.ai.journal
        assert second["at"] >= first["answered_at"] > 0
        context = [(entry["role"], entry["content"]) for entry in second["body"]["context"]["messages"]]
        assert context == [("user", "first"), ("assistant", "re: first"), ("user", "second")]


async def test_a_slow_ai_does_not_delay_the_webhooks_answer_and_redeliveries_make_no_second_answer(
    broker: Broker, tmp_path: Path
) -> None:
    async with Deployment(broker.bootstrap, tmp_path).running() as it:
        it.ai.fail("slow", share=1.0, seconds=AI_S)
        for fake in it.fakes.values():
            event = fake.user_message("ann", "hello")
            body = fake.body([event])
            assert [await fake.deliver(body) for _ in range(4)] == [200] * 4
            # Every delivery was answered before the AI could have been.
            assert all(question["answered_at"] == 0 for question in it.ai.asked(conversation_of(it, fake.name)))

        def answered() -> None:
            for fake in it.fakes.values():
                assert fake.seen("ann") == ["re: hello"]

        await eventually(answered, timeout_s=20)
        assert len(it.ai.journal) == len(it.fakes)


def conversation_of(it: Deployment, platform: str) -> str:
    """The conversation that the AI was asked about on this platform, or nothing yet."""
    return next((q["conversation"] for q in it.ai.journal if q["body"]["message"]["platform"] == platform), "")
