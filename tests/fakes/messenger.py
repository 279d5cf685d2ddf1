"""Facebook Messenger as an HTTP server: Send API, page token, windows, echoes, delivery and read reports.

Every API send is echoed to the webhook, often before its own answer; ``echo_order`` says when. A message that a person
types in the Page inbox comes as an echo too (``human_message``), with the inbox's app id.
"""

import asyncio
import hashlib
import random
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from tests.fakes.base import FakePlatform
from tests.fakes.faults import Fault
from tests.fakes.messenger_rules import Refused, check
from tests.fakes.messenger_views import APP_ID, echoed, texts_of
from tests.fakes.meta import bearer, graph_error, signature, usage_header, wire_json
from tests.fakes.wire import Answer, Call, Event, Request

PAGE_ID = "100000000000001"
SECOND_PAGE_ID = "100000000000002"
INBOX_APP_ID = 26390203743090
APP_SECRET = "fake-messenger-app-secret"
VERIFY_TOKEN = "fake-messenger-verify-token"
PAGE_TOKENS = {PAGE_ID: "EAAfake-messenger-page-token", SECOND_PAGE_ID: "EAAfake-messenger-second-page-token"}

WINDOW_S = 24 * 3600
HUMAN_AGENT_S = 7 * 24 * 3600
CALLS_PER_S = 300
ECHO_PATIENCE_S = 0.5
"""How long the answer to a send waits for its echo to go first."""
LATE_S = 0.3

SEND_PATH = re.compile(r"/v\d+\.\d+/(\d+|me)/messages")

ERRORS: dict[str, tuple[str, int, int | None, int]] = {
    "rate": ("(#613) Calls to this api have exceeded the rate limit.", 613, None, 400),
    "error": ("An unexpected error has occurred. Please retry your request later.", 2, None, 500),
    "permanent": ("(#100) Invalid parameter", 100, None, 400),
    "blocked": ("(#551) This person isn't available right now.", 551, 1545041, 400),
    "token": ("Error validating access token: The session has been invalidated.", 190, 460, 400),
}
"""Text, code, subcode and HTTP status by fault; the options ``code`` and ``subcode`` replace the numbers."""


class FakeMessenger(FakePlatform):
    """Two pages of one app. Users are named freely; their page-scoped ids follow from the names."""

    name: ClassVar[str] = "messenger"
    echo_order: Literal["before", "after", "mixed", "none"] = "mixed"
    sends_receipts: bool = True

    def reset(self) -> None:
        super().reset()
        self.last_inbound_s: dict[str, float] = {}
        self.quick_replies: dict[str, dict[str, str]] = {}
        self._random = random.Random(self.seed)
        self._recent: deque[float] = deque()

    def channel_table(self, id: str, *, page_id: str = PAGE_ID) -> dict[str, Any]:
        return {
            "id": id,
            "platform": self.name,
            "page_id": page_id,
            "app_id": APP_ID,
            "app_secret": "env:FAKE_MESSENGER_APP_SECRET",
            "verify_token": "env:FAKE_MESSENGER_VERIFY_TOKEN",
            "page_token": f"env:FAKE_MESSENGER_PAGE_TOKEN{'' if page_id == PAGE_ID else '_2'}",
            "api_base": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        return {
            "FAKE_MESSENGER_APP_SECRET": APP_SECRET,
            "FAKE_MESSENGER_VERIFY_TOKEN": VERIFY_TOKEN,
            "FAKE_MESSENGER_PAGE_TOKEN": PAGE_TOKENS[PAGE_ID],
            "FAKE_MESSENGER_PAGE_TOKEN_2": PAGE_TOKENS[SECOND_PAGE_ID],
        }

    # Webhooks.

    def native_user(self, name: str) -> str:
        """A page-scoped id: digits, the same for the same name in every run."""
        return (
            name if name.isdecimal() else str(7 * 10**15 + int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**15)
        )

    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """``extra`` goes into ``message`` (attachments, reply_to, referral …)."""
        return self._from_user(user, "message", {"mid": self._mid(), "text": text, **extra})

    def user_choice(self, user: str, data: str) -> Event:
        """A message while ``data`` is a quick reply that the user sees, else a tap on a button."""
        title = self.quick_replies.pop(user, {}).get(data)
        if title is not None:
            return self.user_message(user, title, quick_reply={"payload": data})
        return self._from_user(user, "postback", {"mid": self._mid(), "title": data, "payload": data})

    def human_message(self, user: str, text: str) -> Event:
        """The echo of what a person of the business types in the Page inbox."""
        return self._echo(user, {"app_id": INBOX_APP_ID, "text": text})

    def user_reaction(self, user: str, mid: str, emoji: str = "❤️") -> Event:
        """This user reacts to a message."""
        value = {"mid": mid, "action": "react", "reaction": "love", "emoji": emoji}
        return self._from_user(user, "reaction", value)

    def body(self, events: list[Event]) -> bytes:
        return self.body_of_pages({PAGE_ID: events})

    def body_of_pages(self, pages: Mapping[str, list[Event]], *, container: str = "messaging") -> bytes:
        """One entry per page; several pages of one app arrive on one URL."""
        entries = [{"id": page, "time": self._now_ms(), container: events} for page, events in pages.items()]
        return wire_json({"object": "page", "entry": entries})

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Content-Type": "application/json", "X-Hub-Signature-256": signature(APP_SECRET, body)}

    def native_id(self, event: Event) -> str:
        return next((str(value["mid"]) for value in event.values() if isinstance(value, dict) and "mid" in value), "")

    async def check_url(self, *, verify_token: str = VERIFY_TOKEN) -> bool:
        """The check that saving the callback URL triggers: True when the bare challenge came back with 200."""
        assert self._client is not None, "start() the fake first"
        challenge = str(self._random.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        async with self._client.get(self.webhook_url, params=query) as answer:
            return answer.status == 200 and await answer.text() == challenge

    def _from_user(self, user: str, kind: str, value: dict[str, Any]) -> Event:
        self.last_inbound_s[user] = self.clock()
        sender, recipient = {"id": self.known_user(user)}, {"id": PAGE_ID}
        return {"sender": sender, "recipient": recipient, "timestamp": self._now_ms(), kind: value}

    def _echo(self, user: str, message: dict[str, Any], *, mid: str | None = None, page: str = PAGE_ID) -> Event:
        sender, recipient = {"id": page}, {"id": self.known_user(user)}
        message = {"mid": mid or self._mid(), "is_echo": True, **message}
        return {"sender": sender, "recipient": recipient, "timestamp": self._now_ms(), "message": message}

    def _mid(self) -> str:
        return f"m_{self.seed}_{self.next_number()}"

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)

    # Send API.

    def describe(self, request: Request, call: Call) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        recipient = body.get("recipient")
        call["user"] = self.name_of(str(recipient.get("id", ""))) if isinstance(recipient, dict) else ""
        call["reply_to"] = (body.get("reply_to") or {}).get("mid")
        call["texts"] = texts_of(body)
        return SEND_PATH.fullmatch(request.path) is not None and ("message" in body or "template" in body)

    def handle(self, request: Request, call: Call) -> Answer:
        path = SEND_PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return graph_error(f"Unknown path components: {request.path}", code=2500)
        token = bearer(dict(request.headers), dict(request.query))
        page = next((page for page, own in PAGE_TOKENS.items() if own == token), None)
        if page is None:
            return graph_error(f"Malformed access token {token}", code=190)
        if path.group(1) not in (page, "me"):
            return graph_error("(#10) This page is not yours", code=10)
        if self._is_over_rate():
            return self.refuse(Fault("rate"), call)
        try:
            check(request.body)
            self._check_window(request.body, call["user"])
        except Refused as refused:
            return refused.answer
        return self._taken(request.body, call)

    def _taken(self, body: dict[str, Any], call: Call) -> Answer:
        if "sender_action" in body:
            return Answer(200, {"recipient_id": body["recipient"]["id"]})
        mid = self._mid()
        replies = body.get("message", {}).get("quick_replies", [])
        # Quick replies go away with the next message.
        self.quick_replies[call["user"]] = {reply["payload"]: reply["title"] for reply in replies}
        self.accept(call, [mid])
        return Answer(200, {"recipient_id": body["recipient"]["id"], "message_id": mid})

    def _check_window(self, body: dict[str, Any], user: str) -> None:
        """A user who never wrote to this fake may have written to an earlier run of it, so that only age counts."""
        open_s = {"MESSAGE_TAG": HUMAN_AGENT_S, "UTILITY": float("inf")}.get(body.get("messaging_type", ""), WINDOW_S)
        last_s = self.last_inbound_s.get(user)
        if "message" in body and last_s is not None and self.clock() - last_s > open_s:
            raise Refused("This message is sent outside of allowed window.", code=10, subcode=2018278)

    def _is_over_rate(self) -> bool:
        now = self.clock()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > CALLS_PER_S

    def refuse(self, fault: Fault, call: Call) -> Answer:
        text, code, subcode, status = ERRORS[fault.kind]
        code, subcode = int(fault.options.get("code", code)), fault.options.get("subcode", subcode)
        answer = graph_error(text, code=code, subcode=subcode, status=status, is_transient=fault.kind == "error")
        wait_min = int(fault.options.get("retry_after_s", 0) // 60)
        if fault.kind == "rate" and wait_min:
            # Meta names waits in whole minutes only, and none for most limits.
            headers = usage_header(PAGE_ID, kind="messenger", regain_access_min=wait_min)
            return Answer(answer.status, answer.body, headers)
        return answer

    # Echoes and reports.

    async def after_accept(self, call: Call) -> None:
        if not self.webhook_url:
            return
        body = call["body"]
        page = (SEND_PATH.fullmatch(call["path"]) or [PAGE_ID, PAGE_ID])[1]
        echo = self._echo(call["user"], echoed(body), mid=call["ids"][0], page=PAGE_ID if page == "me" else page)
        if self.sends_receipts:
            self.spawn(self._report(echo))
        order = self._random.choice(("before", "after")) if self.echo_order == "mixed" else self.echo_order
        if order == "none":
            return
        delivery = asyncio.create_task(self._deliver_for(echo))
        self._tasks.add(delivery)
        delivery.add_done_callback(self._tasks.discard)
        if order == "before":
            await asyncio.wait({delivery}, timeout=ECHO_PATIENCE_S)

    async def _report(self, echo: Event) -> None:
        """Delivered, then read; a ``late_receipts`` fault turns them round and holds them back."""
        page, user = echo["sender"], echo["recipient"]
        watermark, mid = echo["timestamp"], echo["message"]["mid"]
        delivered = {"sender": user, "recipient": page, "delivery": {"mids": [mid], "watermark": watermark}}
        read = {"sender": user, "recipient": page, "timestamp": self._now_ms(), "read": {"watermark": watermark}}
        reports = [delivered, read]
        late = self.faults.take({"late_receipts"})
        if late is not None:
            await asyncio.sleep(float(late.options.get("seconds", LATE_S)))
            reports.reverse()
        for report in reports:
            await self._deliver_for(report)

    async def _deliver_for(self, event: Event) -> None:
        """To the page that the event is about."""
        pages = [event["sender"]["id"], event["recipient"]["id"]]
        page = next(page for page in pages if page in PAGE_TOKENS)
        for attempt in range(1 + self.redeliveries):
            await asyncio.sleep(0 if attempt == 0 else self.redelivery_wait_s * 2 ** (attempt - 1))
            status = await self.deliver(self.body_of_pages({page: [event]}), ids=[self.native_id(event)])
            if 200 <= status < 300:
                return
