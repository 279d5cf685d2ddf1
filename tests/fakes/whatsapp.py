"""WhatsApp's Cloud API as an HTTP server: messages, token, windows, rates, users without a phone number, statuses.

An accepted message is reported as sent, delivered and read, in separate deliveries that may come before the answer or
out of order. Every second user has a username and therefore no phone number in webhooks; one whose name is digits is a
phone number without a business-scoped user id, as before April 2026.
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
from tests.fakes.meta import bearer, signature, usage_header, wire_json
from tests.fakes.whatsapp_rules import Refused, check, cloud_error
from tests.fakes.whatsapp_views import choice_of, texts_of
from tests.fakes.wire import Answer, Call, Event, Request

ACCOUNT_ID = "200000000000001"
NUMBER_ID = "300000000000001"
SECOND_NUMBER_ID = "300000000000002"
NUMBERS = {NUMBER_ID: "15555550100", SECOND_NUMBER_ID: "15555550200"}
APP_SECRET = "fake-whatsapp-app-secret"
VERIFY_TOKEN = "fake-whatsapp-verify-token"
ACCESS_TOKEN = "EAAfake-whatsapp-access-token"

WINDOW_S = 24 * 3600
MESSAGES_PER_S = 1000
PAIR_BURST = 45
PAIR_PAUSE_S = 6.0
REPORT_PATIENCE_S = 0.5
"""How long the answer to a send waits for its first report to go ahead."""
LATE_S = 0.3

SEND_PATH = re.compile(r"/v\d+\.\d+/(\d+)/messages")

ERRORS: dict[str, int] = {"rate": 130429, "error": 131000, "permanent": 131009, "blocked": 131026, "token": 190}
"""Code by fault; the options ``code`` and ``status`` replace it and its HTTP status."""


class FakeWhatsApp(FakePlatform):
    """Two phone numbers of one business account. ``is_strict`` switches the pair rate on; ``failures`` maps users to
    the code with which messages to them fail after they were accepted."""

    name: ClassVar[str] = "whatsapp"
    report_order: Literal["before", "after", "mixed", "none"] = "mixed"
    messages_per_s: int = MESSAGES_PER_S
    is_strict: bool = False

    def reset(self) -> None:
        super().reset()
        self.last_inbound_s: dict[str, float] = {}
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self.failures: dict[str, int] = {}
        self._random = random.Random(self.seed)
        self._recent: deque[float] = deque()
        self._pairs: dict[str, tuple[float, float]] = {}

    def channel_table(self, id: str, *, number_id: str = NUMBER_ID) -> dict[str, Any]:
        return {
            "id": id,
            "platform": self.name,
            "phone_number_id": number_id,
            "waba_id": ACCOUNT_ID,
            "app_secret": "env:FAKE_WHATSAPP_APP_SECRET",
            "verify_token": "env:FAKE_WHATSAPP_VERIFY_TOKEN",
            "access_token": "env:FAKE_WHATSAPP_ACCESS_TOKEN",
            "api_base": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        return {
            "FAKE_WHATSAPP_APP_SECRET": APP_SECRET,
            "FAKE_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "FAKE_WHATSAPP_ACCESS_TOKEN": ACCESS_TOKEN,
        }

    # People.

    def native_user(self, name: str) -> str:
        """The BSUID, the same for the same name in every run; digits are a phone number and stay."""
        return name if name.isdecimal() else f"US.{_digits(name, 20)}"

    def phone_of(self, name: str) -> str | None:
        """The phone number that webhooks show; None for users with a username."""
        if name.isdecimal():
            return name
        return None if _digits(name, 1) in "02468" else f"1555{_digits(name, 7)}"

    def known_user(self, name: str) -> str:
        phone = self.phone_of(name)
        if phone is not None:
            self._names[phone] = name
        return super().known_user(name)

    def _ids(self, name: str, *, user_id: str, phone: str) -> dict[str, str]:
        """Both ids under the names that they have where they are used, as far as the user has them."""
        native, number = self.known_user(name), self.phone_of(name)
        ids = {} if name.isdecimal() else {user_id: native}
        return ids | ({phone: number} if number is not None else {})

    # Webhooks.

    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """``extra`` are further members of the message; ``type`` and its member replace the text."""
        event = self._from_user(user)
        return event | ({"type": "text", "text": {"body": text}} if "type" not in extra else {}) | extra

    def user_choice(self, user: str, data: str) -> Event:
        """A tap on the newest button or row with this data that the user has; else on a template's quick reply."""
        for message in reversed(self.shown.get(user, [])):
            reply = choice_of(message["body"], data)
            if reply is not None:
                context = {"from": NUMBERS[NUMBER_ID], "id": message["id"]}
                return self._from_user(user) | {"type": "interactive", "interactive": reply, "context": context}
        return self._from_user(user) | {"type": "button", "button": {"payload": data, "text": data}}

    def user_reaction(self, user: str, wamid: str, emoji: str = "❤️") -> Event:
        """This user reacts to a message; an empty emoji takes the reaction back."""
        reaction = {"message_id": wamid} | ({"emoji": emoji} if emoji else {})
        return self._from_user(user) | {"type": "reaction", "reaction": reaction}

    def human_message(self, user: str, text: str) -> bytes:
        """The body that tells of what a person of the business typed in the phone app (coexistence)."""
        to = self._ids(user, user_id="to_user_id", phone="to")
        echo = {"from": NUMBERS[NUMBER_ID], **to, "id": self._wamid(), "timestamp": self._now(), "type": "text"}
        value = self._value(NUMBER_ID) | {"message_echoes": [echo | {"text": {"body": text}}]}
        return wire_json(_envelope([{"field": "smb_message_echoes", "value": value}]))

    def body(self, events: list[Event]) -> bytes:
        return self.body_of_numbers({NUMBER_ID: events})

    def body_of_numbers(self, numbers: Mapping[str, list[Event]], *, field: str = "messages") -> bytes:
        """One change per number, messages and statuses mixed; all numbers of an app arrive on one URL."""
        changes = [
            {"field": field, "value": self._value(number) | self._lists(events)} for number, events in numbers.items()
        ]
        return wire_json(_envelope(changes))

    def _lists(self, events: list[Event]) -> dict[str, Any]:
        messages = [event for event in events if "status" not in event]
        statuses = [event for event in events if "status" in event]
        lists: dict[str, Any] = {"contacts": self._contacts(events)}
        return lists | ({"messages": messages} if messages else {}) | ({"statuses": statuses} if statuses else {})

    def _contacts(self, events: list[Event]) -> list[dict[str, Any]]:
        members = ("from_user_id", "from", "recipient_user_id", "recipient_id")
        people = dict.fromkeys(
            self.name_of(next(event[member] for member in members if member in event)) for event in events
        )
        return [{"profile": {"name": name}} | self._ids(name, user_id="user_id", phone="wa_id") for name in people]

    def _value(self, number: str) -> dict[str, Any]:
        metadata = {"display_phone_number": NUMBERS[number], "phone_number_id": number}
        return {"messaging_product": "whatsapp", "metadata": metadata}

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Content-Type": "application/json", "X-Hub-Signature-256": signature(APP_SECRET, body)}

    def native_id(self, event: Event) -> str:
        return str(event["id"])

    async def check_url(self, *, verify_token: str = VERIFY_TOKEN) -> bool:
        """The check that saving the callback URL triggers: True when the bare challenge came back with 200."""
        assert self._client is not None, "start() the fake first"
        challenge = str(self._random.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        async with self._client.get(self.webhook_url, params=query) as answer:
            return answer.status == 200 and await answer.text() == challenge

    def _from_user(self, user: str) -> Event:
        self.last_inbound_s[user] = self.clock()
        ids = self._ids(user, user_id="from_user_id", phone="from")
        return {**ids, "id": self._wamid(), "timestamp": self._now()}

    def _wamid(self) -> str:
        return f"wamid.HBgL{self.seed}A{self.next_number()}"

    def _now(self) -> str:
        """Unix seconds as text: all that WhatsApp tells."""
        return str(int(self.clock()))

    # Cloud API.

    def describe(self, request: Request, call: Call) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        call["user"] = self.name_of(str(body.get("to") or body.get("recipient") or ""))
        call["reply_to"] = (body.get("context") or {}).get("message_id")
        call["texts"] = texts_of(body)
        return SEND_PATH.fullmatch(request.path) is not None and "type" in body

    def handle(self, request: Request, call: Call) -> Answer:
        path = SEND_PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return cloud_error(2500, "Unknown path components")
        if bearer(dict(request.headers), dict(request.query)) != ACCESS_TOKEN:
            return cloud_error(190, "Malformed access token " + bearer(dict(request.headers), dict(request.query)))
        if path.group(1) not in NUMBERS:
            return cloud_error(100, "Unsupported post request", subcode=33)
        try:
            check(request.body)
            if request.body.get("status") == "read":
                return Answer(200, {"success": True})
            self._check_rates(call["user"])
            self._check_window(request.body, call["user"])
        except Refused as refused:
            return refused.answer
        return self._taken(request.body, call)

    def _taken(self, body: dict[str, Any], call: Call) -> Answer:
        wamid = self._wamid()
        if call["user"] in self.failures:
            failed = self.status(call, wamid, "failed") | {"errors": [_problem(self.failures[call["user"]])]}
            self.spawn(self._deliver_for([failed], _number_of(call)))
        else:
            self.shown.setdefault(call["user"], []).append({"id": wamid, "body": body})
            self.accept(call, [wamid])
        given = str(body.get("to") or body.get("recipient"))
        contact = {"input": given} | self._ids(call["user"], user_id="user_id", phone="wa_id")
        sent = {"id": wamid} | ({"message_status": "accepted"} if body["type"] == "template" else {})
        return Answer(200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]})

    def _check_window(self, body: dict[str, Any], user: str) -> None:
        """A user who never wrote to this fake may have written to an earlier run of it, so that only age counts."""
        last_s = self.last_inbound_s.get(user)
        if body["type"] != "template" and last_s is not None and self.clock() - last_s > WINDOW_S:
            raise Refused(131047, "Message failed to send because more than 24 hours have passed")

    def _check_rates(self, user: str) -> None:
        now = self.clock()
        while self._recent and now - self._recent[0] >= 1:
            self._recent.popleft()
        self._recent.append(now)
        if len(self._recent) > self.messages_per_s:
            raise Refused(130429, "Cloud API message throughput has been reached")
        left, at = self._pairs.get(user, (float(PAIR_BURST), now))
        left = min(float(PAIR_BURST), left + (now - at) / PAIR_PAUSE_S)
        if self.is_strict and left < 1:
            raise Refused(131056, "Too many messages sent from the sender phone number to the same recipient")
        self._pairs[user] = (left - 1, now)

    def refuse(self, fault: Fault, call: Call) -> Answer:
        code = int(fault.options.get("code", ERRORS[fault.kind]))
        answer = cloud_error(code, f"fault {fault.kind}", status=fault.options.get("status"))
        wait_min = int(fault.options.get("retry_after_s", 0) // 60)
        if fault.kind == "rate" and wait_min:
            # Meta names waits in whole minutes only, and none for most limits.
            return Answer(
                answer.status, answer.body, usage_header(ACCOUNT_ID, kind="whatsapp", regain_access_min=wait_min)
            )
        return answer

    # Statuses.

    def status(self, call: Call, wamid: str, status: str) -> Event:
        """A status of a call's message, with what was sent along."""
        opaque = call["body"].get("biz_opaque_callback_data")
        ids = self._ids(call["user"], user_id="recipient_user_id", phone="recipient_id")
        event: Event = {"id": wamid, "status": status, "timestamp": self._now(), **ids}
        if status == "sent":
            event["pricing"] = {"billable": False, "pricing_model": "PMP", "type": "regular", "category": "service"}
        return event | ({"biz_opaque_callback_data": opaque} if opaque else {})

    async def after_accept(self, call: Call) -> None:
        if not self.webhook_url or self.report_order == "none":
            return
        reports = [self.status(call, call["ids"][0], name) for name in ("sent", "delivered", "read")]
        late = self.faults.take({"late_receipts"})
        if late is not None:
            self.spawn(self._report(reports[::-1], _number_of(call), float(late.options.get("seconds", LATE_S))))
            return
        order = self._random.choice(("before", "after")) if self.report_order == "mixed" else self.report_order
        first = asyncio.create_task(self._deliver_for(reports[:1], _number_of(call)))
        self._tasks.add(first)
        first.add_done_callback(self._tasks.discard)
        # Deliveries run side by side, so that a later status may overtake an earlier one.
        self.spawn(self._deliver_for(self._random.sample(reports[1:], 2), _number_of(call)))
        if order == "before":
            await asyncio.wait({first}, timeout=REPORT_PATIENCE_S)

    async def _report(self, reports: list[Event], number: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        for report in reports:
            await self._deliver_for([report], number)

    async def _deliver_for(self, events: list[Event], number: str) -> None:
        """To the number that the events are about."""
        body = self.body_of_numbers({number: events})
        for attempt in range(1 + self.redeliveries):
            await asyncio.sleep(0 if attempt == 0 else self.redelivery_wait_s * 2 ** (attempt - 1))
            if 200 <= await self.deliver(body, ids=[self.native_id(event) for event in events]) < 300:
                return


def _envelope(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": changes}]}


def _number_of(call: Call) -> str:
    path = SEND_PATH.fullmatch(call["path"])
    return path.group(1) if path else NUMBER_ID


def _problem(code: int) -> dict[str, Any]:
    details = {"details": "reported after the message was accepted"}
    return {"code": code, "title": "Message undeliverable", "message": "Message undeliverable", "error_data": details}


def _digits(name: str, count: int) -> str:
    return str(int(hashlib.sha256(name.encode()).hexdigest(), 16))[-count:]
