"""What the senders of Meta's platforms have in common, against each fake over HTTP: doubt, secrets, a missing token."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from connectors.errors import SendError
from connectors.interface import Call, Channel, Receipt, Sender, Window
from connectors.registry import platform_named, sender_class
from schemas.content import TextContent
from tests.contract.meta_hook import channel_of
from tests.contract.meta_planning import NOW_MS, message_of, part
from tests.contract.test_meta_webhooks import META
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform

WRONG = "EAAwrong-and-secret"
TOKENS = ("page_token", "access_token")


@dataclass
class Account:
    """The fake, a channel on it, and our sender."""

    fake: FakePlatform
    channel: Channel
    sender: Sender

    def hello(self) -> Call:
        """A call that greets Ana."""
        platform = platform_named(self.fake.name)
        greeting = message_of(platform, self.fake.known_user("ana"), (part(TextContent(text="hi")),))
        (call,) = platform.plan(greeting, Window(NOW_MS), self.channel)
        return call

    def with_token(self, token: str) -> Channel:
        """The same channel with another token."""
        values = {name: (token,) if name in TOKENS else given for name, given in self.channel.values.items()}
        return replace(self.channel, values=values)

    async def failure(self, channel: Channel | None = None, *, timeout_s: float = 5.0) -> SendError:
        with pytest.raises(SendError) as raised:
            await self.sender.perform(self.hello(), channel or self.channel, timeout_s=timeout_s)
        return raised.value


@pytest.fixture(params=META)
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    fake = discovered()[request.param](seed=1)
    await fake.start()
    made = Account(fake, channel_of(fake), sender_class(request.param)())
    yield made
    await made.sender.close()
    await fake.stop()


def kept(error: SendError) -> list[str]:
    """The fields that are set."""
    fields = ("retryable", "ambiguous", "channel_wide", "unreachable", "replan")
    return [name for name in fields if getattr(error, name)]


async def test_an_accepted_call_is_seen_once_and_gives_the_platforms_id(account: Account) -> None:
    receipt = await account.sender.perform(account.hello(), account.channel, timeout_s=5)
    assert receipt == Receipt(tuple(account.fake.journal[0]["ids"]))
    assert receipt.message_ids
    assert account.fake.seen("ana") == ["hi"]


@pytest.mark.parametrize("fault", ["hang", "accept_then_hang"])
async def test_a_time_out_is_ambiguous(account: Account, fault: str) -> None:
    account.fake.faults.add(fault, times=1, seconds=5)
    assert kept(await account.failure(timeout_s=0.2)) == ["ambiguous"]
    assert account.fake.seen("ana") == (["hi"] if fault == "accept_then_hang" else [])


@pytest.mark.parametrize("fault", ["reset", "accept_then_reset", "accept_then_error"])
async def test_a_lost_answer_is_ambiguous(account: Account, fault: str) -> None:
    account.fake.faults.add(fault, times=1)
    assert kept(await account.failure()) == ["ambiguous"]
    assert len(account.fake.journal) == 1


async def test_a_connection_that_never_stood_is_no_doubt(account: Account) -> None:
    await account.fake.stop()
    assert kept(await account.failure()) == ["retryable"]


async def test_no_credential_shows_up_in_errors_or_logs(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = account.with_token(WRONG)
    shown = [repr(wrong), str(wrong)]
    faults = account.fake.faults
    # The platform's own text quotes the token in the first case.
    for prepare in (lambda: None, lambda: faults.add("reset", times=1), lambda: faults.add("error", times=1)):
        prepare()
        error = await account.failure(wrong)
        shown += [str(error), repr(error), repr(vars(error)), repr(error.__cause__), repr(error.__context__)]
    assert "Malformed access token ***" in shown[2]
    text = "\n".join(shown) + caplog.text
    assert [secret for secret in (WRONG, *wrong.all("app_secret"), *wrong.all("verify_token")) if secret in text] == []


async def test_a_missing_token_stops_the_channel_and_not_each_message(account: Account) -> None:
    assert kept(await account.failure(account.with_token(""))) == ["channel_wide"]
    assert account.fake.journal == []
