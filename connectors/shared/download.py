"""Gets the bytes behind a link that a stranger may have chosen. Reads the network; writes nothing.

Redirects are followed by hand, each after the same checks; the body is read up to a limit and never unpacked. No text
that leaves this module holds a link, because platforms put their tokens into them.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from connectors.errors import FetchError
from connectors.interface import Blob, Channel
from connectors.shared.guard import AddressRefused, PublicResolver, checked, is_same_host

REDIRECTS_MAX = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
GONE = frozenset({401, 403, 404, 410})
"""What storage servers answer for a signed link whose time is over."""

NOT_READY_S = 1.0
"""Pause after a 202: the platform is still preparing the media."""

CHUNK_BYTES = 65_536
NONE: Mapping[str, str] = MappingProxyType({})


class Downloader:
    """Implements ``connectors.interface.Download``; shared by all channels of a process.

    ``bytes_max`` bounds the body, ``timeout_s`` one whole download with its redirects. ``resolver`` replaces DNS; what
    it finds is checked like everything else.
    """

    def __init__(self, *, bytes_max: int, timeout_s: float, resolver: AbstractResolver | None = None) -> None:
        self._bytes_max = bytes_max
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __call__(self, url: str, channel: Channel, *, headers: Mapping[str, str] | None = None) -> Blob:
        """One attempt; raises FetchError, whose ``code`` is ``too_large``, ``address_refused``, ``bad_link``, ``gone``,
        ``timeout``, ``unavailable`` or ``refused``."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(url, channel, headers or NONE)
        except TimeoutError:
            raise FetchError(f"no media within {self._timeout_s:g} s", code="timeout", retryable=True) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, AddressRefused):
                raise FetchError(str(error.os_error), code="address_refused") from None
            raise _broken(error) from None
        except (aiohttp.InvalidURL, ValueError):
            raise FetchError("the link or a header for it cannot be used in a request", code="bad_link") from None
        except (aiohttp.ClientError, OSError) as error:
            # `from None`: the original carries the link.
            raise _broken(error) from None

    async def _follow(self, url: str, channel: Channel, headers: Mapping[str, str]) -> Blob:
        for _ in range(1 + REDIRECTS_MAX):
            link, is_own = checked(url, own_base=channel.api_base)
            async with self._session(is_own).get(
                link, headers={**headers, "Accept-Encoding": "identity"}, allow_redirects=False
            ) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    return await self._read(response)
            url, headers = next_hop(link, location, headers)
        raise FetchError(f"more than {REDIRECTS_MAX} redirects", code="bad_link")

    async def _read(self, response: aiohttp.ClientResponse) -> Blob:
        host = response.url.host
        if response.status != 200:
            raise _refusal(response.status, response.headers.get("Retry-After", ""), f"{host}: HTTP {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchError(f"{host}: the body is packed, though we asked for it plain")
        if (response.content_length or 0) > self._bytes_max:
            raise self._too_large(f"{response.content_length} bytes")
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > self._bytes_max:
                raise self._too_large("the body goes on")
        mime_type = response.content_type.lower() if "Content-Type" in response.headers else ""
        # "Some bytes" is no type.
        return Blob(bytes(body), mime_type if mime_type != "application/octet-stream" and mime_type else None)

    def _too_large(self, what: str) -> FetchError:
        return FetchError(f"{what}: more than {self._bytes_max} bytes (IRIS_MEDIA_BYTES_MAX)", code="too_large")

    def _session(self, is_own: bool) -> aiohttp.ClientSession:
        """One session for the channels' own servers, one that reaches public addresses only."""
        session = self._sessions.get(is_own)
        if session is None:
            connector = (
                aiohttp.TCPConnector() if is_own else aiohttp.TCPConnector(resolver=PublicResolver(self._resolver))
            )
            session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._sessions[is_own] = session
        return session

    async def close(self) -> None:
        """Close the sessions; a later download opens new ones."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()


def next_hop(link: URL, location: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Where a redirect leads, and what goes along: a credential stays with the host that it is for."""
    target = link.join(URL(location))
    return str(target), headers if is_same_host(target, link) else NONE


def _refusal(status: int, retry_after: str, reason: str) -> FetchError:
    wait_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6 else None
    if status in GONE:
        return FetchError(reason, code="gone", is_gone=True)
    if status == 202:
        return FetchError(f"{reason}: not ready yet", code="unavailable", retryable=True, retry_after_s=NOT_READY_S)
    if status == 429 or status >= 500:
        return FetchError(reason, code="unavailable", retryable=True, retry_after_s=wait_s)
    return FetchError(reason)


def _broken(error: Exception) -> FetchError:
    return FetchError(f"the connection failed ({type(error).__name__})", code="unavailable", retryable=True)
