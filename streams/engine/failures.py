"""What becomes of a record that cannot be handled: a dead letter, within a limit.

Poison passes by, but a systematic failure stops the stage instead of draining the topic: more than half of the last 100
records failing unexpectedly, or every one of the last 100 given up for whatever reason.
"""

import time
from collections import deque
from collections.abc import Iterable

from schemas import headers as names
from streams.engine.api import Output, Poison, Record

WINDOW_RECORDS = 100
ERROR_TEXT_CHARS_MAX = 1_000


class SystematicFailure(Exception):
    """The stage fails on most records: something is wrong with the stage, not with the records."""


class FailureGuard:
    """Remembers the outcome of the last records of one stage."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._outcomes: deque[str] = deque(maxlen=WINDOW_RECORDS)
        self._went_well = 0

    def handled(self, count: int) -> None:
        """So many records went well."""
        self._went_well += count

    def gave_up(self, error: BaseException) -> None:
        """A record became a dead letter; raises SystematicFailure at the limit."""
        self._outcomes.extend("." * min(self._went_well, WINDOW_RECORDS))
        self._went_well = 0
        self._outcomes.append("p" if isinstance(error, Poison) else "e")
        if len(self._outcomes) < WINDOW_RECORDS:
            return
        unexpected = self._outcomes.count("e")
        if unexpected * 2 > WINDOW_RECORDS or "." not in self._outcomes:
            raise SystematicFailure(
                f"stage {self._stage} gave up {WINDOW_RECORDS - self._outcomes.count('.')} of the last "
                f"{WINDOW_RECORDS} records, {unexpected} of them by unexpected errors; "
                f"the last: {type(error).__name__}: {error}. "
                "Nothing more is read, so nothing more is lost: fix the cause and start again"
            )


def dead_letter(topic: str, record: Record, *, stage: str, error: BaseException) -> Output:
    """The record unchanged under its own key; headers say where it stood and what was wrong with it."""
    about: Iterable[tuple[str, str]] = (
        (names.DEAD_TOPIC, record.topic),
        (names.DEAD_PARTITION, str(record.partition)),
        (names.DEAD_OFFSET, str(record.offset)),
        (names.DEAD_STAGE, stage),
        (names.DEAD_ERROR_CLASS, type(error).__name__),
        (names.DEAD_ERROR_TEXT, str(error)[:ERROR_TEXT_CHARS_MAX]),
        (names.DEAD_TIME, str(int(time.time() * 1000))),
    )
    own = tuple((name, value) for name, value in record.headers if name not in names.DEAD_HEADERS)
    return Output(topic, record.key, record.value, own + tuple((name, text.encode()) for name, text in about))
