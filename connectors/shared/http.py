"""The only HTTP client of the connectors: one attempt, secrets filled in at the last moment, failures sorted.

Reads nothing but its arguments; writes to the network. No text that leaves this module holds a credential.
"""

import asyncio
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from connectors.errors import SendError
from connectors.interface import Call, Channel

PLACEHOLDER = re.compile(r"\{secret:([a-z_]+)\}")

REDACTED = "***"

ANSWER_BYTES_MAX = 1024 * 1024
"""Longest answer that is read; the platforms' own stay below a few KiB. What is beyond is not looked at."""

WHOLE_BYTES_MAX = 1024 * 1024
"""What aiohttp would write at once without a warning."""

CONNECTIONS_MAX = 200
"""Connections per process and platform; more calls wait for one, within their time-out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A platform's answer of any status; ``body`` is parsed JSON, None when it is not JSON; header names lower-case."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str

    def member(self, name: str) -> Any:
        """A top-level member of the body, None when there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None


class HttpClient:
    """One session for one process and platform; made on first use, in the running loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(self, call: Call, channel: Channel, *, timeout_s: float) -> Answer:
        """One attempt; an answer of any status is returned.

        Raises SendError. Before the request left (no name, refused, TLS, no connection in time): retryable. Afterwards
        (no answer in time, connection lost): ambiguous if the user could see its effect, and retryable if it has an
        idempotency key or no visible effect. A credential that is missing or unusable: channel-wide.
        """
        progress = _Progress()
        try:
            url, headers, data = _filled(call, channel)
            async with asyncio.timeout(timeout_s):
                return await self._once(call.method, url, headers=headers, data=data, progress=progress)
        except TimeoutError:
            raise _failure(call, progress, f"no answer within {timeout_s:g} s", code="timeout") from None
        except ValueError as error:
            # An impossible URL, or a line break in a header's value.
            reason = f"{call.name}: api_base or a credential of channel {channel.id} cannot be used in a request"
            raise SendError(f"{reason} ({type(error).__name__}); correct it", channel_wide=True) from None
        except (aiohttp.ClientError, OSError) as error:
            # `from None`: the original carries the URL, in which some platforms' tokens stand.
            raise _failure(call, progress, _why(error), code="connection") from None

    async def _once(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes | None, progress: "_Progress"
    ) -> Answer:
        session = self._open()
        # A file is written piece by piece: all at once it would hold up everything else.
        body = io.BytesIO(data) if data and len(data) > WHOLE_BYTES_MAX else data
        async with session.request(
            method, url, headers=headers, data=body, allow_redirects=False, trace_request_ctx=progress
        ) as response:
            raw = b""
            while len(raw) < ANSWER_BYTES_MAX and (more := await response.content.read(ANSWER_BYTES_MAX - len(raw))):
                raw += more
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, names, _parsed(raw), raw.decode("utf-8", "replace"))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_left)
            # Time-outs are the caller's. Redirects are never followed: they would carry the token elsewhere.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                trace_configs=[trace],
            )
        return self._session

    async def close(self) -> None:
        """Close the session; a later request opens a new one."""
        if self._session is not None:
            await self._session.close()
            self._session = None


@dataclass(slots=True)
class _Progress:
    """How far a request came: ``has_left`` from the moment its first bytes are handed to the socket."""

    has_left: bool = False


async def _left(_session: aiohttp.ClientSession, context: Any, _params: aiohttp.TraceRequestHeadersSentParams) -> None:
    context.trace_request_ctx.has_left = True


def _failure(call: Call, progress: _Progress, reason: str, *, code: str) -> SendError:
    if not progress.has_left:
        return SendError(f"{call.name}: not sent: {reason}", code=code, retryable=True)
    is_repeatable = call.idempotency_key is not None or not call.is_visible
    reason = f"{call.name}: may have been sent: {reason}"
    return SendError(reason, code=code, retryable=is_repeatable, ambiguous=call.is_visible)


def _why(error: Exception) -> str:
    detail = error.strerror if isinstance(error, OSError) else None
    # aiohttp names the address in the text of a failed write, and some platforms' tokens stand in it.
    return f"{type(error).__name__}: {detail}" if detail and "://" not in detail else type(error).__name__


def _filled(call: Call, channel: Channel) -> tuple[str, dict[str, str], bytes | None]:
    headers = {name: fill_secrets(value, channel) for name, value in call.headers.items()}
    data = call.body if call.body is None or isinstance(call.body, bytes) else orjson.dumps(call.body)
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    return fill_secrets(call.url, channel), headers, data


def fill_secrets(text: str, channel: Channel) -> str:
    """``{secret:NAME}`` → the channel's outbound value; raises SendError (channel-wide) when it is not configured."""

    def value(match: re.Match[str]) -> str:
        found = channel.first(match.group(1))
        if not found:
            raise SendError(
                f"channel {channel.id}: {match.group(1)} is not configured; add it to iris.toml", channel_wide=True
            )
        return found

    return PLACEHOLDER.sub(value, text)


def redact(text: str, channel: Channel) -> str:
    """The text without any of the channel's secret values."""
    for values in channel.values.values():
        for value in values:
            if len(value) >= 4:
                text = text.replace(value, REDACTED)
    return text


RATE_WAIT_S = 1.0
"""Ours, where a platform says "too fast" and not how long to wait: rates are counted per second. A wait that is named
costs no attempt, so that a burst does not use up the patience of the messages behind it."""


def retry_after_s(answer: Answer) -> float | None:
    """Seconds of the answer's Retry-After header (RFC 9110), None when it has none or gives a date."""
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
