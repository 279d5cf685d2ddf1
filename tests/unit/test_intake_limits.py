"""How long a webhook may take: ended in time, whoever else cancels is heard, and nothing is left behind."""

import asyncio

import pytest

from streams.stages.intake_limits import TICK_S, InHand
from tests.harness.eventually import eventually

LIMIT_S = 60.0


async def held(in_hand: InHand, *, seconds: float = LIMIT_S) -> None:
    with in_hand.within(seconds):
        await asyncio.Event().wait()


async def begun(in_hand: InHand) -> asyncio.Task[None]:
    task = asyncio.create_task(held(in_hand))
    await eventually(lambda: in_hand_is(in_hand, 1))
    return task


async def in_hand_is(in_hand: InHand, count: int) -> None:
    assert len(in_hand) == count


async def test_a_wait_ends_at_the_last_tick_before_its_limit_and_not_at_one_before() -> None:
    in_hand = InHand()
    began_s = asyncio.get_running_loop().time()
    task = await begun(in_hand)
    assert in_hand.end_due(began_s + LIMIT_S - 2 * TICK_S) == 0
    assert in_hand.end_due(asyncio.get_running_loop().time() + LIMIT_S) == 1
    with pytest.raises(TimeoutError):
        await task
    assert len(in_hand) == 0


async def test_the_timer_ends_each_wait_by_its_own_limit_and_starts_again_after_a_pause() -> None:
    in_hand = InHand()
    patient = await begun(in_hand)
    await ends_by_itself(in_hand)
    assert len(in_hand) == 1
    patient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await patient
    await asyncio.sleep(2 * TICK_S)
    await ends_by_itself(in_hand)


async def ends_by_itself(in_hand: InHand) -> None:
    """A wait of a few ticks, among others."""
    task = asyncio.create_task(held(in_hand, seconds=5 * TICK_S))
    (done, _) = await asyncio.wait([task], timeout=10)
    assert done
    assert isinstance(task.exception(), TimeoutError)


async def test_who_is_cancelled_by_somebody_else_too_stays_cancelled() -> None:
    in_hand = InHand()
    task = await begun(in_hand)
    in_hand.end_due(asyncio.get_running_loop().time() + LIMIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(in_hand) == 0


async def test_a_wait_that_was_ended_is_not_ended_again() -> None:
    in_hand = InHand()
    task = await begun(in_hand)
    late_s = asyncio.get_running_loop().time() + LIMIT_S
    assert (in_hand.end_due(late_s), in_hand.end_due(late_s)) == (1, 0)
    with pytest.raises(TimeoutError):
        await task


async def test_a_block_that_ends_by_itself_is_no_longer_in_hand() -> None:
    in_hand = InHand()
    with in_hand.within(LIMIT_S):
        assert len(in_hand) == 1
    assert len(in_hand) == 0
    with pytest.raises(ValueError, match="its own"), in_hand.within(LIMIT_S):
        raise ValueError("its own")
    assert len(in_hand) == 0
