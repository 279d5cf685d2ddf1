"""What the fakes of Messenger and Instagram share: signed webhooks of an app's accounts, sends, echoes and reports.

Every API send is echoed to the webhook, often before its own answer; ``echo_order`` says when. What a subclass adds is
its accounts, its rules and its reports.
"""

import asyncio
import hashlib
import random
import re
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from tests.fakes.base import FakePlatform
from tests.fakes.faults import Fault
from tests.fakes.meta import bearer, graph_error, signature, usage_header, wire_json
from tests.fakes.wire import Answer, Call, Event, Request

WINDOW_S = 24 * 3600
HUMAN_AGENT_S = 7 * 24 * 3600
ECHO_PATIENCE_S = 0.5
"""How long the answer to a send waits for its echo to go first."""
LATE_S = 0.3

NODE_PATH = re.compile(r"/v\d+\.\d+/(\d+)")
CDN_PATH = "/cdn/"
SEND_PATH = re.compile(r"/v\d+\.\d+/(\d+|me)/messages")

Errors = Mapping[str, tuple[str, int, int | None, int]]
"""Text, code, subcode and HTTP status by fault; the options ``code`` and ``subcode`` replace the numbers."""


class FakeMessaging(FakePlatform):
    """Some accounts of one app, the first of which is the one that users write to unless a test says otherwise.

    Users are named freely; their ids follow from the names: ``first_user`` plus digits of their hash. ``unseen`` users
    have no profile.
    """

    webhook_object: ClassVar[str]
    app_secret: ClassVar[str]
    verify_token: ClassVar[str]
    accounts: ClassVar[Sequence[str]]
    tokens: ClassVar[Sequence[str]]
    first_user: ClassVar[int]
    errors: ClassVar[Errors]
    calls_per_s: ClassVar[int]
    echo_order: Literal["before", "after", "mixed", "none"] = "mixed"
    sends_receipts: bool = True

    def reset(self) -> None:
        super().reset()
        self.last_inbound_s: dict[str, float] = {}
        self.quick_replies: dict[str, dict[str, str]] = {}
        self.unseen: set[str] = set()
        self._random = random.Random(self.seed)
        self._recent: deque[float] = deque()

    # What each platform says about itself.

    @abstractmethod
    def sender_of(self, call: Call) -> str:
        """The account, as webhooks name it, that this accepted call sent for."""

    @abstractmethod
    def echoed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The message of the echo of this request."""

    @abstractmethod
    def texts_of(self, body: dict[str, Any]) -> list[str]:
        """What the user reads of this request, in order."""

    @abstractmethod
    def reports(self, echo: Event) -> list[Event]:
        """What follows the arrival of the message of this echo, in the order of its happening."""

    # Webhooks.

    def native_user(self, name: str) -> str:
        """Digits, the same for the same name in every run."""
        number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**15
        return name if name.isdecimal() else str(self.first_user + number)

    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """``extra`` goes into ``message`` (attachments, reply_to, referral …)."""
        return self.from_user(user, "message", {"mid": self.new_mid(), "text": text, **extra})

    def user_choice(self, user: str, data: str) -> Event:
        """A message while ``data`` is a quick reply that the user sees, else a tap on a button."""
        title = self.quick_replies.pop(user, {}).get(data)
        if title is not None:
            return self.user_message(user, title, quick_reply={"payload": data})
        return self.from_user(user, "postback", {"mid": self.new_mid(), "title": data, "payload": data})

    def user_reaction(self, user: str, mid: str, emoji: str = "❤️") -> Event:
        """This user reacts to a message."""
        value = {"mid": mid, "action": "react", "reaction": "love", "emoji": emoji}
        return self.from_user(user, "reaction", value)

    def from_user(self, user: str, kind: str, value: dict[str, Any]) -> Event:
        """An item of this user with one member of this kind; it opens the window."""
        self.last_inbound_s[user] = self.clock()
        return self.item_of(user, kind, value)

    def item_of(self, user: str, kind: str, value: dict[str, Any]) -> Event:
        """The same without any effect on the window."""
        sender, recipient = {"id": self.known_user(user)}, {"id": self.accounts[0]}
        return {"sender": sender, "recipient": recipient, "timestamp": self.now_ms(), kind: value}

    def echo_of(self, user: str, message: dict[str, Any], *, mid: str = "", account: str = "") -> Event:
        """An item about a message of the account itself."""
        sender, recipient = {"id": account or self.accounts[0]}, {"id": self.known_user(user)}
        message = {"mid": mid or self.new_mid(), "is_echo": True, **message}
        return {"sender": sender, "recipient": recipient, "timestamp": self.now_ms(), "message": message}

    def body(self, events: list[Event]) -> bytes:
        return self.body_of_accounts({self.accounts[0]: events})

    def body_of_accounts(self, accounts: Mapping[str, list[Event]], *, container: str = "messaging") -> bytes:
        """One entry per account; several accounts of one app arrive on one URL."""
        entries = [{"id": account, "time": self.now_ms(), container: events} for account, events in accounts.items()]
        return wire_json({"object": self.webhook_object, "entry": entries})

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Content-Type": "application/json", "X-Hub-Signature-256": signature(self.app_secret, body)}

    def native_id(self, event: Event) -> str:
        return next((str(value["mid"]) for value in event.values() if isinstance(value, dict) and "mid" in value), "")

    async def check_url(self, *, verify_token: str = "") -> bool:
        """The check that saving the callback URL triggers: True when the bare challenge came back with 200."""
        assert self._client is not None, "start() the fake first"
        challenge = str(self._random.randrange(10**9, 10**10))
        token = verify_token or self.verify_token
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        async with self._client.get(self.webhook_url, params=query) as answer:
            return answer.status == 200 and await answer.text() == challenge

    def new_mid(self) -> str:
        return f"m_{self.seed}_{self.next_number()}"

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    # Media behind signed links, and profiles ("User Profile API").

    def user_media(self, user: str, data: bytes, *, kind: str = "image", mime_type: str = "image/jpeg") -> Event:
        """A message with one attachment and no text."""
        id = f"a{self.next_number()}"
        self.shelf.put(id, data, mime_type)
        url = f"{self.base_url}{CDN_PATH}{self.shelf.link(id)}"
        return self.from_user(
            user, "message", {"mid": self.new_mid(), "attachments": [{"type": kind, "payload": {"url": url}}]}
        )

    @abstractmethod
    def profile_of(self, name: str) -> dict[str, Any]:
        """Every field that a profile may have."""

    def look_up(self, request: Request) -> Answer | None:
        if request.method != "GET":
            return None
        if request.path.startswith(CDN_PATH):
            media = self.shelf.behind(request.path.removeprefix(CDN_PATH))
            return Answer(200, media.data, {"Content-Type": media.mime_type}) if media else Answer(403)
        path, fields = NODE_PATH.fullmatch(request.path), request.query.get("fields", "").split(",")
        if path is None or "profile_pic" not in fields:
            return None
        if bearer(dict(request.headers), dict(request.query)) not in self.tokens:
            return graph_error("Malformed access token", code=190)
        name = self._names.get(path.group(1))
        if name is None or name in self.unseen:
            return graph_error("(#100) No profile available for this user.", code=100, subcode=2018218)
        return Answer(200, {field: value for field, value in self.profile_of(name).items() if field in fields})

    # Send API.

    def describe(self, request: Request, call: Call) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        recipient = body.get("recipient")
        call["user"] = self.name_of(str(recipient.get("id", ""))) if isinstance(recipient, dict) else ""
        call["reply_to"] = (body.get("reply_to") or {}).get("mid")
        call["texts"] = self.texts_of(body)
        return SEND_PATH.fullmatch(request.path) is not None and ("message" in body or "template" in body)

    def taken(self, body: dict[str, Any], call: Call) -> Answer:
        """The answer to a request that keeps all rules."""
        if "sender_action" in body:
            return Answer(200, {"recipient_id": body["recipient"]["id"]})
        mid = self.new_mid()
        replies = body.get("message", {}).get("quick_replies", [])
        # Quick replies go away with the next message.
        self.quick_replies[call["user"]] = {
            reply["payload"]: reply["title"] for reply in replies if reply["content_type"] == "text"
        }
        self.accept(call, [mid])
        return Answer(200, {"recipient_id": body["recipient"]["id"], "message_id": mid})

    def is_window_closed(self, body: dict[str, Any], user: str) -> bool:
        """A user who never wrote to this fake may have written to an earlier run of it, so that only age counts."""
        open_s = HUMAN_AGENT_S if body.get("messaging_type") == "MESSAGE_TAG" else WINDOW_S
        last_s = self.last_inbound_s.get(user)
        return "message" in body and last_s is not None and self.clock() - last_s > open_s

    def is_over_rate(self) -> bool:
        """Counts this call."""
        now = self.clock()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > self.calls_per_s

    def refuse(self, fault: Fault, call: Call) -> Answer:
        text, code, subcode, status = self.errors[fault.kind]
        code, subcode = int(fault.options.get("code", code)), fault.options.get("subcode", subcode)
        answer = graph_error(text, code=code, subcode=subcode, status=status, is_transient=fault.kind == "error")
        wait_min = int(fault.options.get("retry_after_s", 0) // 60)
        if fault.kind == "rate" and wait_min:
            # Meta names waits in whole minutes only, and none for most limits.
            headers = usage_header(self.accounts[0], kind=self.name, regain_access_min=wait_min)
            return Answer(answer.status, answer.body, headers)
        return answer

    # Echoes and reports.

    async def after_accept(self, call: Call) -> None:
        if not self.webhook_url:
            return
        message = self.echoed(call["body"])
        echo = self.echo_of(call["user"], message, mid=call["ids"][0], account=self.sender_of(call))
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
        """A ``late_receipts`` fault turns the reports round and holds them back."""
        reports = self.reports(echo)
        late = self.faults.take({"late_receipts"})
        if late is not None:
            await asyncio.sleep(float(late.options.get("seconds", LATE_S)))
            reports.reverse()
        for report in reports:
            await self._deliver_for(report)

    async def _deliver_for(self, event: Event) -> None:
        """To the account that the event is about."""
        sides = [event["sender"]["id"], event["recipient"]["id"]]
        account = next(side for side in sides if side in self.accounts)
        for attempt in range(1 + self.redeliveries):
            await asyncio.sleep(0 if attempt == 0 else self.redelivery_wait_s * 2 ** (attempt - 1))
            status = await self.deliver(self.body_of_accounts({account: [event]}), ids=[self.native_id(event)])
            if 200 <= status < 300:
                return
