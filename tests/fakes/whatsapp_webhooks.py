"""The webhook side of the fake WhatsApp: people, what they send, statuses of what was sent to them, signed bodies.

Every second user has a username and therefore no phone number in webhooks; one whose name is digits is a phone number
without a business-scoped user id, as before April 2026. An accepted message is reported as sent, delivered and read, in
separate deliveries that may come before the answer or out of order.
"""

import asyncio
import hashlib
import random
import re
from collections.abc import Mapping
from typing import Any, Literal

from tests.fakes.base import FakePlatform
from tests.fakes.meta import signature, wire_json
from tests.fakes.whatsapp_views import choice_of
from tests.fakes.wire import Call, Event

ACCOUNT_ID = "200000000000001"
NUMBER_ID = "300000000000001"
SECOND_NUMBER_ID = "300000000000002"
NUMBERS = {NUMBER_ID: "15555550100", SECOND_NUMBER_ID: "15555550200"}
APP_SECRET = "fake-whatsapp-app-secret"
VERIFY_TOKEN = "fake-whatsapp-verify-token"

REPORT_PATIENCE_S = 0.5
"""How long the answer to a send waits for its first report to go ahead."""
LATE_S = 0.3

SEND_PATH = re.compile(r"/v\d+\.\d+/(\d+)/messages")


class WhatsAppWebhooks(FakePlatform):
    """Two phone numbers of one business account. ``report_order`` places the first status before or after the answer
    to its send."""

    report_order: Literal["before", "after", "mixed", "none"] = "mixed"

    def reset(self) -> None:
        super().reset()
        self.last_inbound_s: dict[str, float] = {}
        self.shown: dict[str, list[dict[str, Any]]] = {}
        self._random = random.Random(self.seed)

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

    def ids_of(self, name: str, *, user_id: str, phone: str) -> dict[str, str]:
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
        to = self.ids_of(user, user_id="to_user_id", phone="to")
        echo = {"from": NUMBERS[NUMBER_ID], **to, "id": self.new_wamid(), "timestamp": self._now(), "type": "text"}
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
        return [{"profile": {"name": name}} | self.ids_of(name, user_id="user_id", phone="wa_id") for name in people]

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
        ids = self.ids_of(user, user_id="from_user_id", phone="from")
        return {**ids, "id": self.new_wamid(), "timestamp": self._now()}

    def new_wamid(self) -> str:
        """The next message id; seeds of separate runs differ, so that a second run repeats none of the first."""
        return f"wamid.HBgL{self.seed}A{self.next_number()}"

    def _now(self) -> str:
        """Unix seconds as text: all that WhatsApp tells."""
        return str(int(self.clock()))

    # Statuses of what was sent.

    def status(self, call: Call, wamid: str, status: str) -> Event:
        """A status of a call's message, with what was sent along."""
        opaque = call["body"].get("biz_opaque_callback_data")
        ids = self.ids_of(call["user"], user_id="recipient_user_id", phone="recipient_id")
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
            self.spawn(self._report(reports[::-1], number_of(call), float(late.options.get("seconds", LATE_S))))
            return
        order = self._random.choice(("before", "after")) if self.report_order == "mixed" else self.report_order
        first = asyncio.create_task(self.deliver_for(reports[:1], number_of(call)))
        self._tasks.add(first)
        first.add_done_callback(self._tasks.discard)
        # Deliveries run side by side, so that a later status may overtake an earlier one.
        self.spawn(self.deliver_for(self._random.sample(reports[1:], 2), number_of(call)))
        if order == "before":
            await asyncio.wait({first}, timeout=REPORT_PATIENCE_S)

    async def _report(self, reports: list[Event], number: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        for report in reports:
            await self.deliver_for([report], number)

    async def deliver_for(self, events: list[Event], number: str) -> None:
        """To the number that the events are about."""
        body = self.body_of_numbers({number: events})
        for attempt in range(1 + self.redeliveries):
            await asyncio.sleep(0 if attempt == 0 else self.redelivery_wait_s * 2 ** (attempt - 1))
            if 200 <= await self.deliver(body, ids=[self.native_id(event) for event in events]) < 300:
                return


def _envelope(changes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": changes}]}


def number_of(call: Call) -> str:
    """The number that a call sends from."""
    path = SEND_PATH.fullmatch(call["path"])
    return path.group(1) if path else NUMBER_ID


def _digits(name: str, count: int) -> str:
    return str(int(hashlib.sha256(name.encode()).hexdigest(), 16))[-count:]
