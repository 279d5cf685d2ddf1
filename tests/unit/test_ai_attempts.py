"""When a turn is tried again: never too often, never earlier than the service said."""

import pytest

from streams.ai.attempts import BACKOFF_FACTOR, BACKOFF_S, JITTER, next_call_at
from streams.ai.errors import AIError, AIRefused, AIUnavailable

NOW = 1_000.0


def test_what_cannot_get_better_is_not_asked_again() -> None:
    assert next_call_at(AIRefused("unauthorized", retryable=False), attempts=1, attempts_max=9, now=NOW) is None


@pytest.mark.parametrize(("attempts", "is_last"), [(1, False), (2, False), (3, True), (4, True)])
def test_calls_are_counted(attempts: int, is_last: bool) -> None:
    at = next_call_at(AIUnavailable("reset"), attempts=attempts, attempts_max=3, now=NOW)
    assert (at is None) == is_last


@pytest.mark.parametrize("retry_after_s", [0.5, 2.0, 3_600.0])
def test_a_wait_that_was_asked_for_is_never_undercut(retry_after_s: float) -> None:
    error = AIRefused("rate_limited", retry_after_s=retry_after_s)
    for _ in range(200):
        at = next_call_at(error, attempts=1, attempts_max=3, now=NOW)
        assert at is not None
        assert retry_after_s <= at - NOW <= retry_after_s * (1 + JITTER)


@pytest.mark.parametrize("error", [AIUnavailable("reset"), AIRefused("rate_limited", retry_after_s=0.0)])
@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_waits_grow_even_where_the_service_asks_for_none(error: AIError, attempts: int) -> None:
    at = next_call_at(error, attempts=attempts, attempts_max=9, now=NOW)
    assert at is not None
    assert at - NOW >= BACKOFF_S * BACKOFF_FACTOR ** (attempts - 1) - 1e-9
