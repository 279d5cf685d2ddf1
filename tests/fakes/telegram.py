"""Telegram's Bot API as a server: checks token, limits and chats, gives ids per chat, watches buttons and spinners.

Test names become numeric ids that are the same on every run; a name that starts with ``group:`` is a supergroup, and
``name~connection`` is the customer of a business account.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar

from tests.fakes.base import FakePlatform
from tests.fakes.faults import Fault
from tests.fakes.telegram_changes import SILENT, carry_out, check_album, edit
from tests.fakes.telegram_files import Files, fields_and_files
from tests.fakes.telegram_lookups import look_up
from tests.fakes.telegram_rules import (
    CALLBACK_TEXT_MAX,
    EDITS,
    OTHERS,
    VISIBLE,
    Rates,
    Refused,
    bad,
    check_message,
    texts_of,
)
from tests.fakes.telegram_webhook import Webhook
from tests.fakes.wire import Answer, Call, Event, Request

BOT_ID = 700000001
TOKEN = f"{BOT_ID}:AAFakeTokenOfTheLoopbackBotApi-00000"
SECRET_TOKEN = "fake_secret-token_1"
GROUP = "group:"

Message = dict[str, Any]


class FakeTelegram(FakePlatform):
    """See the module. ``rates.is_strict`` switches the documented rates on; ``rates.early`` counts sends before a told
    wait was over; ``strangers`` never started the bot; ``moved`` maps a group's name to its new chat id."""

    name = "telegram"
    redeliveries: ClassVar[int] = 3
    reads_groups: bool = False

    def reset(self) -> None:
        """Also forgets what was sent, told waits and open taps; ids go on."""
        super().reset()
        self.rates = Rates(lambda: self.clock())
        self.sent: dict[str, dict[int, Message]] = {}
        self.callbacks: dict[str, bool] = {}
        self.strangers: set[str] = set()
        self.moved: dict[str, int] = {}
        self.files = Files(self.next_number)
        self.hook = Webhook(lambda: self.webhook_url)
        self._last_ids: dict[str, int] = getattr(self, "_last_ids", {})

    def spinning(self) -> list[str]:
        """Ids of taps whose button still spins because nobody has answered the callback query."""
        return [id for id, is_answered in self.callbacks.items() if not is_answered]

    # What it is configured with.

    def channel_table(self, id: str) -> dict[str, Any]:
        """The channel, with this server in place of api.telegram.org."""
        return {
            "id": id,
            "platform": self.name,
            "bot_token": "env:FAKE_TELEGRAM_BOT_TOKEN",
            "secret_token": "env:FAKE_TELEGRAM_SECRET_TOKEN",
            "api_base": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        """Both secrets."""
        return {"FAKE_TELEGRAM_BOT_TOKEN": TOKEN, "FAKE_TELEGRAM_SECRET_TOKEN": SECRET_TOKEN}

    # Updates.

    def native_user(self, name: str) -> str:
        """A number of at most 48 bits, negative for groups."""
        digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
        if name.startswith(GROUP):
            return str(-1_000_000_000_000 - digest % 10**12)
        return name if name.isascii() and name.isdigit() else str(digest)

    def user_message(self, user: str, text: str, *, group: str | None = None, **extra: Any) -> Event:
        """An update with a text message; ``extra`` are further members of the Message (``text=None`` leaves it out)."""
        message = self._new_message(user, group)
        message |= {"text": text, **extra}
        message = {name: value for name, value in message.items() if value is not None}
        kind = "business_message" if "business_connection_id" in message else "message"
        return {"update_id": self._update_id(), kind: message}

    def user_choice(self, user: str, data: str) -> Event:
        """A tap on the newest button with this data that was sent to the user; raises LookupError when none was."""
        for message in reversed(list(self.sent.get(user, {}).values())):
            rows = message.get("reply_markup", {}).get("inline_keyboard", [])
            if any(button.get("callback_data") == data for row in rows for button in row):
                break
        else:
            raise LookupError(f"no button with data {data!r} was sent to {user}")
        callback_id = str(4_382_000_000_000_000 + self._update_id())
        self.callbacks[callback_id] = False
        name, _, _ = user.partition("~")
        query = {"id": callback_id, "from": self._person(name), "chat_instance": "-77", "data": data}
        return {"update_id": self._update_id(), "callback_query": {**query, "message": message}}

    def _new_message(self, user: str, group: str | None) -> Message:
        name, _, connection = user.partition("~")
        chat: dict[str, Any] = {"id": int(self.known_user(group or name)), "type": "supergroup" if group else "private"}
        if group:
            chat["title"] = group.removeprefix(GROUP)
        message: Message = {
            "message_id": self._message_id(group or user),
            "date": int(self.clock()),
            "chat": chat,
            "from": self._person(name),
        }
        if connection:
            self._names[f"{chat['id']}~{connection}"] = user
            message["business_connection_id"] = connection
        return message

    def _person(self, name: str) -> dict[str, Any]:
        return {"id": int(self.known_user(name)), "is_bot": False, "first_name": name, "language_code": "en"}

    def _update_id(self) -> int:
        # Seeds of separate runs lie far apart, so that a second run repeats none of the first.
        return self.seed * 1000 + self.next_number()

    def _message_id(self, chat: str) -> int:
        """1, 2, 3 … in every chat: a message id alone names no message."""
        self._last_ids[chat] = self._last_ids.get(chat, self.seed // 1000) + 1
        return self._last_ids[chat]

    def body(self, events: list[Event]) -> bytes:
        """The one update; raises ValueError for several, because Telegram never sends more at once."""
        if len(events) != 1:
            raise ValueError("Telegram sends one update per POST")
        return json.dumps(events[0], ensure_ascii=False, separators=(",", ":")).encode()

    async def deliver_events(self, events: list[Event], *, redeliver: bool = True) -> int:
        """One POST each, in order; the last status."""
        status = 0
        for event in events:
            status = await super().deliver_events([event], redeliver=redeliver)
        return status

    def headers(self, body: bytes) -> dict[str, str]:
        """The shared value of setWebhook."""
        return {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET_TOKEN}

    def native_id(self, event: Event) -> str:
        """The message's id within its chat, the callback query's id, else the update's."""
        for name, item in event.items():
            if name != "update_id" and isinstance(item, dict):
                return str(item.get("message_id") or item.get("id") or event.get("update_id"))
        return str(event.get("update_id"))

    # Files and people.

    def user_media(self, user: str, data: bytes, *, group: str | None = None, caption: str | None = None) -> Event:
        """A photo in two sizes, of which the larger has these bytes."""
        file_id = f"AgACAgFake{self.seed}A{self.next_number()}"
        self.shelf.put(file_id, data, "image/jpeg")
        small = {"file_id": f"{file_id}s", "file_unique_id": "s", "width": 90, "height": 60}
        large = {"file_id": file_id, "file_unique_id": "l", "width": 900, "height": 600, "file_size": len(data)}
        event = self.user_message(user, "", group=group, photo=[small, large], caption=caption)
        del event["business_message" if "~" in user else "message"]["text"]
        return event

    def look_up(self, request: Request) -> Answer | None:
        people = {native: name for native, name in self._names.items() if name not in self.strangers}
        return look_up(request, self.shelf, people, token=TOKEN)

    # The API.

    def describe(self, request: Request, call: Call) -> bool:
        """Visible are the sending methods."""
        method, (body, _) = _method(request), fields_and_files(request)
        call["body"] = body if request.body is None else request.body
        connection = body.get("business_connection_id")
        chat = f"{body.get('chat_id', '')}" + (f"~{connection}" if connection else "")
        call["user"] = self.name_of(chat)
        call["reply_to"] = _text(_object(body.get("reply_parameters")).get("message_id"))
        if method not in VISIBLE:
            return False
        call["texts"] = texts_of(method, body)
        return True

    def handle(self, request: Request, call: Call) -> Answer:
        """Token, method, chat, rates and limits, in this order."""
        try:
            return Answer(200, {"ok": True, "result": self._carry_out(request, call)})
        except Refused as refused:
            return _answer(refused)

    def _carry_out(self, request: Request, call: Call) -> Any:
        token = request.path.partition("/bot")[2].partition("/")[0]
        if token != TOKEN:
            raise Refused(401, "Unauthorized") if ":" in token else Refused(404, "Not Found")
        method, (body, files) = _method(request), fields_and_files(request)
        if method not in VISIBLE | OTHERS | SILENT:
            raise Refused(404, "Not Found")
        if method == "getMe":
            person = {"id": BOT_ID, "is_bot": True, "first_name": "Fake", "username": "fake_bot"}
            return {**person, "can_join_groups": True, "can_read_all_group_messages": self.reads_groups}
        if method in self.hook.methods:
            return self.hook.methods[method](body)
        if method == "answerCallbackQuery":
            return self._answer_callback(body, call)
        if method == "deleteBusinessMessages":
            return carry_out(method, body, {}, 0)
        self._check_chat(body, call["user"])
        if method == "sendChatAction":
            return True
        if method in SILENT:
            return carry_out(method, body, self.sent.get(call["user"], {}), self._last_ids.get(call["user"], 0))
        self.rates.check(call["user"], is_group=str(body["chat_id"]).startswith("-"))
        body = self.files.with_ids(method, body, files)
        if method in EDITS:
            message = edit(method, body, self.sent.setdefault(call["user"], {}))
            self.accept(call, [str(message["message_id"])])
            return message | self.files.shown(_object(body.get("media")))
        if method == "sendMediaGroup":
            check_album(body)
            return self._send_album(body, call)
        check_message(method, body)
        message = self._send(body, call)
        self.accept(call, [str(message["message_id"])])
        return message

    def _answer_callback(self, body: dict[str, Any], call: Call) -> bool:
        callback_id = str(body.get("callback_query_id"))
        if callback_id not in self.callbacks:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(str(body.get("text", ""))) > CALLBACK_TEXT_MAX:
            raise bad("MESSAGE_TOO_LONG")
        self.callbacks[callback_id] = True
        call["ids"] = [callback_id]
        return True

    def _check_chat(self, body: dict[str, Any], user: str) -> None:
        chat_id = body.get("chat_id")
        if chat_id in (None, ""):
            raise bad("chat_id is empty")
        if not isinstance(chat_id, int) and not str(chat_id).startswith("@"):
            raise bad("chat not found")
        if user in self.strangers:
            raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        if user in self.moved:
            new_id = self.moved[user]
            raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new_id)
        if body.get("business_connection_id") and f"{chat_id}~{body['business_connection_id']}" not in self._names:
            raise bad("BUSINESS_CONNECTION_INVALID")

    def _send(self, body: dict[str, Any], call: Call) -> Message:
        chat = call["user"]
        quote = _object(body.get("reply_parameters"))
        known = self._last_ids.get(chat, 0)
        if quote and quote.get("message_id", 0) > known and not quote.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        message: Message = {
            "message_id": self._message_id(chat),
            "date": int(self.clock()),
            "chat": {"id": body["chat_id"], "type": "supergroup" if str(body["chat_id"])[0] == "-" else "private"},
            "from": {"id": BOT_ID, "is_bot": True, "first_name": "Fake", "username": "fake_bot"},
        }
        for name in ("text", "caption", "media", "reply_markup", "business_connection_id"):
            if name in body:
                message[name] = body[name]
        message |= self.files.shown(body)
        self.sent.setdefault(chat, {})[message["message_id"]] = message
        return message

    def _send_album(self, body: dict[str, Any], call: Call) -> list[Message]:
        frame = {name: value for name, value in body.items() if name != "media"}
        messages = [self._send({**frame, **item}, call) for item in body["media"]]
        self.accept(call, [str(message["message_id"]) for message in messages])
        return messages

    def refuse(self, fault: Fault, call: Call) -> Answer:
        """The API's own words; a ``rate`` fault's wait is remembered, so that coming early is refused and counted."""
        if fault.kind == "rate":
            wait_s = int(fault.options.get("retry_after_s", 1))
            self.rates.tell_wait(call["user"], wait_s)
            return _answer(Refused(429, f"Too Many Requests: retry after {wait_s}", retry_after=wait_s))
        return _answer(REFUSALS[fault.kind](fault))


REFUSALS: dict[str, Callable[[Fault], Refused]] = {
    "error": lambda fault: Refused(int(fault.options.get("status", 500)), "Internal Server Error"),
    "permanent": lambda _: bad("not enough rights to send text messages to the chat"),
    "blocked": lambda _: Refused(403, "Forbidden: bot was blocked by the user"),
    "token": lambda _: Refused(401, "Unauthorized"),
}


def _answer(refused: Refused) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": refused.status, "description": refused.description}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return Answer(refused.status, body)


def _method(request: Request) -> str:
    return request.path.rpartition("/")[2]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
