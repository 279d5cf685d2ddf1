"""WhatsApp's Cloud API as an HTTP server: messages, token, windows and rates, with its own error bodies.

What it sends to the webhook, statuses too, is in ``whatsapp_webhooks``.
"""

import base64
import re
from collections import deque
from typing import Any, ClassVar

from tests.fakes.faults import Fault
from tests.fakes.meta import bearer, usage_header
from tests.fakes.meta_app import MetaApp
from tests.fakes.whatsapp_account import BusinessAccount
from tests.fakes.whatsapp_rules import Refused, check, cloud_error
from tests.fakes.whatsapp_uploads import Uploaded
from tests.fakes.whatsapp_views import texts_of
from tests.fakes.whatsapp_webhooks import (
    ACCOUNT_ID,
    APP_SECRET,
    NUMBER_ID,
    NUMBERS,
    SEND_PATH,
    VERIFY_TOKEN,
    WhatsAppWebhooks,
    number_of,
)
from tests.fakes.wire import Answer, Call, Event, Request

APP_ID = "900000000000013"
APP_FIELDS = {
    *("messages", "standby", "messaging_handovers", "account_update", "account_alerts", "phone_number_quality_update"),
    *("message_template_status_update", "message_template_quality_update", "template_category_update"),
    *("user_preferences", "smb_message_echoes"),
}
ACCESS_TOKEN = "EAAfake-whatsapp-access-token"

MEDIA_PATH = re.compile(r"/v\d+\.\d+/(9\d{14})")
UPLOAD_PATH = re.compile(r"/v\d+\.\d+/(\d+)/media")
LINK_PATH = "/whatsapp_business/attachments/"

WINDOW_S = 24 * 3600
MESSAGES_PER_S = 1000
"""Of a number whose throughput was raised; ``messages_per_s`` of a new one is 80 ("Throughput")."""
PAIR_BURST = 45
PAIR_PAUSE_S = 6.0

ERRORS: dict[str, int] = {"rate": 130429, "error": 131000, "permanent": 131009, "blocked": 131026, "token": 190}
"""Code by fault; the options ``code`` and ``status`` replace it and its HTTP status."""


class FakeWhatsApp(WhatsAppWebhooks):
    """``is_strict`` switches the pair rate on; ``failures`` maps users to the code with which messages to them fail
    after they were accepted."""

    name: ClassVar[str] = "whatsapp"
    messages_per_s: int = MESSAGES_PER_S
    is_strict: bool = False
    link_life_s: float = 300.0

    def reset(self) -> None:
        super().reset()
        self.failures: dict[str, int] = {}
        self.uploaded = Uploaded(lambda: self.clock())
        self.app = MetaApp(
            APP_ID,
            APP_SECRET,
            tokens={"system user": ACCESS_TOKEN},
            fields=APP_FIELDS,
            object="whatsapp_business_account",
            delivers_to=lambda: self.webhook_url,
        )
        self.app.scopes = ["whatsapp_business_messaging", "whatsapp_business_management"]
        self.account = BusinessAccount(
            ACCOUNT_ID, self.app, numbers=NUMBERS, token=ACCESS_TOKEN, delivers_to=lambda: self.webhook_url
        )
        self._recent: deque[float] = deque()
        self._pairs: dict[str, tuple[float, float]] = {}

    def channel_table(self, id: str, *, number_id: str = NUMBER_ID) -> dict[str, Any]:
        return {
            "id": id,
            "platform": self.name,
            "phone_number_id": number_id,
            "waba_id": ACCOUNT_ID,
            "app_id": APP_ID,
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

    # Media ("Media": an id, then a link that lives five minutes, both with the token).

    def user_media(
        self, user: str, data: bytes, *, kind: str = "image", mime_type: str = "image/jpeg", with_link: bool = True
    ) -> Event:
        """A message with media; ``with_link``: as newer webhooks, it brings a first link along."""
        media_id = str(900_000_000_000_000 + self.next_number())
        sha256 = base64.b64encode(self.shelf.put(media_id, data, mime_type).sha256).decode()
        media = {"id": media_id, "mime_type": mime_type, "sha256": sha256}
        link = {"url": self._link(media_id)} if with_link else {}
        return self.user_message(user, "", type=kind, **{kind: media | link})

    def look_up(self, request: Request) -> Answer | None:
        path = MEDIA_PATH.fullmatch(request.path)
        is_link = request.path.startswith(LINK_PATH)
        if request.method != "GET" or not (is_link or (path and "phone_number_id" in request.query)):
            return None
        is_authentic = bearer(dict(request.headers), {}) == ACCESS_TOKEN
        if is_link:
            media = self.shelf.behind(request.path.removeprefix(LINK_PATH))
            if not is_authentic:
                return Answer(401)
            return Answer(200, media.data, {"Content-Type": media.mime_type}) if media else Answer(404)
        if not is_authentic:
            return cloud_error(190, "Malformed access token")
        media_id = path.group(1) if path else ""
        media = self.shelf.items.get(media_id)
        if media is None or request.query.get("phone_number_id") not in NUMBERS:
            return cloud_error(100, f"Object with ID '{media_id}' does not exist", subcode=33)
        answer = {"messaging_product": "whatsapp", "url": self._link(media_id), "mime_type": media.mime_type}
        return Answer(200, answer | {"sha256": media.sha256.hex(), "file_size": len(media.data), "id": media_id})

    def _link(self, media_id: str) -> str:
        return f"{self.base_url}{LINK_PATH}{self.shelf.link(media_id)}"

    # Cloud API.

    def describe(self, request: Request, call: Call) -> bool:
        body = request.body if isinstance(request.body, dict) else {}
        call["user"] = self.name_of(str(body.get("to") or body.get("recipient") or ""))
        call["reply_to"] = (body.get("context") or {}).get("message_id")
        call["texts"] = texts_of(body)
        return SEND_PATH.fullmatch(request.path) is not None and "type" in body

    def handle(self, request: Request, call: Call) -> Answer:
        # An account's subscription is looked at before the app's: both have an edge of that name.
        upload = UPLOAD_PATH.fullmatch(request.path)
        path = SEND_PATH.fullmatch(request.path) or upload
        known = None if path else self._setting(request)
        if known is not None:
            return known
        if path is None or request.method != "POST":
            return cloud_error(2500, "Unknown path components")
        if bearer(dict(request.headers), dict(request.query)) != ACCESS_TOKEN:
            return cloud_error(190, "Malformed access token " + bearer(dict(request.headers), dict(request.query)))
        if path.group(1) not in NUMBERS:
            return cloud_error(100, "Unsupported post request", subcode=33)
        try:
            if upload:
                return self.uploaded.take(request, str(800_000_000_000_000 + self.next_number()))
            check(request.body)
            self.uploaded.check(request.body)
            if request.body.get("status") == "read":
                return Answer(200, {"success": True})
            self._check_rates(call["user"])
            self._check_window(request.body, call["user"])
        except Refused as refused:
            return refused.answer
        return self._taken(request.body, call)

    def _setting(self, request: Request) -> Answer | None:
        if request.path.endswith(("/subscriptions", "/debug_token")):
            return self.app.answer(request)
        return self.account.answer(request)

    def _taken(self, body: dict[str, Any], call: Call) -> Answer:
        wamid = self.new_wamid()
        if call["user"] in self.failures:
            failed = self.status(call, wamid, "failed") | {"errors": [_problem(self.failures[call["user"]])]}
            self.spawn(self.deliver_for([failed], number_of(call)))
        else:
            self.shown.setdefault(call["user"], []).append({"id": wamid, "body": body})
            self.accept(call, [wamid])
        given = str(body.get("to") or body.get("recipient"))
        contact = {"input": given} | self.ids_of(call["user"], user_id="user_id", phone="wa_id")
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


def _problem(code: int) -> dict[str, Any]:
    details = {"details": "reported after the message was accepted"}
    return {"code": code, "title": "Message undeliverable", "message": "Message undeliverable", "error_data": details}
