"""Laws of channel care for every platform that offers it, against its fake as the demo runs it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.care import Care
from connectors.interface import Channel
from connectors.registry import care_class, platforms
from streams.channels import load_channels
from tests.contract.care_kit import asked, healthy, site_of
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform
from tests.harness.channels import configure

NAMES = [name for name in platforms() if care_class(name) is not None]
WEBHOOKS = "https://iris.example.com/webhooks"


@pytest.fixture(params=NAMES)
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[FakePlatform]:
    server = discovered()[request.param]()
    await server.start()
    server.webhook_url = f"{WEBHOOKS}/{server.name}/shop"
    yield server
    await server.stop()


@pytest.fixture
def channel(fake: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """The channel as an operator would have configured it."""
    configure([fake], tmp_path, monkeypatch)
    (channel,) = load_channels(tmp_path / "iris.toml").all
    return channel


@pytest.fixture
async def care(fake: FakePlatform) -> AsyncIterator[Care]:
    make = care_class(fake.name)
    assert make is not None
    made = make()
    yield made
    await made.close()


def test_every_platform_of_ours_offers_care() -> None:
    assert list(platforms()) == NAMES


async def test_a_channel_that_gets_its_webhooks_is_connected(care: Care, channel: Channel) -> None:
    health = await healthy(care, channel)
    assert health.state == "connected", health


async def test_a_check_of_what_the_demo_runs_finds_nothing_wrong(care: Care, channel: Channel) -> None:
    findings = await care.check(channel, site_of(channel))
    assert {finding.level for finding in findings} <= {"ok", "click", "warning"}, findings
    assert "ok" in {finding.level for finding in findings}


async def test_a_refused_credential_is_told_as_such_by_health_and_check(
    care: Care, channel: Channel, fake: FakePlatform
) -> None:
    fake.faults.add("token")
    assert (await healthy(care, channel)).state == "bad_credentials"
    assert "error" in {finding.level for finding in await care.check(channel, site_of(channel))}


async def test_a_platform_that_is_away_is_nobodys_fault(care: Care, channel: Channel, fake: FakePlatform) -> None:
    await fake.stop()
    assert (await healthy(care, channel)).state == "transient"
    levels = {finding.level for finding in await care.check(channel, site_of(channel))}
    assert "error" not in levels
    assert "unclear" in levels


async def test_a_check_changes_nothing(care: Care, channel: Channel, fake: FakePlatform) -> None:
    await care.check(channel, site_of(channel))
    harmless = {"/cgi-bin/stable_token", "/v2/bot/channel/webhook/test"}
    assert [path for method, path in asked(fake) if method != "GET" and path not in harmless] == []


async def test_health_asks_for_nothing_that_a_user_sees(care: Care, channel: Channel, fake: FakePlatform) -> None:
    await care.health(channel)
    assert not any(call["accepted"] for call in fake.journal)
