"""Brings one message to its platform: ask, tell, remember, for every call of its plan.

Reads and writes nothing itself: calls go through the ``Sender`` it is given, journal and events through the view.
"""

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from connectors.errors import SendError
from connectors.interface import Call, Channel, Platform, Sender
from streams.delivery import journal as journals
from streams.delivery.account import Account
from streams.delivery.attempts import (
    Failed,
    GiveUp,
    Limits,
    Move,
    Pause,
    Replan,
    Retry,
    Unknown,
    Verdict,
    judge,
    may_repeat,
)
from streams.delivery.gate import Gate
from streams.delivery.journal import Step
from streams.delivery.planning import Planner
from streams.engine.api import ActiveView
from streams.engine.failpoints import failpoint

log = logging.getLogger(__name__)

PROVEN_S = 2.0
"""How long an acknowledged journal proves that nobody else sends. The owner has heartbeats every 1.7 s, and loses its
partitions no sooner than 6 s after the last (``kafka_session_timeout_s``)."""
UNSEEN_S = 2.0
"""What nobody sees as a message delays it by no more than this."""


@dataclass(frozen=True, slots=True)
class World:
    """What sending takes from the world besides the platforms, so that tests can step it; ``steady`` is a clock that
    nobody sets, ``jitter`` gives 0 to 1."""

    clock: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes: the channel, both halves of its platform, its gate, and how patient its calls are."""

    channel: Channel
    platform: Platform
    sender: Sender
    gate: Gate
    limits: Limits


class Courier:
    """One message on its way, through one call of the stage's ``handle``."""

    def __init__(self, account: Account, view: ActiveView, route: Route, world: World) -> None:
        self._world = world
        self._view = view
        self._account = account
        self._channel = route.channel
        self._platform = route.platform
        self._sender = route.sender
        self._gate = route.gate
        self._limits = route.limits
        self._planner = Planner(account, route.platform, route.channel)

    async def deliver(self) -> None:
        """Make every call that is left to be made. On return the account holds what is not durable yet: the outcome of
        the last call. A cancellation leaves a journal from which the next one goes on."""
        is_new = not self._account.journal.planned
        if is_new or not self._planner.resume():
            unseen = self._plan()
            if is_new and self._gate.is_open:
                await self._perform_unseen(unseen)
        while (index := self._planner.next_index()) is not None:
            await self._settle(index)

    def _plan(self) -> tuple[Call, ...]:
        # A reply token is spent by the first call that is started with it, of this message or of another.
        token = self._account.message.reply_token
        may_reply = token is not None and self._view.get(_token_key(token)) is None
        return self._planner.plan(may_reply=may_reply)

    async def _settle(self, index: int) -> None:
        """Make the plan's call ``index`` until it is settled, or the plan is another."""
        call = self._account.calls[index]
        step = self._account.journal.step_of(index, call)
        if step.state == "started":
            # Whoever started this call did not live to note its outcome, nor perhaps to tell the log of the start.
            step.in_doubt = True
            self._account.tell_start(step, call)
        while step.is_open:
            if not self._may_call(step):
                self._account.unknown(step, "interrupted")
            elif (wait_ms := step.retry_at_ms - self._account.now_ms) > 0:
                await self._world.sleep(wait_ms / 1000)
            elif await self._attempt(step, call):
                return

    def _may_call(self, step: Step) -> bool:
        age_ms = self._account.now_ms - step.first_ms
        return not step.in_doubt or may_repeat(has_key=step.key is not None, age_ms=age_ms)

    async def _attempt(self, step: Step, call: Call) -> bool:
        """Make the call once, when the channel lets it through. Returns whether the plan was made anew by that."""
        if self._account.is_ahead and not self._gate.is_free:
            # What is known already must not wait, unwritten, behind a channel that is down.
            await self._commit()
        async with self._gate.passage():
            if not self._may_call(step):
                return False
            if self._planner.is_outdated(step):
                self._plan()
                return True
            await self._start(step, call)
            is_planned_anew = await self._perform(step, call)
        if step.state == "refused":
            # A clean refusal is evidence; lost in the wait, it would come back as an unknown.
            await self._commit()
        return is_planned_anew

    async def _start(self, step: Step, call: Call) -> None:
        is_ahead = self._account.is_ahead
        self._account.start(step, call)
        # The mark is durable with the start: a token that a crash left in doubt is spent for every later message too.
        token = self._account.message.reply_token
        if call.uses_reply_token and token is not None:
            until_ms = int(self._account.now_ms + self._platform.reply_token_life_s * 1000)
            self._view.put(_token_key(token), b"1", expires_at_ms=until_ms)
        save(self._view, self._account)
        # A start can be told again from the journal, an outcome cannot: that one is on the log before.
        put = self._view.commit if is_ahead else self._view.announce
        began_s = self._world.steady()
        await put(self._account.take())
        failpoint("send.after_started")
        while self._world.steady() - began_s > PROVEN_S:
            # A process that was stopped meanwhile may have a successor, which gave this call up as unknown and went on
            # to later ones. To one that has, the journal is closed.
            began_s = self._world.steady()
            save(self._view, self._account)
            await self._view.commit()
        self._account.measure()

    async def _perform(self, step: Step, call: Call) -> bool:
        try:
            receipt = await self._sender.perform(call, self._channel, timeout_s=self._platform.attempts.timeout_s)
        except SendError as error:
            failpoint("send.after_call")
            return self._conclude(step, call, error)
        failpoint("send.after_call")
        self._reopen(step, is_accepted=True)
        self._account.sent(step, receipt)
        return False

    def _conclude(self, step: Step, call: Call, error: SendError) -> bool:
        """Act on a failure; returns whether the plan was made anew."""
        match self._judge(step, call, error):
            case Retry(wait_s, is_free):
                step.tries += not is_free
                step.told_waits += is_free
                self._account.refused(step, error, wait_s=wait_s)
            case Pause():
                # The message keeps its place and its attempts; one alert and one event, however many calls find out.
                if self._gate.close():
                    log.error("channel %s of %s is paused: %s", self._channel.id, self._channel.platform, error.reason)
                    self._account.channel_changed(step, "paused", error.reason)
                self._account.refused(step, error, wait_s=self._limits.pause_s)
            case Replan():
                # It did not arrive, so its parts are free for another plan.
                step.state = "refused"
                self._reopen(step, is_accepted=False)
                self._plan()
                return True
            case Move(peer):
                step.state = "refused"
                self._reopen(step, is_accepted=False)
                self._account.moved(step, peer)
                self._plan()
                return True
            case GiveUp(reason, is_contact_lost):
                # Refused for what it is, not for the channel's state: that is an answer of a channel that works.
                if not error.retryable:
                    self._reopen(step, is_accepted=False)
                self._account.failed(step, error, reason=reason, is_contact_lost=is_contact_lost)
            case Unknown(reason):
                self._account.unknown(step, reason)
        return False

    def _judge(self, step: Step, call: Call, error: SendError) -> Verdict:
        failed = Failed(
            tries=step.tries,
            told_waits=step.told_waits,
            age_ms=self._account.now_ms - step.first_ms,
            in_doubt=step.in_doubt,
            has_key=step.key is not None,
            uses_reply_token=call.uses_reply_token,
            has_moved=bool(self._account.journal.peer),
            is_channel_silent=not self._gate.has_accepted_since(step.first_ms),
        )
        return judge(error, failed, self._limits, jitter=self._world.jitter())

    def _reopen(self, step: Step, *, is_accepted: bool) -> None:
        if self._gate.open(is_accepted=is_accepted):
            log.warning("channel %s of %s works again", self._channel.id, self._channel.platform)
            self._account.channel_changed(step, "resumed", "")

    async def _perform_unseen(self, calls: Sequence[Call]) -> None:
        """Answers to taps, typing and the like: one attempt each, side by side and not for long, because the message
        waits for them; of no consequence for the books."""
        timeout_s = min(self._platform.attempts.timeout_s, UNSEEN_S)

        async def attempt(call: Call) -> None:
            try:
                await self._sender.perform(call, self._channel, timeout_s=timeout_s)
            except SendError as error:
                log.info("channel %s: %s: %s", self._channel.id, call.name, error.reason)

        await asyncio.gather(*map(attempt, calls))

    async def _commit(self) -> None:
        save(self._view, self._account)
        await self._view.commit(self._account.take())


def save(view: ActiveView, account: Account) -> None:
    """Write the journal into the view; durable with its next commit, at the latest when the record is done."""
    name = journals.table_key(account.message.id)
    view.put(name, journals.encode(account.journal), expires_at_ms=int(account.now_ms) + journals.KEPT_MS)


def _token_key(token: str) -> bytes:
    return b"t" + hashlib.blake2b(token.encode(), digest_size=16).digest()
