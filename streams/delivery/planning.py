"""The plan of one message: made for what is left of it, and made again, identically, by whoever takes over.

Pure: the platform's ``plan`` is a function of message, window and channel, and the window stands in the journal.
"""

from typing import Any

from connectors.interface import Call, Channel, Platform, Window
from streams.delivery.account import Account
from streams.delivery.journal import Step

FRESH_MS = 60_000
"""A plan of which no call was started is made again after this, because the windows it was made for may have closed."""


class Planner:
    """Keeps ``account.calls``, the visible calls, in step with the journal's plan."""

    def __init__(self, account: Account, platform: Platform, channel: Channel) -> None:
        self._account = account
        self._message = account.message
        self._journal = account.journal
        self._platform = platform
        self._channel = channel

    def resume(self) -> bool:
        """Make the journal's plan again; False where it comes out differently (other code, other configuration)."""
        self._account.calls = tuple(call for call in self._calls() if call.is_visible)
        return self._journal.is_of(self._account.calls)

    def plan(self, *, may_reply: bool) -> tuple[Call, ...]:
        """Plan what is left anew; returns the calls that no user can see. Two kinds of parts end here: those that no
        call covers, and those of which something may have arrived, for no other plan could continue them."""
        self._account.lose(self._journal.touched_parts(), "interrupted, and planned differently since")
        now_ms = int(self._account.now_ms)
        self._journal.begin_plan(
            [part.id for part in self._journal.open_parts(self._message)],
            window_ms=now_ms,
            has_reply_token=may_reply and self._is_token_fresh(now_ms),
        )
        calls = self._calls()
        self._account.calls = tuple(call for call in calls if call.is_visible)
        covered = {part for call in self._account.calls for part in call.part_ids}
        self._account.suppress([part for part in self._journal.planned if part not in covered], "not_renderable")
        return tuple(call for call in calls if not call.is_visible)

    def next_index(self) -> int | None:
        """The place of the first call that is not settled. The rest of a part that failed is not worth sending."""
        steps, parts = self._journal.steps, self._journal.parts
        if steps and steps[-1].is_open:
            return len(steps) - 1
        for index in range(len(steps), len(self._account.calls)):
            call = self._account.calls[index]
            if any(parts.get(part) != "failed" for part in call.part_ids):
                return index
            self._journal.step_of(index, call).state = "failed"
        return None

    def is_outdated(self, step: Step) -> bool:
        """Whether to plan anew before this step is started for the first time."""
        is_old = self._account.now_ms - self._journal.window_ms > FRESH_MS
        return is_old and not step.first_ms and not self._journal.touched_parts()

    def _calls(self) -> tuple[Call, ...]:
        # Only what the journal says and the message itself go in, never the time of now: the same plan comes out.
        planned = set(self._journal.planned)
        left = tuple(part for part in self._message.parts if part.id in planned)
        if not left and self._message.parts:
            return ()
        token = self._message.reply_token if self._journal.has_reply_token else None
        window = Window(self._journal.window_ms, token, self._message.last_inbound_at)
        changed: dict[str, Any] = {} if len(left) == len(self._message.parts) else {"parts": left}
        if self._journal.peer:
            # The ids of the chat that was are not those of the one that it became.
            changed |= {"peer": self._journal.peer, "reply_to": None, "quote_token": None}
        message = self._message.model_copy(update=changed) if changed else self._message
        return self._platform.plan(message, window, self._channel)

    def _is_token_fresh(self, now_ms: int) -> bool:
        at_ms = self._message.reply_token_at
        return at_ms is not None and now_ms - at_ms < self._platform.reply_token_life_s * 1000
