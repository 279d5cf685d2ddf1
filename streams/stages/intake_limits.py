"""The webhooks in hand: how many there are, and until when each has to be answered. Knows no HTTP.

One timer looks after all of them: ``asyncio.timeout`` makes one for each, which is a twentieth of what a webhook costs.
"""

import asyncio
from types import TracebackType

TICK_S = 0.02
"""How often it is looked whose time is over; a wait ends up to so much earlier than its limit, and never later."""


class InHand:
    """All that is being answered; ``len`` of it."""

    def __init__(self) -> None:
        self._limits: set[Limit] = set()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._limits)

    def within(self, seconds: float) -> "Limit":
        """``with`` it, the block is in hand, and raises TimeoutError at an await when the time is over."""
        return Limit(self, seconds)

    def end_due(self, now_s: float) -> int:
        """End the waits whose limit comes before the next tick; how many. ``now_s`` is the loop's time."""
        due = [limit for limit in self._limits if limit.ends_s <= now_s + TICK_S and not limit.is_over]
        for limit in due:
            limit.end()
        return len(due)

    def take(self, limit: "Limit") -> None:
        """Its block begins."""
        self._limits.add(limit)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def drop(self, limit: "Limit") -> None:
        """Its block ended."""
        self._limits.remove(limit)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self.end_due(loop.time())
        self._timer = loop.call_later(TICK_S, self._tick) if self._limits else None


class Limit:
    """A block and its time, of the task that runs it. Not to be used twice."""

    __slots__ = ("_cancelling", "_in_hand", "_seconds", "_task", "ends_s", "is_over")

    def __init__(self, in_hand: InHand, seconds: float) -> None:
        self._in_hand = in_hand
        self._seconds = seconds
        self.is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a webhook is answered in a task"
        self._task = task
        self._cancelling = task.cancelling()
        self.ends_s = asyncio.get_running_loop().time() + self._seconds
        self._in_hand.take(self)

    def end(self) -> None:
        """Now."""
        self.is_over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._in_hand.drop(self)
        # As in asyncio.timeout: who was cancelled by somebody else, too, stays cancelled.
        if self.is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
