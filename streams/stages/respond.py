"""Stage respond: reads ``iris.ai.requests``, asks the AI, writes one reply event per turn to the log.

Table: ``t`` + turn id, while a turn is tried again and after it was settled. A fast turn writes it once, with its
outcome. A turn whose first call failed makes its progress durable before the wait, so that a restart neither asks more
often than allowed nor earlier than the service said. The deadline stands in the request and never moves.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec

from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.events import ReplyFailed, ReplyGenerated, wire_name
from schemas.ids import derived_id
from schemas.registry import LATEST_VERSION, encode
from streams.ai.attempts import Progress
from streams.ai.client import AI, OnRetry
from streams.ai.errors import AIError, AITimeout
from streams.engine.api import ActiveView, Headers, Output, Poison, Record
from streams.engine.failpoints import failpoint
from streams.settings import Settings
from streams.topics import DAY_MS, Topics

TURN = b"t"
REMEMBERED_MS = 2 * DAY_MS
"""How long a turn stays in the table: requests are kept one day, their last segment somewhat longer."""
LATE_S = 1.0
"""A turn that is first seen with less time left than this has waited for us, not for the AI."""
DETAIL_CHARS_MAX = 300

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Outcome = ReplyGenerated | ReplyFailed

log = logging.getLogger(__name__)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``schemas.replies.ReplyRequest`` with its question unparsed: the very bytes go on to the AI, and reading the
    context's 50 messages only to write them again would be the dearest part of a turn."""

    id: str
    conversation_id: str
    platform: str
    channel: str
    question: msgspec.Raw
    deadline: Time
    received_at: Time
    causation_id: str
    correlation_id: str


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """The table's value: a turn that is settled, or the progress of one that is being tried again."""

    is_settled: bool = False
    attempts: int = 0
    asked_at: float | None = None
    not_before: float = 0.0


class Mention(msgspec.Struct, frozen=True):
    """As much of a request as it takes to close its turn."""

    id: str
    platform: str
    channel: str
    correlation_id: str


NEW = Turn()
SETTLED = msgspec.json.encode(Turn(is_settled=True))

_request = msgspec.json.Decoder(Request)
_turn = msgspec.json.Decoder(Turn)
_mention = msgspec.json.Decoder(Mention)


class Respond:
    """Exactly one ``reply_generated`` or ``reply_failed`` per turn: both have the same id, and the first in the log
    counts. ``clock`` gives seconds since the epoch."""

    name = "respond"
    has_table = True
    may_end_later = True
    """A turn that is asked once more after a crash gets another answer under the same id, which counts for nothing."""

    def __init__(self, topics: Topics, settings: Settings, client: AI, clock: Callable[[], float] = time.time) -> None:
        self.reads: tuple[str, ...] = (topics.ai_requests,)
        self.concurrency = settings.ai_concurrency
        self._events = topics.events
        self._settings = settings
        self._client = client
        self._clock = clock

    async def start(self) -> None:
        """Open the session to the AI service."""
        await self._client.start()

    async def stop(self) -> None:
        """Close it."""
        await self._client.stop()

    async def handle(self, view: ActiveView, records: Sequence[Record]) -> list[Output]:
        """The reply event of one turn; none when the turn was settled before."""
        (record,) = records
        request = _decode(record)
        name = TURN + request.id.encode()
        stored = view.get(name)
        turn = NEW if stored is None else _turn.decode(stored)
        if turn.is_settled:
            return []
        outcome = await self._outcome(request, turn, record, partial(self._remember, view, name))
        failpoint("respond.after_answer")
        view.put(name, SETTLED, expires_at_ms=self._now_ms() + REMEMBERED_MS)
        return [self._output(record, request, outcome)]

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """A request that was given up closes its turn all the same, so that its conversation does not wait for ever."""
        try:
            mention = _mention.decode(record.value)
        except msgspec.DecodeError:
            return []
        failed = ReplyFailed(turn_id=mention.id, reason="rejected", attempts=0, detail=type(error).__name__)
        return [self._output(record, mention, failed)]

    async def _outcome(self, request: Request, turn: Turn, record: Record, on_retry: OnRetry) -> Outcome:
        left_s = min(request.deadline.timestamp() - self._clock(), self._settings.ai_turn_timeout_s)
        if left_s < LATE_S:
            # An outage of our own must not silence everybody who wrote meanwhile, so a late turn still gets the time
            # of one call. Not twice, and not from a service that fails everybody: then the backlog would only grow.
            if turn.attempts or self._client.is_down:
                return _failed(request, AITimeout("deadline", "the turn's time is over"), turn.attempts)
            left_s = self._settings.ai_call_timeout_s
        progress = Progress(attempts=turn.attempts, asked_at=turn.asked_at, not_before=turn.not_before)
        try:
            reply = await self._client.ask(
                bytes(request.question), deadline_s=left_s, progress=progress, on_retry=on_retry
            )
        except AIError as error:
            return _failed(request, error, error.attempts)
        return ReplyGenerated(
            turn_id=request.id,
            content=reply.answer,
            attempts=reply.attempts,
            asked_at=reply.asked_at,
            answered_at=reply.answered_at,
            own_ms_before_ai=_own_ms(record, reply.asked_at),
        )

    async def _remember(self, view: ActiveView, name: bytes, progress: Progress) -> None:
        """Progress is durable before the wait: who goes on after a crash knows how often and how early."""
        turn = Turn(attempts=progress.attempts, asked_at=progress.asked_at, not_before=progress.not_before)
        view.put(name, msgspec.json.encode(turn), expires_at_ms=self._now_ms() + REMEMBERED_MS)
        await view.commit()

    def _output(self, record: Record, turn: Request | Mention, data: Outcome) -> Output:
        kind = wire_name(type(data))
        now_ms = self._now_ms()
        event = AnyEvent(
            id=derived_id(turn.id, "reply"),
            type=kind,
            version=LATEST_VERSION,
            conversation_id=record.key.decode(),
            platform=turn.platform,
            channel=turn.channel,
            occurred_at=now_ms,
            recorded_at=now_ms,
            causation_id=turn.id,
            correlation_id=turn.correlation_id,
            data=data,
        )
        carried = [(name, value) for name, value in record.headers if name in (names.RECEIVED_AT, names.TRACEPARENT)]
        headers: Headers = (
            (names.SCHEMA, f"{kind}/{LATEST_VERSION}".encode()),
            (names.CHANNEL, turn.channel.encode()),
            *carried,
        )
        return Output(self._events, record.key, encode(event), headers)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _decode(record: Record) -> Request:
    try:
        request = _request.decode(record.value)
    except msgspec.DecodeError as error:
        raise Poison(f"no reply request: {error}", record) from error
    if request.conversation_id.encode() != record.key:
        raise Poison(f"the key is not that of conversation {request.conversation_id!r}", record)
    if not bytes(request.question).startswith(b"{"):
        raise Poison("the question is no JSON object", record)
    return request


def _failed(request: Request, error: AIError, attempts: int) -> ReplyFailed:
    log.warning("turn %s: no answer after %d calls: %s", request.id, attempts, error)
    detail = error.detail[:DETAIL_CHARS_MAX]
    return ReplyFailed(turn_id=request.id, reason=error.reason, attempts=attempts, detail=detail)


def _own_ms(record: Record, asked_at: float) -> float | None:
    """Our own time from the webhook to the question; None where no webhook started the turn."""
    try:
        return asked_at * 1000 - float(record.header(names.RECEIVED_AT) or b"")
    except ValueError:
        return None
