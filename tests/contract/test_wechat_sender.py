"""WeChat outbound, performed: one attempt each, every failure sorted, no secret in any text."""

from typing import Any

import pytest

from connectors.errors import SendError
from connectors.interface import Receipt
from connectors.wechat.sender import Sender
from schemas.content import MediaContent, TemplateContent, TextContent
from schemas.outbound import Button
from tests.contract.wechat_kit import events_of, part
from tests.contract.wechat_sending import answered, failure, fields_of, send
from tests.fakes.wechat import APP_SECRET, SEND_PATH, FakeWeChat
from tests.harness.platform import Clock, closing, running

fake = running(FakeWeChat)
sender = closing(lambda _: Sender())


# What arrives.


async def test_a_message_is_seen_and_has_no_id(sender: Sender, fake: FakeWeChat) -> None:
    receipts = await send(sender, fake, part(TextContent(text="one")), part(TextContent(text="two")))
    assert fake.seen("ann") == ["one", "two"]
    assert receipts == [Receipt(), Receipt()]


async def test_characters_go_out_raw(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake, part(TextContent(text='你好 👋 ก\n"\\')))
    assert fake.seen("ann") == ['你好 👋 ก\n"\\']


async def test_a_tapped_line_comes_back_with_its_data(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake, part(TextContent(text="Menu"), rows=((Button(label="Buy", data="buy:1"),),)))
    fake.mode = "plain"
    (tap,) = events_of(fake.body([fake.user_choice("ann", "buy:1")]).decode())
    assert (tap.data.content.data, tap.data.content.title) == ("buy:1", "Buy")
    (click,) = events_of(fake.body([fake.user_choice("ann", "menu_faq")]).decode())
    assert (click.data.content.data, click.data.content.source) == ("menu_faq", "menu")


async def test_a_template_message_has_an_id_that_its_report_names(sender: Sender, fake: FakeWeChat) -> None:
    content = TemplateContent(name="TEMPLATE_FAKE_1", native={"data": {"keyword1": {"value": "42"}}})
    ((number,),) = [receipt.message_ids for receipt in await send(sender, fake, part(content))]
    fake.mode = "plain"
    report = fake.event("ann", "TEMPLATESENDJOBFINISH", MsgID=int(number), Status="success")
    (event,) = events_of(fake.body([report]).decode())
    assert (event.data.message_id, event.data.status) == (number, "delivered")


# What goes wrong on the way.

FAULTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("rate", {}, {"retryable": True, "retry_after_s": 60.0}),
    ("error", {}, {"retryable": True}),
    ("error", {"status": 502}, {"ambiguous": True}),
    ("error", {"status": 503}, {"retryable": True}),
    ("permanent", {}, {}),
    ("blocked", {}, {"unreachable": True}),
    ("reset", {}, {"ambiguous": True}),
    ("accept_then_reset", {}, {"ambiguous": True}),
    ("accept_then_error", {}, {"ambiguous": True}),
]


@pytest.mark.parametrize(
    ("kind", "options", "expected"), FAULTS, ids=[f"{kind} {options}" for kind, options, _ in FAULTS]
)
async def test_a_failure_says_what_the_caller_can_do(
    kind: str, options: dict[str, Any], expected: dict[str, Any], sender: Sender, fake: FakeWeChat
) -> None:
    fake.faults.add(kind, times=1, **options)
    error = await failure(sender, fake)
    assert fields_of(error) == expected
    sent = [call for call in fake.journal if call["path"] == SEND_PATH]
    assert [call["accepted"] for call in sent] == [kind.startswith("accept")], "exactly one attempt"


@pytest.mark.parametrize("kind", ["hang", "accept_then_hang"])
async def test_silence_is_ambiguous(kind: str, sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake)
    fake.faults.add(kind, times=1, seconds=30)
    error = await failure(sender, fake, timeout_s=0.2)
    assert fields_of(error) == {"ambiguous": True}


async def test_no_connection_is_retryable_and_certain(sender: Sender, fake: FakeWeChat) -> None:
    await fake.stop()
    assert fields_of(await failure(sender, fake)) == {"retryable": True}


async def test_a_connection_that_died_meanwhile_shows_no_secret(sender: Sender, fake: FakeWeChat) -> None:
    await send(sender, fake)
    await fake.stop()
    # Whether the old connection is tried once more is a matter of instants.
    assert fields_of(await failure(sender, fake)) in ({"retryable": True}, {"ambiguous": True})


async def test_the_sixth_message_waits_for_the_follower(sender: Sender, fake: FakeWeChat) -> None:
    fake.user_message("ann", "hello")
    for _ in range(5):
        await send(sender, fake)
    error = await failure(sender, fake)
    assert (error.code, fields_of(error)) == ("45047", {})
    fake.user_message("ann", "hello?")
    await send(sender, fake)


async def test_a_closed_window_is_final(sender: Sender, fake: FakeWeChat, clock: Clock) -> None:
    fake.user_message("ann", "hello")
    clock.now_s += 48 * 3600
    fake.tokens.replace()
    error = await failure(sender, fake)
    assert (error.code, fields_of(error)) == ("45015", {})


async def test_media_that_is_none_is_refused_for_what_it_is(sender: Sender, fake: FakeWeChat) -> None:
    with pytest.raises(SendError) as raised:
        await send(sender, fake, part(MediaContent(kind="image", media_id="no id!")))
    assert (raised.value.code, fields_of(raised.value)) == ("40007", {})


# What answers mean.


WIDE, GONE, FINAL = {"channel_wide": True}, {"unreachable": True}, dict[str, Any]()

CODES: list[tuple[int, dict[str, Any]]] = [
    (-1, {"retryable": True}),
    *((code, {"retryable": True, "retry_after_s": 0.0}) for code in (40001, 40014, 42001)),
    *((code, WIDE) for code in (40013, 40125, 40164, 41001, 42007, 45009, 48001, 48004, 50001, 50002, 61003, 61007)),
    *((code, GONE) for code in (40003, 43004, 43019, 43101, 46004, 48002)),
    *((code, FINAL) for code in (40004, 40007, 40008, 44004, 45002, 45007, 45008, 45015, 45047)),
    *((code, FINAL) for code in (45064, 45065, 45066, 45067, 45072, 45080, 45081, 47001, 99999)),
    (45011, {"retryable": True, "retry_after_s": 60.0}),
]


@pytest.mark.parametrize(("code", "expected"), CODES, ids=[str(code) for code, _ in CODES])
async def test_an_errcode_inside_a_200_is_sorted(code: int, expected: dict[str, Any]) -> None:
    with pytest.raises(SendError) as raised:
        await answered(200, {"errcode": code, "errmsg": "words of WeChat"})
    assert (raised.value.code, fields_of(raised.value)) == (str(code), expected)
    assert "words of WeChat" in raised.value.reason


async def test_an_account_without_customer_service_may_still_have_templates() -> None:
    template = part(TemplateContent(name="T", native={"data": {}}), id="t")
    with pytest.raises(SendError) as raised:
        await answered(200, {"errcode": 48001, "errmsg": "api unauthorized"}, parts=template)
    assert fields_of(raised.value) == {}


ANSWERS: list[tuple[str, int, Any, dict[str, Any]]] = [
    ("no errcode", 200, {}, {"ambiguous": True}),
    ("errcode as text", 200, {"errcode": "0"}, {"ambiguous": True}),
    ("errcode true", 200, {"errcode": False}, {"ambiguous": True}),
    ("a page", 200, "<html>log in</html>", {"ambiguous": True}),
    ("a list", 200, [], {"ambiguous": True}),
    ("500", 500, {"errcode": 0}, {"ambiguous": True}),
    ("504", 504, "", {"ambiguous": True}),
    ("503", 503, "", {"retryable": True}),
    ("429", 429, "", {"retryable": True}),
    ("404", 404, "not here", {"channel_wide": True}),
    ("302", 302, "", {"channel_wide": True}),
    ("422", 422, "", {}),
]


@pytest.mark.parametrize(
    ("status", "body", "expected"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
async def test_an_answer_that_is_not_wechats_is_sorted(status: int, body: Any, expected: dict[str, Any]) -> None:
    with pytest.raises(SendError) as raised:
        await answered(status, body)
    assert fields_of(raised.value) == expected


async def test_a_platform_that_repeats_the_token_does_not_leak_it() -> None:
    with pytest.raises(SendError) as raised:
        await answered(200, {"errcode": 40001, "errmsg": "access_token=t0ken secret=" + APP_SECRET})
    assert "t0ken" not in raised.value.reason
    assert APP_SECRET not in raised.value.reason
    assert "***" in raised.value.reason
