"""The verdict on a failed call, case by case."""

import pytest

from connectors.errors import SendError
from streams.delivery.attempts import (
    KEY_LIFE_MS,
    TOLD_WAITS_MAX,
    Failed,
    GiveUp,
    Limits,
    Pause,
    Replan,
    Retry,
    Unknown,
    Verdict,
    backoff_s,
    judge,
    may_repeat,
)

LIMITS = Limits(tries=3, wait_s_max=30.0, told_wait_s_max=3600.0, pause_s=30.0, outage_s_max=900.0)


def failed(**more: float) -> Failed:
    known: dict[str, float] = {"tries": 0, "told_waits": 0, "age_ms": 5.0, "in_doubt": False, "has_key": False}
    return Failed(**{**known, "uses_reply_token": False, "is_channel_silent": False, **more})  # type: ignore[arg-type]


def error(**fields: object) -> SendError:
    return SendError("why", **fields)  # type: ignore[arg-type]


CASES: dict[str, tuple[SendError, Failed, Verdict]] = {
    "first refusal": (error(retryable=True), failed(), Retry(1.0)),
    "second refusal": (error(retryable=True), failed(tries=1), Retry(2.0)),
    "last refusal": (error(retryable=True), failed(tries=2), GiveUp("attempts_exhausted")),
    "last refusal in doubt": (error(retryable=True), failed(tries=2, in_doubt=True, has_key=True), Unknown("why")),
    "last refusal in an outage": (error(retryable=True), failed(tries=2, is_channel_silent=True), Retry(30.0)),
    "outage, asked to wait longer": (
        error(retryable=True, retry_after_s=50.0),
        failed(tries=2, told_waits=TOLD_WAITS_MAX, is_channel_silent=True),
        Retry(50.0),
    ),
    "outage at its limit": (
        error(retryable=True),
        failed(tries=2, is_channel_silent=True, age_ms=900_000.0),
        GiveUp("attempts_exhausted"),
    ),
    "outage just below": (
        error(retryable=True),
        failed(tries=9, is_channel_silent=True, age_ms=899_999.0),
        Retry(30.0),
    ),
    "asked to wait": (error(retryable=True, retry_after_s=7.0), failed(tries=2), Retry(7.0, is_free=True)),
    "asked to wait, longer than our own waits": (
        error(retryable=True, retry_after_s=3600.0),
        failed(),
        Retry(3600.0, is_free=True),
    ),
    "asked to wait too long": (
        error(retryable=True, retry_after_s=3601.0),
        failed(is_channel_silent=True),
        GiveUp("attempts_exhausted"),
    ),
    "asked to wait too often": (
        error(retryable=True, retry_after_s=7.0),
        failed(told_waits=TOLD_WAITS_MAX),
        Retry(7.0),
    ),
    "asked to wait once less": (
        error(retryable=True, retry_after_s=7.0),
        failed(told_waits=TOLD_WAITS_MAX - 1),
        Retry(7.0, is_free=True),
    ),
    "ambiguous without a key": (error(ambiguous=True), failed(), Unknown("why")),
    "ambiguous without a key, though retryable": (error(ambiguous=True, retryable=True), failed(), Unknown("why")),
    "ambiguous with a key": (error(ambiguous=True), failed(has_key=True), Retry(1.0)),
    "ambiguous with a wait costs an attempt": (
        error(ambiguous=True, retry_after_s=9.0),
        failed(has_key=True),
        Retry(9.0),
    ),
    "ambiguous to the last": (error(ambiguous=True), failed(has_key=True, tries=2), Unknown("why")),
    "permanent": (error(), failed(), GiveUp("refused")),
    "permanent in doubt": (error(), failed(in_doubt=True, has_key=True), Unknown("why")),
    "unreachable": (error(unreachable=True), failed(), GiveUp("unreachable", is_contact_lost=True)),
    "channel down": (error(channel_wide=True), failed(), Pause()),
    "channel down, and retryable": (error(channel_wide=True, retryable=True), failed(tries=2), Pause()),
    "spent reply token": (error(replan=True), failed(uses_reply_token=True), Replan()),
    "spent reply token, though none was used": (error(replan=True), failed(), GiveUp("refused")),
}


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str) -> None:
    what, known, verdict = CASES[case]
    assert judge(what, known, LIMITS, jitter=0.0) == verdict


def test_backoff_doubles_up_to_its_limit_and_jitter_takes_at_most_half() -> None:
    waits = [backoff_s(tries, wait_s_max=30.0, jitter=0.0) for tries in range(1, 8)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert backoff_s(3, wait_s_max=30.0, jitter=1.0) == 2.0
    assert backoff_s(100_000, wait_s_max=30.0, jitter=0.0) == 30.0


def test_only_a_key_that_is_alive_allows_a_repeat() -> None:
    assert may_repeat(has_key=True, age_ms=KEY_LIFE_MS - 1)
    assert not may_repeat(has_key=True, age_ms=KEY_LIFE_MS)
    assert not may_repeat(has_key=False, age_ms=0)
