"""One POST to the AI service: bounded in time and size, every failure sorted into the error tree.

Reads and writes the network only. Redirects are not followed: they would carry what people wrote, and the key, to a
place that nobody configured. Compressed answers are refused: unpacking one could fill the memory.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp

from streams.ai.errors import AIBroken, AIError, AIRefused, AITimeout, AIUnavailable
from streams.settings import Settings

CHUNK_BYTES = 65_536


class Transport:
    """One session to one address; ``start`` before the first ``post``, ``stop`` at the end."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session; nothing is sent yet."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "iris-streams"}
        if self._settings.ai_api_key is not None:
            headers["Authorization"] = f"Bearer {self._settings.ai_api_key.get_secret_value()}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=self._settings.ai_concurrency),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )

    async def stop(self) -> None:
        """Close the session; may be called twice."""
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def post(self, body: bytes, *, timeout_s: float) -> bytes:
        """The body of a 2xx answer that came whole within ``timeout_s``; raises AIError for everything else."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(body)
        except TimeoutError:
            raise AITimeout("timeout", f"no whole answer within {timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _sorted(error) from error

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            raise RuntimeError("Transport.start() must run before the first question")
        async with self._session.post(self._url, data=body, allow_redirects=False) as response:
            _check_status(response.status, response.headers)
            return await self._read(response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._settings.ai_answer_bytes_max
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            raise AIBroken("encoded", f"the answer is encoded as {encoding[:20]}, which was not asked for")
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                raise AIBroken("too_large", f"the answer is larger than {limit} bytes (IRIS_AI_ANSWER_BYTES_MAX)")
        return bytes(body)


def _check_status(status: int, headers: Mapping[str, str]) -> None:
    """Raise the error that a status other than 2xx stands for ("RFC 9110, HTTP Semantics")."""
    if 200 <= status < 300:
        return
    detail = f"the service answered {status}"
    wait_s = _retry_after_s(headers.get("Retry-After"))
    if status == 429:
        raise AIRefused("rate_limited", detail, retry_after_s=wait_s)
    if status >= 500:
        raise AIUnavailable("unavailable" if status == 503 else "server_error", detail, retry_after_s=wait_s)
    if status in {401, 403}:
        raise AIRefused("unauthorized", f"{detail}; check IRIS_AI_API_KEY", retryable=False)
    # "Request Timeout" and "Too Early" ask for another try; anything else would be refused again.
    raise AIRefused("refused", detail, retryable=status in {408, 425}, retry_after_s=wait_s)


def _retry_after_s(value: str | None) -> float | None:
    """Seconds or an HTTP date, as seconds from now; None where absent or unreadable."""
    if value is None:
        return None
    try:
        wait_s = float(value)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return None if math.isnan(wait_s) else max(0.0, wait_s)


def _sorted(error: aiohttp.ClientError | OSError) -> AIError:
    """What a transport error means; its own text names host and port at most."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return AIUnavailable("tls", str(error), retryable=False)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return AIUnavailable("dns", str(error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return AIUnavailable("unreachable", str(error))
    if isinstance(error, aiohttp.ClientResponseError):
        return AIBroken("bad_http", error.message)
    return AIUnavailable("reset", str(error) or type(error).__name__)
