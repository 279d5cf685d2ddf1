"""Instagram's sender against the fake over HTTP: one attempt each, and what every failure leaves the caller to do."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import SendError
from connectors.instagram.sender import Sender
from connectors.interface import Call, Channel, Receipt, Window
from schemas.content import MediaContent, TextContent
from tests.contract.instagram_kit import channel
from tests.contract.instagram_planning import plan
from tests.contract.meta_planning import LINK, part
from tests.fakes.instagram import ACCOUNT_ID, PAGE_ACCOUNT_ID, PAGE_ID, TOKENS, FakeInstagram
from tests.fakes.meta_messaging import HUMAN_AGENT_S, WINDOW_S
from tests.harness.platform import Clock, closing, running

fake = running(FakeInstagram, seed=1)
sender = closing(lambda _: Sender())


def own(fake: FakeInstagram, *, token: str = TOKENS[ACCOUNT_ID]) -> Channel:
    """The fake's account by Instagram login as a channel of ours."""
    return Channel("main", "instagram", channel(access_token=token).values, api_base=fake.base_url)


def linked(fake: FakeInstagram) -> Channel:
    """The fake's account behind a page."""
    values = channel(account=PAGE_ACCOUNT_ID, page_id=PAGE_ID, access_token=TOKENS[PAGE_ACCOUNT_ID]).values
    return Channel("main", "instagram", values, api_base=fake.base_url)


def hello(fake: FakeInstagram, account: Channel | None = None, **more: Any) -> Call:
    """A call that greets Ana."""
    (call,) = plan(part(TextContent(text="hi")), account=account or own(fake), **more)
    return replace(call, body=call.body | {"recipient": {"id": fake.known_user("ana")}})


def kept(error: SendError) -> dict[str, Any]:
    """The fields that are set."""
    fields = ("retryable", "ambiguous", "channel_wide", "unreachable", "replan")
    return {name: True for name in fields if getattr(error, name)}


async def failure(fake: FakeInstagram, sender: Sender, *, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as raised:
        await sender.perform(hello(fake), own(fake), timeout_s=timeout_s)
    return raised.value


async def test_both_logins_send_with_their_own_address_and_token(fake: FakeInstagram, sender: Sender) -> None:
    for account in (own(fake), linked(fake)):
        receipt = await sender.perform(hello(fake, account), account, timeout_s=5)
        assert receipt == Receipt(tuple(fake.journal[-1]["ids"]))
        assert receipt.message_ids
    assert [call["path"] for call in fake.journal] == [f"/v26.0/{ACCOUNT_ID}/messages", f"/v26.0/{PAGE_ID}/messages"]
    assert fake.seen("ana") == ["hi", "hi"]


async def test_one_logins_token_does_not_send_for_the_other(fake: FakeInstagram, sender: Sender) -> None:
    with pytest.raises(SendError) as raised:
        await sender.perform(hello(fake), own(fake, token=TOKENS[PAGE_ACCOUNT_ID]), timeout_s=5)
    assert (raised.value.code, kept(raised.value)) == ("10", {})
    assert fake.seen("ana") == []


async def test_an_album_is_one_message_for_all_its_parts(fake: FakeInstagram, sender: Sender) -> None:
    pictures = [part(MediaContent(kind="image", url=f"{LINK}?{n}"), id=f"part-{n}") for n in range(2)]
    (call,) = plan(*pictures, account=own(fake))
    receipt = await sender.perform(call, own(fake), timeout_s=5)
    assert len(receipt.message_ids) == 1
    assert fake.journal[0]["texts"] == [f"[image] {LINK}?0", f"[image] {LINK}?1"]


@pytest.mark.parametrize(
    ("fault", "options", "code", "fields"),
    [
        ("rate", {}, "613/2534040", {"retryable": True}),
        ("rate", {"code": 4, "subcode": None}, "4", {"retryable": True}),
        ("rate", {"code": 80002, "subcode": None}, "80002", {"retryable": True}),
        ("error", {}, "2", {"retryable": True}),
        ("error", {"code": 1}, "1", {"retryable": True}),
        ("permanent", {}, "100", {}),
        ("permanent", {"code": 10, "subcode": 2534022}, "10/2534022", {}),
        ("permanent", {"code": 3}, "3", {}),
        ("permanent", {"code": 200}, "200", {}),
        ("permanent", {"code": 99999}, "99999", {}),
        ("permanent", {"subcode": 2534014}, "100/2534014", {"unreachable": True}),
        ("blocked", {}, "100/2534029", {"unreachable": True}),
        ("blocked", {"code": 551, "subcode": None}, "551", {"unreachable": True}),
        ("permanent", {"subcode": 2018008}, "100/2018008", {"retryable": True}),
        ("permanent", {"code": 1, "subcode": 1357046}, "1/1357046", {"ambiguous": True}),
        ("permanent", {"code": 10, "subcode": 1893063}, "10/1893063", {"retryable": True, "channel_wide": True}),
        ("permanent", {"code": 2534122}, "2534122", {"retryable": True, "channel_wide": True}),
        ("permanent", {"code": 10, "subcode": 2534122}, "10/2534122", {"retryable": True, "channel_wide": True}),
        ("permanent", {"code": 200, "subcode": 2534041}, "200/2534041", {"channel_wide": True}),
        ("permanent", {"code": 368}, "368", {"channel_wide": True}),
        ("token", {}, "190/463", {"channel_wide": True}),
        ("token", {"code": 102}, "102/463", {"channel_wide": True}),
    ],
)
async def test_each_refusal_says_what_to_do(
    fake: FakeInstagram, sender: Sender, fault: str, options: dict[str, Any], code: str, fields: dict[str, Any]
) -> None:
    fake.faults.add(fault, times=1, **options)
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == (code, fields)
    assert (len(fake.journal), fake.seen("ana")) == (1, [])


async def test_a_restricted_account_is_tried_again_after_an_hour(fake: FakeInstagram, sender: Sender) -> None:
    fake.faults.add("permanent", times=1, code=10, subcode=1893063)
    assert (await failure(fake, sender)).retry_after_s == 3600


async def test_the_wait_comes_from_the_usage_header_in_minutes(fake: FakeInstagram, sender: Sender) -> None:
    fake.faults.add("rate", times=1, retry_after_s=180, code=80002)
    assert (await failure(fake, sender)).retry_after_s == 180


async def test_a_window_that_closed_is_permanent_and_open_to_people_for_seven_days(
    fake: FakeInstagram, sender: Sender, clock: Clock
) -> None:
    fake.user_message("ana", "hello")
    written_ms = int(clock.now_s * 1000)
    clock.now_s += WINDOW_S
    await sender.perform(hello(fake), own(fake), timeout_s=5)
    clock.now_s += 1
    error = await failure(fake, sender)
    assert (error.code, kept(error)) == ("10/2534022", {})
    for account in (own(fake), linked(fake)):
        window = Window(int(clock.now_s * 1000), last_inbound_ms=written_ms)
        await sender.perform(hello(fake, account, window=window, origin="human"), account, timeout_s=5)
    window = Window(written_ms + HUMAN_AGENT_S * 1000, last_inbound_ms=written_ms)
    call = hello(fake, window=window, origin="human")
    clock.now_s += HUMAN_AGENT_S - WINDOW_S
    with pytest.raises(SendError, match="outside of allowed window"):
        await sender.perform(call, own(fake), timeout_s=5)
