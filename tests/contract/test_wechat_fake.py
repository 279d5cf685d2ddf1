"""The fake of WeChat is as strict as the platform: what it lets pass in a test would pass out there."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.interface import Accepted, Challenge, Channel, WebhookRequest
from connectors.wechat import PLATFORM
from tests.contract.wechat_kit import raw_of
from tests.fakes.wechat import APP_ID, APP_SECRET, ENCODING_AES_KEY, SEND_PATH, TEMPLATE_PATH, TOKEN, FakeWeChat
from tests.harness.eventually import eventually
from tests.harness.platform import Clock, running

fake = running(FakeWeChat, redelivery_wait_s=0.01)


async def post(fake: FakeWeChat, path: str, body: Any, *, token: str | None = None) -> dict[str, Any]:
    query = {} if token is None else {"access_token": token}
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(fake.base_url + path, data=data, params=query) as answer,
    ):
        assert answer.status == 200, "errors are inside a 200"
        found: dict[str, Any] = await answer.json()
        return found


async def token_of(fake: FakeWeChat, **more: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": APP_ID, "secret": APP_SECRET, **more}
    return await post(fake, "/cgi-bin/stable_token", body)


async def send(fake: FakeWeChat, body: dict[str, Any], *, user: str = "ann") -> int:
    token = (await token_of(fake))["access_token"]
    return int((await post(fake, SEND_PATH, {"touser": fake.known_user(user), **body}, token=token))["errcode"])


HI = {"msgtype": "text", "text": {"content": "hi"}}


# Access tokens.


async def test_the_token_is_the_same_until_it_is_renewed_and_the_old_one_lives_on(
    fake: FakeWeChat, clock: Clock
) -> None:
    first = await token_of(fake)
    assert first["expires_in"] == 7200
    clock.now_s += 6899
    assert await token_of(fake) == {**first, "expires_in": 301}
    clock.now_s += 1
    second = await token_of(fake)
    assert second["access_token"] != first["access_token"]
    to = {"touser": fake.known_user("ann"), **HI}
    assert (await post(fake, SEND_PATH, to, token=first["access_token"]))["errcode"] == 0
    clock.now_s += 300
    assert (await post(fake, SEND_PATH, to, token=first["access_token"]))["errcode"] == 40001
    assert (await post(fake, SEND_PATH, to, token=second["access_token"]))["errcode"] == 0


async def test_force_cuts_the_others_off_and_has_its_limits(fake: FakeWeChat, clock: Clock) -> None:
    first = (await token_of(fake))["access_token"]
    assert (await token_of(fake, force_refresh=True))["access_token"] != first
    assert (await post(fake, SEND_PATH, {"touser": fake.known_user("ann"), **HI}, token=first))["errcode"] == 40001
    assert (await token_of(fake, force_refresh=True))["errcode"] == 45011
    for _ in range(19):
        clock.now_s += 30
        assert "access_token" in await token_of(fake, force_refresh=True)
    clock.now_s += 30
    assert (await token_of(fake, force_refresh=True))["errcode"] == 45009


async def test_without_credentials_there_is_nothing(fake: FakeWeChat) -> None:
    assert (await token_of(fake, appid="wx"))["errcode"] == 40013
    assert (await token_of(fake, secret="x"))["errcode"] == 40125
    assert (await post(fake, SEND_PATH, HI))["errcode"] == 41001
    assert (await post(fake, SEND_PATH, HI, token="x"))["errcode"] == 40001
    assert (await post(fake, "/cgi-bin/message/mass/send", HI, token="x"))["errcode"] == 40066


# Messages.


def menu(items: int = 1, **item: str) -> dict[str, Any]:
    listed = [{"id": "1", "content": "Yes", **item}] * items
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": "Q", "list": listed}}


def news(*articles: dict[str, str]) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": list(articles)}}


ARTICLE = {"title": "T", "url": "https://example.com"}
REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("foreign id", {"touser": "U123", **HI}, 40003),
    ("no type", {}, 40008),
    ("odd type", {"msgtype": "file", "file": {"media_id": "M"}}, 40008),
    ("nothing in it", {"msgtype": "text"}, 44004),
    ("blank text", {"msgtype": "text", "text": {"content": " "}}, 44004),
    ("long text", {"msgtype": "text", "text": {"content": "你" * 683}}, 45002),
    ("no media id", {"msgtype": "image", "image": {}}, 40007),
    ("a link for a media id", {"msgtype": "image", "image": {"media_id": "https://x.example/a"}}, 40007),
    ("two articles", news(ARTICLE, ARTICLE), 45008),
    ("an article without a title", news({"url": "https://example.com"}), 44004),
    ("an article without a link", news({"title": "T"}), 44004),
    ("an empty menu", menu(0), 45064),
    ("a long menu", menu(11), 45064),
    ("a long id", menu(id="i" * 65), 45002),
    ("a long label", menu(content="l" * 129), 45002),
    ("a mini program without a page", {"msgtype": "miniprogrampage", "miniprogrampage": {"appid": "wx1"}}, 44004),
]


@pytest.mark.parametrize(("body", "code"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_what_breaks_a_rule_is_refused_with_its_code(body: dict[str, Any], code: int, fake: FakeWeChat) -> None:
    assert await send(fake, body) == code
    assert fake.seen("ann") == []


async def test_escapes_are_shown_as_they_are(fake: FakeWeChat) -> None:
    token = (await token_of(fake))["access_token"]
    body = json.dumps({"touser": fake.known_user("ann"), "msgtype": "text", "text": {"content": "你"}}).encode()
    await post(fake, SEND_PATH, body, token=token)
    assert fake.seen("ann") == ["\\u4f60"]


async def test_a_message_allows_five_answers_in_two_days(fake: FakeWeChat, clock: Clock) -> None:
    fake.user_message("ann", "hello")
    assert [await send(fake, HI) for _ in range(6)] == [0] * 5 + [45047]
    fake.user_message("ann", "again")
    clock.now_s += 48 * 3600 - 1
    assert await send(fake, HI) == 0
    clock.now_s += 1
    assert await send(fake, HI) == 45015


async def test_a_tap_on_the_menu_allows_three_within_a_minute(fake: FakeWeChat, clock: Clock) -> None:
    fake.user_choice("ann", "menu")
    assert [await send(fake, HI) for _ in range(4)] == [0] * 3 + [45047]
    fake.user_choice("ann", "menu")
    clock.now_s += 60
    assert await send(fake, HI) == 45015


async def test_who_wrote_to_an_earlier_run_is_not_judged(fake: FakeWeChat) -> None:
    assert [await send(fake, HI, user="stranger") for _ in range(7)] == [0] * 7


# Webhooks.


class Webhook:
    """A server that keeps requests and answers what the test says."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        self.answers: list[tuple[int, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append(WebhookRequest(request.method, {}, dict(request.query), await request.read()))
        status, text = self.answers.pop(0) if self.answers else (200, "success")
        return web.Response(status=status, text=text)


@pytest.fixture
async def webhook(fake: FakeWeChat) -> AsyncIterator[Webhook]:
    made = Webhook()
    app = web.Application()
    app.router.add_route("*", "/hook", made.take)
    async with TestServer(app) as server:
        fake.webhook_url = str(server.make_url("/hook"))
        yield made


def product_channel(fake: FakeWeChat) -> Channel:
    """The channel table of the fake, its secrets filled in."""
    environment = fake.environment()
    values = {
        name: (environment[value.removeprefix("env:")] if value.startswith("env:") else value,)
        for name, value in fake.channel_table("main").items()
        if name not in ("id", "platform", "api_base")
    }
    return Channel("main", "wechat", values)


@pytest.mark.parametrize("mode", ["aes", "plain", "compatible"])
async def test_what_it_delivers_is_proven_and_read(mode: Any, fake: FakeWeChat, webhook: Webhook) -> None:
    fake.mode = mode
    number = await fake.say("ann", "你好 ]]> <b>")
    channel = product_channel(fake)
    assert ("encoding_aes_key" in channel.values) == (mode != "plain")
    accepted = PLATFORM.accept(webhook.requests[0], channel, (channel,))
    assert isinstance(accepted, Accepted)
    (event,) = PLATFORM.normalise(raw_of(accepted.records[0]))  # type: ignore[misc]
    assert (event.data.message_id, event.data.content.text) == (number, "你好 ]]> <b>")
    assert event.data.sender_id == fake.native_user("ann")


async def test_only_its_own_answers_end_the_tries(fake: FakeWeChat, webhook: Webhook) -> None:
    webhook.answers = [(503, "success"), (200, "ok"), (200, "success")]
    await fake.say("ann", "hello")
    assert [delivery["status"] for delivery in fake.deliveries] == [503, 0, 200]
    webhook.answers = [(503, "")] * 9
    await fake.say("ann", "hello")
    assert len(webhook.requests) == 3 + 3, "three times in all"
    assert len({fake.native_id(fake.user_message("ann", "x")) for _ in range(3)}) == 3


async def test_the_address_is_checked_with_an_echo(fake: FakeWeChat, webhook: Webhook) -> None:
    assert not await fake.check_url()
    channel = product_channel(fake)
    assert isinstance(PLATFORM.accept(webhook.requests[0], channel, (channel,)), Challenge)


async def test_a_template_message_is_reported_later(fake: FakeWeChat, webhook: Webhook) -> None:
    token = (await token_of(fake))["access_token"]
    body = {"touser": fake.known_user("ann"), "template_id": "TEMPLATE_FAKE_1", "data": {"a": {"value": "42"}}}
    answer = await post(fake, TEMPLATE_PATH, body, token=token)
    assert fake.seen("ann") == ["42"]

    async def reported() -> None:
        assert [delivery["status"] for delivery in fake.deliveries] == [200]

    await eventually(reported)
    channel = product_channel(fake)
    accepted = PLATFORM.accept(webhook.requests[0], channel, (channel,))
    assert isinstance(accepted, Accepted)
    assert f"<MsgID>{answer['msgid']}</MsgID>" in raw_of(accepted.records[0]).event
    assert (await post(fake, TEMPLATE_PATH, {**body, "template_id": "other"}, token=token))["errcode"] == 40037


def test_one_message_per_post(fake: FakeWeChat) -> None:
    with pytest.raises(ValueError, match="one message per POST"):
        fake.body([fake.user_message("ann", "a"), fake.user_message("ann", "b")])


def test_a_second_run_repeats_no_number_of_the_first() -> None:
    runs = [FakeWeChat(seed=1_790_000_000_000), FakeWeChat(seed=1_790_000_005_000)]
    numbers = [{run.user_message("ann", "x")["MsgId"] for _ in range(50)} for run in runs]
    assert numbers[0].isdisjoint(numbers[1])
    assert max(numbers[1]) < 2**63
    assert runs[0].native_user("ann") == runs[1].native_user("ann")


def test_its_secrets_are_of_the_platforms_form() -> None:
    assert len(ENCODING_AES_KEY) == 43
    assert 3 <= len(TOKEN) <= 32
