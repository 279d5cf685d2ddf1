"""LINE as its documentation describes it: reply tokens, retry keys, limits, signature, error bodies.

Reply: token used once, within its life. Push: counted, takes ``X-Line-Retry-Key`` for 24 h. One to five objects a call.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.fakes.base import FakePlatform
from tests.fakes.faults import Fault
from tests.fakes.line_account import Account
from tests.fakes.line_lookups import look_up
from tests.fakes.line_objects import problem_of, visible_texts
from tests.fakes.wire import Answer, Call, Event, Request

REPLY = "/v2/bot/message/reply"
PUSH = "/v2/bot/message/push"
LOADING = "/v2/bot/chat/loading/start"
MARK_AS_READ = "/v2/bot/chat/markAsRead"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
BODY_BYTES_MAX = 2 * 1024 * 1024
RETRY_KEY_LIFE_S = 24 * 3600.0

RATE_MESSAGE = "The API rate limit has been exceeded. Try again later."
QUOTA_MESSAGE = "You have reached your monthly limit."


@dataclass
class Token:
    """A reply token: whose, for which message, since when."""

    user: str
    message_id: str
    issued_at: float
    is_spent: bool = False


class FakeLine(FakePlatform):
    """One official account. Switches: ``reply_token_life_s``, ``monthly_quota`` (pushes; None: unlimited)."""

    name: ClassVar[str] = "line"
    delivery_timeout_s: ClassVar[float] = 2.0

    channel_secret = "fake-line-channel-secret"
    access_token = "fake-line-access-token"
    bot_user_id = "U" + "0" * 32
    reply_token_life_s = 60.0
    monthly_quota: int | None = None

    def reset(self) -> None:
        super().reset()
        self.tokens: dict[str, Token] = {}
        self.retry_keys: dict[str, tuple[float, Answer]] = {}
        self.pushes = 0
        self.account = Account(self.bot_user_id, lambda: self.webhook_url)
        self.account.used = lambda: self.pushes
        self.account.quota = lambda: self.monthly_quota

    def channel_table(self, id: str) -> dict[str, Any]:
        return {
            "id": id,
            "platform": self.name,
            "channel_secret": "env:FAKE_LINE_CHANNEL_SECRET",
            "access_token": "env:FAKE_LINE_ACCESS_TOKEN",
            "bot_user_id": self.bot_user_id,
            "api_base": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        return {"FAKE_LINE_CHANNEL_SECRET": self.channel_secret, "FAKE_LINE_ACCESS_TOKEN": self.access_token}

    def native_user(self, name: str) -> str:
        return "U" + hashlib.sha256(name.encode()).hexdigest()[:32]

    # Webhooks.

    def event(self, user: str, kind: str, *, is_answerable: bool = True, **members: Any) -> Event:
        """Any event of a one-to-one chat, with a new id and, where one may answer it, a new reply token."""
        number = self.next_number()
        event: Event = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.clock() * 1000),
            "webhookEventId": f"01H{self.seed:013X}{number:010d}",
            "deliveryContext": {"isRedelivery": False},
            "source": {"type": "user", "userId": self.known_user(user)},
            **members,
        }
        if is_answerable:
            token = hashlib.sha256(f"{self.seed}/{number}".encode()).hexdigest()[:32]
            event["replyToken"] = token
            self.tokens[token] = Token(event["source"]["userId"], self.native_id(event), self.clock())
        return event

    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """``extra``: members of the message object, to change or add (``type="sticker"``, ``quotedMessageId=…``)."""
        number = self.next_number()
        message = {"id": f"5{self.seed:d}{number:010d}", "type": "text", "quoteToken": f"qt{number}", "text": text}
        return self.event(user, "message", message={**message, **extra})

    def user_choice(self, user: str, data: str) -> Event:
        return self.event(user, "postback", postback={"data": data})

    def body(self, events: list[Event]) -> bytes:
        envelope = {"destination": self.bot_user_id, "events": events}
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()

    def headers(self, body: bytes) -> dict[str, str]:
        digest = hmac.new(self.channel_secret.encode(), body, hashlib.sha256).digest()
        signature = base64.b64encode(digest).decode()
        return {"Content-Type": "application/json; charset=utf-8", "X-Line-Signature": signature}

    def native_id(self, event: Event) -> str:
        message = event.get("message")
        return str(message["id"]) if isinstance(message, Mapping) else str(event["webhookEventId"])

    def redelivered(self, event: Event) -> Event:
        return {**event, "deliveryContext": {"isRedelivery": True}}

    # Media and profiles.

    def user_media(self, user: str, data: bytes, *, kind: str = "image", mime_type: str = "image/jpeg") -> Event:
        """A message whose content lies with LINE."""
        event = self.user_message(user, "", type=kind, contentProvider={"type": "line"})
        del event["message"]["text"]
        self.shelf.put(event["message"]["id"], data, mime_type)
        return event

    def look_up(self, request: Request) -> Answer | None:
        people = {
            native: {"displayName": name, "userId": native, "language": "th"} for native, name in self._names.items()
        }
        return look_up(request, self.shelf, people, token=self.access_token)

    # The API.

    def describe(self, request: Request, call: Call) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        token = self.tokens.get(str(body.get("replyToken")))
        call["user"] = self.name_of(token.user if token else str(body.get("to", "")))
        call["reply_to"] = token.message_id if token else None
        call["key"] = request.headers.get("x-line-retry-key")
        messages = body.get("messages")
        call["texts"] = (
            [text for item in messages for text in visible_texts(item)] if isinstance(messages, list) else []
        )
        return request.path in (REPLY, PUSH)

    def handle(self, request: Request, call: Call) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            return _error(
                401, "Authentication failed. Confirm that the access token in the authorization header is valid."
            )
        setting = self.account.routes.get((request.method, request.path))
        if setting is not None:
            return setting(request)
        if request.method != "POST" or request.path not in (REPLY, PUSH, LOADING, MARK_AS_READ):
            return _error(404, "Not found")
        if len(request.raw) > BODY_BYTES_MAX:
            return _error(413, "Payload Too Large")
        if not isinstance(request.body, dict):
            return _error(400, "The request body could not be parsed as JSON.")
        if request.path in (LOADING, MARK_AS_READ):
            return _shown(request)
        problem = problem_of(request.body.get("messages"))
        if problem is not None:
            details = [{"message": problem[1], "property": problem[0]}]
            return _error(400, "The request body has 1 error(s)", details=details)
        return self._reply(request, call) if request.path == REPLY else self._push(request, call)

    def refuse(self, fault: Fault, call: Call) -> Answer:
        if fault.kind == "rate":
            # LINE's 429 has no Retry-After.
            return _error(429, QUOTA_MESSAGE if fault.options.get("code") == "quota" else RATE_MESSAGE)
        if fault.kind == "error":
            return _error(int(fault.options.get("status", 500)), "The error occurred in the internal server.")
        if fault.kind == "token":
            return _error(
                401, "Authentication failed. Confirm that the access token in the authorization header is valid."
            )
        if fault.kind == "blocked":
            # "Send push message": to someone who blocked the account it answers 200, and nobody sees it.
            return Answer(200, {"sentMessages": [{"id": self._message_id()} for _ in call["body"]["messages"]]})
        return _error(400, "Failed to send messages")

    def _reply(self, request: Request, call: Call) -> Answer:
        # A refused reply leaves its token as it was; an accepted one spends it.
        if call["key"] is not None:
            return _error(400, "The retry key cannot be used with this endpoint.")
        token = self.tokens.get(str(request.body.get("replyToken")))
        if token is None or token.is_spent or self.clock() - token.issued_at > self.reply_token_life_s:
            return _error(400, "Invalid reply token")
        token.is_spent = True
        return self._accepted(request, call)

    def _push(self, request: Request, call: Call) -> Answer:
        key = call["key"]
        if not isinstance(request.body.get("to"), str) or not re.fullmatch(r"[UCR][0-9a-f]{32}", request.body["to"]):
            return _error(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
        if key is not None and not UUID.fullmatch(key):
            return _error(400, "The retry key is invalid.")
        # The life of a key counts from the first request; the body of a repeat is not compared.
        first_at, first = self.retry_keys.get(key or "", (float("-inf"), Answer()))
        if key is not None and self.clock() - first_at < RETRY_KEY_LIFE_S:
            return Answer(409, {"message": "The retry key is already accepted", **first.body}, first.headers)
        if self.monthly_quota is not None and self.pushes >= self.monthly_quota:
            return _error(429, QUOTA_MESSAGE)
        self.pushes += 1
        answer = self._accepted(request, call)
        if key is not None:
            accepted_as = {"X-Line-Accepted-Request-Id": f"request-{call['n']}"}
            self.retry_keys[key] = (self.clock(), Answer(409, answer.body, accepted_as))
        return answer

    def _accepted(self, request: Request, call: Call) -> Answer:
        ids = [self._message_id() for _ in request.body["messages"]]
        self.accept(call, ids)
        sent = [{"id": id, "quoteToken": f"qt{id}"} for id in ids]
        return Answer(200, {"sentMessages": sent}, {"X-Line-Request-Id": f"request-{call['n']}"})

    def _message_id(self) -> str:
        return f"6{self.seed:d}{self.next_number():010d}"


def _shown(request: Request) -> Answer:
    """The loading animation, in chats with one person for 5 to 60 s in steps of 5, and the mark that all was read."""
    if request.path == MARK_AS_READ:
        token = request.body.get("markAsReadToken")
        return Answer(200, {}) if isinstance(token, str) and token else _error(400, "Invalid markAsReadToken")
    chat, seconds = request.body.get("chatId"), request.body.get("loadingSeconds", 20)
    if not isinstance(chat, str) or not re.fullmatch(r"U[0-9a-f]{32}", chat):
        return _error(400, "The property, 'chatId', in the request body is invalid (line: -, column: -)")
    if seconds not in range(5, 61, 5):
        return _error(400, "loadingSeconds must be a multiple of 5, from 5 to 60")
    return Answer(202, {})


def _error(status: int, message: str, *, details: list[dict[str, str]] | None = None) -> Answer:
    return Answer(status, {"message": message, **({"details": details} if details else {})})
