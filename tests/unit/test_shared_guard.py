"""Links from strangers lead to public addresses only, whatever they look like and whatever DNS says."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.errors import FetchError
from connectors.shared.guard import AddressRefused, PublicResolver, checked, is_public

REFUSED = (
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:0a00:0001::1",
    "not an address",
    "",
)
"""Loopback, private, shared, link-local, documentation, benchmark, multicast, reserved; and IPv4 inside IPv6."""


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_not(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("http://127.0.0.1/x", "address_refused"),
        ("https://[::1]/x", "address_refused"),
        ("https://[::ffff:10.0.0.1]:8443/x", "address_refused"),
        ("http://169.254.169.254/latest/meta-data", "address_refused"),
        ("ftp://example.com/x", "bad_link"),
        ("file:///etc/passwd", "bad_link"),
        ("gopher://example.com/x", "bad_link"),
        ("https://user:secret@example.com/x", "bad_link"),
        ("https:///x", "bad_link"),
        ("//example.com/x", "bad_link"),
        ("x", "bad_link"),
        ("", "bad_link"),
        ("http://exa mple.com:port/", "bad_link"),
        ("http://[::1", "bad_link"),
    ],
)
def test_a_link_that_is_dangerous_as_it_stands_is_refused(link: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        checked(link)
    assert caught.value.code == code
    assert not caught.value.retryable


def test_only_the_channels_own_server_may_be_anywhere() -> None:
    own = "http://127.0.0.1:8090/base"
    assert checked("http://127.0.0.1:8090/files/1", own_base=own)[1]
    assert checked("https://127.0.0.1:443/files/1", own_base="https://127.0.0.1")[1]
    for other in ("http://127.0.0.1:8091/files/1", "https://127.0.0.1:8090/files/1", "http://127.0.0.2:8090/files/1"):
        with pytest.raises(FetchError):
            checked(other, own_base=own)
    assert not checked("https://example.com/1", own_base=own)[1]


class Names(AbstractResolver):
    """DNS as a table of one name."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses
        ]

    async def close(self) -> None:
        return None


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::1",)])
async def test_a_name_that_leads_into_a_private_network_is_refused(addresses: tuple[str, ...]) -> None:
    with pytest.raises(AddressRefused):
        await PublicResolver(Names(*addresses)).resolve("rebind.example", 443)


async def test_a_name_that_leads_out_is_resolved() -> None:
    found = await PublicResolver(Names("8.8.8.8", "8.8.4.4")).resolve("dns.example", 443)
    assert [result["host"] for result in found] == ["8.8.8.8", "8.8.4.4"]
