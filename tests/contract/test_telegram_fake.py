"""The fake of Telegram is as strict as the platform: what it lets pass in a test would pass out there."""

from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.fakes.telegram import BOT_ID, GROUP, SECRET_TOKEN, TOKEN, FakeTelegram
from tests.harness.platform import Clock, running

fake = running(FakeTelegram, redelivery_wait_s=0.01)


async def call(fake: FakeTelegram, method: str, token: str = TOKEN, **body: Any) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.base_url}/bot{token}/{method}", json=body) as answer,
    ):
        return answer.status, await answer.json()


def chat(fake: FakeTelegram, name: str) -> int:
    return int(fake.known_user(name))


KEYBOARD = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
TOO_MANY = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}] for _ in range(101)]}

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("no text", "sendMessage", {}, "message text is empty"),
    ("blank text", "sendMessage", {"text": " \n"}, "message text is empty"),
    ("long text", "sendMessage", {"text": "😀" * 2049}, "message is too long"),
    ("long caption", "sendPhoto", {"photo": "https://x.example/a", "caption": "c" * 1025}, "caption is too long"),
    ("no photo", "sendPhoto", {}, "there is no photo in the request"),
    ("odd link", "sendVideo", {"video": "ftp://x.example/a"}, "wrong HTTP URL"),
    ("docx by link", "sendDocument", {"document": "https://x.example/a.docx"}, "wrong type of the web page content"),
    ("foreign sticker", "sendSticker", {"sticker": "52002734"}, "wrong remote file identifier"),
    ("nowhere", "sendLocation", {"latitude": 91, "longitude": 0}, "wrong location"),
    ("nameless venue", "sendVenue", {"latitude": 1, "longitude": 0, "title": "x"}, "venue title and address"),
    ("no phone", "sendContact", {"first_name": "Bo"}, "phone number"),
    ("far entity", "sendMessage", {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]}, "entity"),
    ("many buttons", "sendMessage", {"text": "x", "reply_markup": TOO_MANY}, "reply markup is too long"),
    ("odd markup", "sendMessage", {"text": "x", "reply_markup": []}, "object expected as reply markup"),
    (
        "long data",
        "sendMessage",
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Go", "callback_data": "ก" * 22}]]}},
        "BUTTON_DATA_INVALID",
    ),
    (
        "idle button",
        "sendMessage",
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Go"}]]}},
        "Text buttons are unallowed",
    ),
    (
        "odd button link",
        "sendMessage",
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "Go", "url": "tel:1"}]]}},
        "Wrong HTTP URL",
    ),
    (
        "lost quote",
        "sendMessage",
        {"text": "x", "reply_parameters": {"message_id": 99}},
        "message to be replied not found",
    ),
    ("unknown business", "sendMessage", {"text": "x", "business_connection_id": "?"}, "BUSINESS_CONNECTION_INVALID"),
]


@pytest.mark.parametrize(
    ("method", "body", "description"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
async def test_what_breaks_a_rule_is_refused_in_the_platforms_words(
    method: str, body: dict[str, Any], description: str, fake: FakeTelegram
) -> None:
    status, answer = await call(fake, method, chat_id=chat(fake, "ana"), **body)
    assert (status, answer["ok"], answer["error_code"]) == (400, False, 400)
    assert description in answer["description"]
    assert fake.seen("ana") == []
    assert not fake.journal[0]["accepted"]


async def test_without_its_token_nothing_is_done(fake: FakeTelegram) -> None:
    assert (await call(fake, "sendMessage", "700000001:wrong", chat_id=1, text="x"))[0] == 401
    assert (await call(fake, "sendMessage", "wrong", chat_id=1, text="x"))[0] == 404
    assert (await call(fake, "sendEverything", chat_id=1, text="x"))[0] == 404
    assert (await call(fake, "getMe"))[1]["result"]["id"] == BOT_ID


async def test_ids_count_in_each_chat_alone(fake: FakeTelegram) -> None:
    ids = [
        (await call(fake, "sendMessage", chat_id=chat(fake, name), text="x"))[1]["result"]["message_id"]
        for name in ("ana", "bo", "ana")
    ]
    assert ids == [1, 1, 2]
    assert fake.user_message("bo", "hi")["message"]["message_id"] == 2


async def test_only_buttons_that_were_sent_can_be_tapped(fake: FakeTelegram) -> None:
    with pytest.raises(LookupError):
        fake.user_choice("ana", "go")
    await call(fake, "sendMessage", chat_id=chat(fake, "ana"), text="x", reply_markup=KEYBOARD)
    with pytest.raises(LookupError):
        fake.user_choice("bo", "go")
    query = fake.user_choice("ana", "go")["callback_query"]
    assert (query["data"], query["message"]["text"]) == ("go", "x")
    assert fake.spinning() == [query["id"]]
    assert (await call(fake, "answerCallbackQuery", callback_query_id="1"))[0] == 400
    assert (await call(fake, "answerCallbackQuery", callback_query_id=query["id"]))[0] == 200
    assert fake.spinning() == []


@pytest.mark.parametrize(("name", "burst", "wait_s"), [("ana", 5, 5), (f"{GROUP}g", 20, 60)])
async def test_strict_rates_hold_a_chat_back(
    name: str, burst: int, wait_s: int, fake: FakeTelegram, clock: Clock
) -> None:
    fake.rates.is_strict = True
    statuses = [(await call(fake, "sendMessage", chat_id=chat(fake, name), text="x"))[0] for _ in range(burst)]
    assert statuses == [200] * burst
    status, answer = await call(fake, "sendMessage", chat_id=chat(fake, name), text="x")
    assert (status, answer["parameters"]["retry_after"]) == (429, wait_s)
    assert fake.rates.early == 0
    assert (await call(fake, "sendMessage", chat_id=chat(fake, name), text="x"))[0] == 429
    assert fake.rates.early == 1
    clock.now_s += wait_s
    assert (await call(fake, "sendMessage", chat_id=chat(fake, name), text="x"))[0] == 200


async def test_strict_rates_hold_the_whole_bot_back(fake: FakeTelegram) -> None:
    fake.rates.is_strict = True
    statuses = [
        (await call(fake, "sendMessage", chat_id=chat(fake, f"u{number}"), text="x"))[0] for number in range(31)
    ]
    assert statuses == [200] * 30 + [429]


async def test_a_rate_faults_wait_is_kept_up(fake: FakeTelegram, clock: Clock) -> None:
    fake.faults.add("rate", times=1, retry_after_s=3)
    statuses = []
    for passed_s in (0, 1, 2):
        clock.now_s += passed_s
        statuses.append((await call(fake, "sendMessage", chat_id=chat(fake, "ana"), text="x"))[0])
    assert statuses == [429, 429, 200]
    assert fake.rates.early == 1


async def test_updates_carry_the_secret_and_are_repeated_until_taken(fake: FakeTelegram) -> None:
    seen: list[tuple[str | None, Any]] = []

    async def webhook(request: web.Request) -> web.Response:
        seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), await request.json()))
        return web.Response(status=503 if len(seen) == 1 else 200)

    app = web.Application()
    app.router.add_post("/hook", webhook)
    async with TestServer(app) as server:
        fake.webhook_url = str(server.make_url("/hook"))
        native_id = await fake.say("ana", "hi")
    assert [secret for secret, _ in seen] == [SECRET_TOKEN] * 2
    assert seen[0] == seen[1]
    assert str(seen[0][1]["message"]["message_id"]) == native_id
    assert [delivery["status"] for delivery in fake.deliveries] == [503, 200]


def test_one_update_per_post(fake: FakeTelegram) -> None:
    with pytest.raises(ValueError, match="one update per POST"):
        fake.body([fake.user_message("ana", "a"), fake.user_message("ana", "b")])


def test_a_second_run_repeats_no_number_of_the_first() -> None:
    runs = [FakeTelegram(seed=1_790_000_000_000), FakeTelegram(seed=1_790_000_005_000)]
    numbers = [{run.user_message("ana", "x")["update_id"] for _ in range(50)} for run in runs]
    assert numbers[0].isdisjoint(numbers[1])
    assert runs[0].native_user("ana") == runs[1].native_user("ana")
