"""Asks an AI service: questions in, answers that passed the guard out, all calls of a turn within its time.

Two kinds of service behind one ``ask``: the contract's ``POST {ai_url}/process``, and any server that speaks
chat-completions, told by a URL that ends in ``/chat/completions``. Reads and writes no topic.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

from schemas.registry import encode
from schemas.replies import AIAnswer, AIQuestion
from streams.ai.attempts import CALL_S_MIN, FRESH, Progress, next_call_at
from streams.ai.errors import AIError, AITimeout
from streams.ai.guard import read_answer, read_json
from streams.ai.openai import ChatCompletions, is_chat_completions
from streams.ai.transport import Transport
from streams.settings import Settings, SettingsError

DOWN_AFTER_FAILURES = 16
"""Calls that failed in a row, over all turns, after which the service counts as down."""

OnRetry = Callable[[Progress], Awaitable[None]]


class Wire(Protocol):
    """One way of speaking to an AI service. ``write`` takes the JSON of an ``AIQuestion``; ``read`` raises AIBroken."""

    url: str

    def write(self, question: bytes) -> bytes: ...

    def read(self, body: bytes) -> AIAnswer: ...


class Process:
    """The contract's own wire: the question as it is, the answer as it is."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url.rstrip("/") + "/process"
        self._chars_max = settings.ai_answer_chars_max

    def write(self, question: bytes) -> bytes:
        return question

    def read(self, body: bytes) -> AIAnswer:
        return read_answer(read_json(body), chars_max=self._chars_max)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, after how many calls, and when the first began and the last ended (seconds since the epoch)."""

    answer: AIAnswer
    attempts: int
    asked_at: float
    answered_at: float


class AI(Protocol):
    """Whoever answers turns; ``AIClient`` says what the members mean."""

    @property
    def is_down(self) -> bool: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def ask(
        self,
        question: AIQuestion | bytes,
        *,
        deadline_s: float,
        progress: Progress = FRESH,
        on_retry: OnRetry | None = None,
    ) -> Reply: ...


class AIClient:
    """One service. ``start`` before the first ``ask``, ``stop`` at the end. The constructor raises SettingsError."""

    def __init__(self, url: str, settings: Settings) -> None:
        _check(url)
        self._wire: Wire = ChatCompletions(url, settings) if is_chat_completions(url) else Process(url, settings)
        self._transport = Transport(self._wire.url, settings)
        self._settings = settings
        self._failures_in_a_row = 0

    @property
    def is_down(self) -> bool:
        """Whether the service has failed everybody lately; one answer makes it up again."""
        return self._failures_in_a_row >= DOWN_AFTER_FAILURES

    async def start(self) -> None:
        """Open the session; nothing is asked yet."""
        await self._transport.start()

    async def stop(self) -> None:
        """Close the session; may be called twice."""
        await self._transport.stop()

    async def ask(
        self,
        question: AIQuestion | bytes,
        *,
        deadline_s: float,
        progress: Progress = FRESH,
        on_retry: OnRetry | None = None,
    ) -> Reply:
        """The answer to one turn, from as many calls as the settings allow, all within ``deadline_s`` seconds from now.

        ``question`` may be given as its JSON. ``progress`` goes on with a turn that was begun before. ``on_retry`` is
        told the progress after each failure that another call follows, before the wait. Raises AIError, whose
        ``attempts`` counts all calls of the turn.
        """
        body = self._wire.write(question if isinstance(question, bytes) else encode(question))
        ends_at = time.time() + deadline_s
        if progress.not_before > ends_at - CALL_S_MIN:
            raise _counted(AITimeout("deadline", "the service asked for a longer wait", retryable=False), progress)
        while True:
            await asyncio.sleep(max(0.0, progress.not_before - time.time()))
            now = time.time()
            progress = replace(progress, attempts=progress.attempts + 1, asked_at=progress.asked_at or now)
            try:
                answer = await self._call(body, timeout_s=min(self._settings.ai_call_timeout_s, ends_at - now))
            except AIError as error:
                progress = self._after(error, progress, ends_at=ends_at)
                if on_retry is not None:
                    await on_retry(progress)
            else:
                return Reply(answer, progress.attempts, progress.asked_at or now, time.time())

    async def _call(self, body: bytes, *, timeout_s: float) -> AIAnswer:
        """One call, counted for ``is_down``."""
        try:
            answer = self._wire.read(await self._transport.post(body, timeout_s=max(timeout_s, CALL_S_MIN)))
        except AIError:
            self._failures_in_a_row += 1
            raise
        self._failures_in_a_row = 0
        return answer

    def _after(self, error: AIError, progress: Progress, *, ends_at: float) -> Progress:
        """The progress with the time of the next call; raises ``error`` when there is none."""
        attempts_max = self._settings.ai_attempts
        next_at = next_call_at(error, attempts=progress.attempts, attempts_max=attempts_max, now=time.time())
        if next_at is None or next_at > ends_at - CALL_S_MIN:
            raise _counted(error, progress)
        return replace(progress, not_before=next_at)


def _counted(error: AIError, progress: Progress) -> AIError:
    error.attempts = progress.attempts
    return error


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SettingsError(
            f"IRIS_AI_URL={url!r} is no http or https address; name the AI service (http://host:port), or unset the "
            "variable and the embedded one answers"
        )
