"""Which addresses a link from a stranger may lead to: public ones only. Reads DNS; writes nothing.

``PublicResolver`` sits inside the HTTP client's connector, so the addresses that are checked are the very ones that are
connected to: a name that resolves to another address a moment later gains nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from connectors.errors import FetchError

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses seen through a translator (RFC 6052); the address inside is what counts."""

SCHEMES = ("https", "http")


class AddressRefused(OSError):
    """The name leads into a private network."""


class PublicResolver(AbstractResolver):
    """Asks ``inner`` and refuses a name any of whose addresses is not public: half a trap is a trap."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host; raises AddressRefused, and OSError when there are none."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if not is_public(result["host"]):
                raise AddressRefused(f"{host} has the address {result['host']}, which is not public")
        return found

    async def close(self) -> None:
        """Release the inner resolver."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet can reach; False for what is no address."""
    try:
        ip = _inner_address(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def checked(url: str, *, own_base: str | None = None) -> tuple[URL, bool]:
    """The link, parsed, and whether it is on the channel's own server (``api_base``), which may be anywhere.

    Raises FetchError for any scheme but http and https, for credentials in the link, and for an address that is not
    public; names are left to ``PublicResolver``.
    """
    try:
        link = URL(url)
        is_own = own_base is not None and is_same_host(link, URL(own_base))
        host = link.host
    except ValueError:
        raise FetchError("the link is no URL", code="bad_link") from None
    if link.scheme not in SCHEMES or not host or link.user is not None or link.password is not None:
        raise FetchError("the link is not plain http or https", code="bad_link")
    if not is_own and _is_address(host) and not is_public(host):
        raise FetchError(f"{host} is not a public address", code="address_refused")
    return link, is_own


def is_same_host(one: URL, other: URL) -> bool:
    """Whether two links lead to one server: scheme, host and port."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _inner_address(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """What an IPv6 address stands for, where it only carries an IPv4 one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
