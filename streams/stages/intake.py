"""intake: reads HTTP ``/webhooks/{platform}/{channel}`` and ``iris.identities``, writes ``iris.inbound.<platform>``.

Accepted means durable: 2xx only when every record of the body is acknowledged by all in-sync replicas. When that takes
longer than our share of the platform's own limit, the answer is 503 with Retry-After; a record that lands after it is a
duplicate by id when the platform delivers again.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol

from aiohttp import web
from prometheus_client import Counter, Histogram

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Challenge, Channel, InboundRecord, Platform, WebhookRequest
from connectors.registry import platform_named, platforms
from schemas import headers as names
from schemas.ids import conversation_id
from streams.channels import Channels
from streams.engine.failpoints import failpoint
from streams.engine.seeded import seeded, write_later
from streams.metrics import INTAKE_ANSWERS, INTAKE_REFUSED, INTAKE_SECONDS
from streams.settings import Settings
from streams.stages.intake_limits import InHand
from streams.stages.intake_patience import Patience
from streams.topics import Topics

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
"""Told to a platform that was answered 503; none documents a use of it, all come again by themselves."""


CHUNK_BYTES_MIN = 32
"""Of a chunked body, on average; measured after the first ``CRUMBS_FREE`` chunks, beyond which it gets 400."""
CRUMBS_FREE = 256


class Producing(Protocol):
    """What intake needs of a writer: keyed records in order, done when all are acknowledged."""

    async def produce(self, topic: str, records: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is the same for every webhook of a channel. ``answers`` counts by status; ``answer_within_s`` is ours."""

    platform: Platform
    channel: Channel
    channels: Sequence[Channel]
    topic: str
    answer_within_s: float
    answers: Callable[[int], Counter]
    seconds: Histogram


class Intake:
    """The HTTP application of the public port. ``current`` gives the conversation that goes on with another."""

    def __init__(
        self,
        topics: Topics,
        settings: Settings,
        channels: Channels,
        producer: Producing,
        *,
        current: Callable[[str], str] = str,
    ) -> None:
        self._topics = topics
        self._settings = settings
        self._channels = channels
        self._producer = producer
        self._current = current
        self._in_hand = InHand()
        self.patience = Patience(settings.request_timeout_s)

    def application(self) -> web.Application:
        """Routes of the public port."""
        app = web.Application(client_max_size=self._settings.body_bytes_max)
        for channel in self._channels.all:
            _add(app, f"/webhooks/{channel.platform}/{channel.id}", partial(self._handle, self._endpoint(channel)))
        _add(app, "/webhooks/{platform}/{channel}", _nobody)
        return app

    def _endpoint(self, channel: Channel) -> Endpoint:
        platform = platform_named(channel.platform)
        return Endpoint(
            platform,
            channel,
            channels=self._channels.of(platform.name),
            topic=self._topics.inbound(platform.name),
            answer_within_s=platform.answer_within_s * self._settings.answer_share,
            answers=cache(lambda status: INTAKE_ANSWERS.labels(platform.name, str(status))),
            seconds=INTAKE_SECONDS.labels(platform.name),
        )

    async def _handle(self, endpoint: Endpoint, request: web.Request) -> web.Response:
        """One handshake or delivery."""
        began = time.time()
        self.patience.served.add(request.protocol)
        answer = await self._answer(request, endpoint, began)
        status = answer.status
        if 400 <= status < 500:
            _closing(answer)
        endpoint.answers(status).inc()
        endpoint.seconds.observe(time.time() - began)
        return answer

    async def _answer(self, request: web.Request, endpoint: Endpoint, began: float) -> web.Response:
        if len(self._in_hand) >= self._settings.webhook_requests_max:
            return _busy("too many webhooks in hand")
        name, channel, budget_s = endpoint.platform.name, endpoint.channel, endpoint.answer_within_s
        webhook = None
        try:
            with self._in_hand.within(budget_s):
                webhook = await self._read(request)
                made = endpoint.platform.accept(webhook, channel, endpoint.channels)
                if isinstance(made, Challenge):
                    return web.Response(text=made.text)
                await self._store(endpoint, made, webhook.headers, began)
        except WebhookRejected as error:
            log.info("%s/%s: webhook rejected: %s", name, channel.id, error.reason)
            return web.Response(status=error.status, text=error.reason)
        except TimeoutError:
            if webhook is None:
                return web.Response(status=408, text=f"the body did not arrive within {budget_s:g} s")
            log.warning("%s/%s: not durable within %.1f s, answered 503", name, channel.id, budget_s)
            return _busy("not stored in time")
        failpoint("intake.before_answer")
        return web.Response(text=made.answer) if made.answer else web.Response()

    async def _read(self, request: web.Request) -> WebhookRequest:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise WebhookRejected("compressed bodies are not accepted", status=415)
        body = await (self._assembled(request) if "transfer-encoding" in headers else self._whole(request))
        query = dict(request.query) if request.query_string else {}
        return WebhookRequest(method=request.method, headers=headers, query=query, body=body)

    async def _whole(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self._settings.body_bytes_max:
            raise self._too_large()
        if request.content.is_eof():
            # It came along with the head, as nearly all do.
            return request.content.read_nowait()
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise self._too_large() from error

    async def _assembled(self, request: web.Request) -> bytes:
        """A chunked body. One that comes in crumbs costs the loop a thousand times what its bytes are worth, and no
        platform or proxy sends it so."""
        body, chunks = bytearray(), 0
        while True:
            data, is_end_of_chunk = await request.content.readchunk()
            if not data and not is_end_of_chunk:
                return bytes(body)
            body += data
            chunks += is_end_of_chunk
            if len(body) > self._settings.body_bytes_max:
                raise self._too_large()
            # The last chunk may be as short as it likes.
            if chunks > CRUMBS_FREE and len(body) < (chunks - 1) * CHUNK_BYTES_MIN:
                raise WebhookRejected(f"the body comes in chunks of less than {CHUNK_BYTES_MIN} bytes", status=400)

    def _too_large(self) -> WebhookRejected:
        return WebhookRejected(f"a body may have {self._settings.body_bytes_max} bytes at most", status=413)

    async def _store(self, endpoint: Endpoint, made: Accepted, headers: Mapping[str, str], began: float) -> None:
        if made.refused:
            INTAKE_REFUSED.labels(endpoint.platform.name).inc(made.refused)
            log.warning("%s: %d entries belong to no configured channel", endpoint.platform.name, made.refused)
        if not made.records:
            return
        received_at = b"%.3f" % (began * 1000)
        trace = (headers.get("traceparent") or _new_traceparent()).encode()
        records = [self._record(endpoint.platform, record, received_at, trace) for record in made.records]
        stored = self._producer.produce(endpoint.topic, records)
        if seeded("answer_before_acks"):
            stored = write_later(stored)
        await stored

    def _record(
        self, platform: Platform, record: InboundRecord, received_at: bytes, trace: bytes
    ) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
        key = conversation_id(platform.prefix, record.channel, record.peer)
        if not record.is_fixed:
            key = self._current(key)
        headers = [
            (names.SCHEMA, b"raw_event/1"),
            (names.CHANNEL, record.channel.encode()),
            (names.RECEIVED_AT, received_at),
            (names.TRACEPARENT, trace),
        ]
        return key.encode(), record.value, headers


def _add(app: web.Application, path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    app.router.add_route("GET", path, handler)
    app.router.add_route("POST", path, handler)


async def _nobody(request: web.Request) -> web.Response:
    """The address of no channel."""
    # Under one name, whatever was asked for: strangers must not be able to grow the metrics.
    INTAKE_ANSWERS.labels("unknown", "404").inc()
    is_platform = request.match_info["platform"] in platforms()
    return _closing(web.Response(status=404, text="no such channel" if is_platform else "no such platform"))


def _closing(answer: web.Response) -> web.Response:
    """Whoever is not believed, or drips, gets no second request on this connection."""
    answer.force_close()
    return answer


def _busy(reason: str) -> web.Response:
    return web.Response(status=503, text=reason, headers={"Retry-After": str(RETRY_AFTER_S)})


def _new_traceparent() -> str:
    """W3C Trace Context, version 00, sampled. Unique is enough; nobody minds if it can be guessed."""
    identity = f"{random.getrandbits(192):048x}"
    return f"00-{identity[:32]}-{identity[32:]}-01"
