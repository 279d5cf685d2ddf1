"""What the tests of channel care share: the public address, findings as rows, requests as a platform received them."""

from collections.abc import Sequence
from typing import Any

from connectors.care import Care, Finding, Health, Site
from connectors.interface import Call, Channel
from connectors.registry import platform_named
from tests.fakes.base import FakePlatform

BASE = "https://iris.example.com"


def site_of(*channels: Channel, base: str | None = BASE) -> Site:
    """This installation."""
    return Site(base, channels)


def rows(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """Level and text of each finding."""
    return [(finding.level, finding.what) for finding in findings]


def worst(findings: Sequence[Finding]) -> list[Finding]:
    """Everything that is neither fine nor only to be clicked."""
    return [finding for finding in findings if finding.level not in ("ok", "click")]


def asked(fake: FakePlatform) -> list[tuple[str, str]]:
    """Method and path of every request, in order."""
    return [(call["method"], call["path"]) for call in fake.journal]


def shown(call: Call) -> tuple[str, str, dict[str, str], Any]:
    """A planned request, with a placeholder where each credential belongs."""
    return call.method, call.url, dict(call.headers), call.body


async def checked(care: Care, channel: Channel) -> list[Finding]:
    """Findings of one check; none of them shows a secret, and whatever is wrong says what to do."""
    findings = list(await care.check(channel, site_of(channel)))
    _innocent(findings, channel)
    return findings


async def registered(care: Care, channel: Channel) -> list[Finding]:
    """The same for a registration."""
    findings = list(await care.register(channel, site_of(channel)))
    _innocent(findings, channel)
    return findings


async def healthy(care: Care, channel: Channel) -> Health:
    """The health; its reason shows no secret."""
    health = await care.health(channel)
    assert not [secret for secret in _secrets(channel) if secret in repr(health)]
    return health


def _secrets(channel: Channel) -> list[str]:
    fields = platform_named(channel.platform).fields
    return [value for field in fields if field.is_secret for value in channel.all(field.name)]


def _innocent(findings: Sequence[Finding], channel: Channel) -> None:
    assert not [secret for secret in _secrets(channel) if secret in repr(findings)]
    assert all(finding.todo for finding in worst(findings)), findings
