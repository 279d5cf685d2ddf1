"""What follows from a call that failed: wait and repeat, pause the channel, plan again, or give up, and as what.

Pure: the error, what is known about the call so far and the limits go in, one verdict comes out.
"""

from dataclasses import dataclass

from connectors.errors import SendError

BACKOFF_S = 1.0
"""First wait of the exponential backoff where the platform names none."""

TOLD_WAITS_MAX = 20
"""Waits that the platform asked for and that cost no attempt; from then on each of them costs one."""

KEY_LIFE_MS = (24 * 3600 - 600) * 1000
"""How long a call may be repeated under its idempotency key: the 24 h of ``connectors.interface.Call``, less ten
minutes for clocks that differ and for the way there. After that the same key would be a new message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``tries`` of one call; ``wait_s_max`` bounds our own backoff, ``told_wait_s_max`` the platform's wishes;
    ``pause_s`` lies between two tries of a channel that is down, and ``outage_s_max`` ends an outage's patience."""

    tries: int
    wait_s_max: float
    told_wait_s_max: float
    pause_s: float
    outage_s_max: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that failed just now. ``tries`` and ``told_waits`` do not count this failure yet; ``age_ms`` is since the
    call was first started; ``in_doubt``: an earlier attempt may have reached the user; ``is_channel_silent``: nothing
    of this channel was accepted since then; ``has_moved``: the message goes to another peer already."""

    tries: int
    told_waits: int
    age_ms: float
    in_doubt: bool
    has_key: bool
    uses_reply_token: bool
    is_channel_silent: bool
    has_moved: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Repeat the identical call after ``wait_s``. ``is_free``: it costs no attempt."""

    wait_s: float
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Every call of this channel would fail: none is made until one gets through."""


@dataclass(frozen=True, slots=True)
class Replan:
    """Plan what is left again, without the reply token."""


@dataclass(frozen=True, slots=True)
class Move:
    """Plan what is left again, for another peer."""

    peer: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The call did not reach the user and never will. ``is_contact_lost``: nor will any other to this contact."""

    reason: str
    is_contact_lost: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call may have reached the user and cannot be repeated safely."""

    reason: str


Verdict = Retry | Pause | Replan | Move | GiveUp | Unknown


def backoff_s(tries: int, *, wait_s_max: float, jitter: float) -> float:
    """The wait before try ``tries`` + 1: 1, 2, 4 … seconds up to the limit, of which ``jitter`` (0 to 1) takes away up
    to a half, so that a crowd that failed together does not come back together."""
    return min(wait_s_max, BACKOFF_S * 2.0 ** min(tries - 1, 32)) * (1 - jitter / 2)


def judge(error: SendError, failed: Failed, limits: Limits, *, jitter: float) -> Verdict:
    """The one verdict on a failed call.

    Doubt outlives a later clean refusal: a call of which one attempt may have arrived ends as unknown, never as failed.
    """
    if error.channel_wide:
        return Pause()
    if error.replan and failed.uses_reply_token:
        return Replan()
    if error.moved_to and not failed.has_moved:
        return Move(error.moved_to)
    in_doubt = failed.in_doubt or error.ambiguous
    if error.ambiguous and not failed.has_key:
        return Unknown(error.reason)
    if error.ambiguous or error.retryable:
        return _retry(error, failed, limits, jitter=jitter) or _end("attempts_exhausted", error, in_doubt=in_doubt)
    return _end("unreachable" if error.unreachable else "refused", error, in_doubt=in_doubt)


def may_repeat(*, has_key: bool, age_ms: float) -> bool:
    """Whether a call that may have arrived can be made once more without the risk of a second copy."""
    return has_key and age_ms < KEY_LIFE_MS


def _retry(error: SendError, failed: Failed, limits: Limits, *, jitter: float) -> Retry | None:
    told_s = error.retry_after_s
    if told_s is not None and told_s > limits.told_wait_s_max:
        return None
    if told_s is not None and not error.ambiguous and failed.told_waits < TOLD_WAITS_MAX:
        return Retry(told_s, is_free=True)
    tries = failed.tries + 1
    if tries < limits.tries:
        return Retry(backoff_s(tries, wait_s_max=limits.wait_s_max, jitter=jitter) if told_s is None else told_s)
    # The attempts are spent, but nothing at all gets through: it is the platform that is down and not the message that
    # is wrong. Patience costs this conversation a wait, giving up would cost every conversation its answer.
    if failed.is_channel_silent and failed.age_ms < limits.outage_s_max * 1000:
        return Retry(max(limits.pause_s, told_s or 0.0))
    return None


def _end(reason: str, error: SendError, *, in_doubt: bool) -> Verdict:
    if in_doubt:
        return Unknown(error.reason)
    return GiveUp(reason, is_contact_lost=error.unreachable)
