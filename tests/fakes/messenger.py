"""Facebook Messenger as an HTTP server: Send API, page token, windows, echoes, delivery and read reports.

A message that a person types in the Page inbox comes as an echo too (``human_message``), with the inbox's app id.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.fakes.faults import Fault
from tests.fakes.messenger_rules import Refused, check
from tests.fakes.messenger_uploads import Attachments
from tests.fakes.messenger_views import APP_ID, echoed, texts_of
from tests.fakes.meta import bearer, graph_error
from tests.fakes.meta_app import MetaApp
from tests.fakes.meta_messaging import SEND_PATH, WINDOW_S, Errors, FakeMessaging
from tests.fakes.wire import Answer, Call, Event, Request

__all__ = ["PAGE_ID", "PAGE_TOKENS", "SECOND_PAGE_ID", "WINDOW_S", "FakeMessenger"]

PAGE_ID = "100000000000001"
SECOND_PAGE_ID = "100000000000002"
MESSAGING_FIELDS = {
    *("messages", "messaging_postbacks", "message_echoes", "message_edits", "message_reactions", "message_deliveries"),
    *("message_reads", "messaging_referrals", "messaging_optins", "messaging_handovers", "standby"),
}
"""Fields of a page that may be subscribed to, as far as they are about messages."""

UPLOAD_PATH = re.compile(r"/v\d+\.\d+/(\d+|me)/message_attachments")
INBOX_APP_ID = 26390203743090
PAGE_TOKENS = {PAGE_ID: "EAAfake-messenger-page-token", SECOND_PAGE_ID: "EAAfake-messenger-second-page-token"}


class FakeMessenger(FakeMessaging):
    """Two pages of one app."""

    name: ClassVar[str] = "messenger"
    webhook_object = "page"
    app_secret = "fake-messenger-app-secret"
    verify_token = "fake-messenger-verify-token"
    accounts = tuple(PAGE_TOKENS)
    tokens = tuple(PAGE_TOKENS.values())
    first_user = 7 * 10**15
    calls_per_s = 300
    errors: ClassVar[Errors] = {
        "rate": ("(#613) Calls to this api have exceeded the rate limit.", 613, None, 400),
        "error": ("An unexpected error has occurred. Please retry your request later.", 2, None, 500),
        "permanent": ("(#100) Invalid parameter", 100, None, 400),
        "blocked": ("(#551) This person isn't available right now.", 551, 1545041, 400),
        "token": ("Error validating access token: The session has been invalidated.", 190, 460, 400),
    }

    def reset(self) -> None:
        super().reset()
        self.attachments = Attachments(lambda: self.clock())
        self.app = MetaApp(
            APP_ID,
            self.app_secret,
            tokens=PAGE_TOKENS,
            fields=MESSAGING_FIELDS,
            object="page",
            delivers_to=lambda: self.webhook_url,
        )
        self.app.scopes = ["pages_messaging", "pages_manage_metadata"]

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
            "FAKE_MESSENGER_APP_SECRET": self.app_secret,
            "FAKE_MESSENGER_VERIFY_TOKEN": self.verify_token,
            "FAKE_MESSENGER_PAGE_TOKEN": PAGE_TOKENS[PAGE_ID],
            "FAKE_MESSENGER_PAGE_TOKEN_2": PAGE_TOKENS[SECOND_PAGE_ID],
        }

    def human_message(self, user: str, text: str) -> Event:
        """The echo of what a person of the business types in the Page inbox."""
        return self.echo_of(user, {"app_id": INBOX_APP_ID, "text": text})

    def body_of_pages(self, pages: Mapping[str, list[Event]], *, container: str = "messaging") -> bytes:
        """One entry per page; several pages of one app arrive on one URL."""
        return self.body_of_accounts(pages, container=container)

    def handle(self, request: Request, call: Call) -> Answer:
        about_app = self.app.answer(request)
        if about_app is not None:
            return about_app
        if request.method == "GET" and request.path.endswith("/me"):
            return self._me(request)
        upload = UPLOAD_PATH.fullmatch(request.path)
        path = SEND_PATH.fullmatch(request.path) or upload
        if path is None or request.method != "POST":
            return graph_error(f"Unknown path components: {request.path}", code=2500)
        token = bearer(dict(request.headers), dict(request.query))
        page = next((page for page, own in PAGE_TOKENS.items() if own == token), None)
        if page is None:
            return graph_error(f"Malformed access token {token}", code=190)
        if path.group(1) not in (page, "me"):
            return graph_error("(#10) This page is not yours", code=10)
        if self.is_over_rate():
            return self.refuse(Fault("rate"), call)
        try:
            if upload:
                return self.attachments.take(request, page, str(18 * 10**14 + self.next_number()))
            check(request.body)
            self.attachments.check(request.body, page)
        except Refused as refused:
            return refused.answer
        if self.is_window_closed(request.body, call["user"]):
            return graph_error("(#10) This message is sent outside of allowed window.", code=10, subcode=2018278)
        return self.taken(request.body, call)

    def _me(self, request: Request) -> Answer:
        token = bearer(dict(request.headers), dict(request.query))
        page = next((page for page, own in PAGE_TOKENS.items() if own == token), None)
        if page is None:
            return graph_error(f"Malformed access token {token}", code=190)
        return Answer(200, {"id": page, "name": "Fake Page"})

    def profile_of(self, name: str) -> dict[str, Any]:
        picture = "https://cdn.example.com/face.jpg"
        return {"name": f"{name} Fake", "first_name": name, "profile_pic": picture, "locale": "th_TH", "timezone": 7}

    def sender_of(self, call: Call) -> str:
        page = (SEND_PATH.fullmatch(call["path"]) or [PAGE_ID, PAGE_ID])[1]
        return PAGE_ID if page == "me" else str(page)

    def echoed(self, body: dict[str, Any]) -> dict[str, Any]:
        return echoed(body)

    def texts_of(self, body: dict[str, Any]) -> list[str]:
        return texts_of(body)

    def reports(self, echo: Event) -> list[Event]:
        """Delivered, then read: both name a watermark."""
        page, user = echo["sender"], echo["recipient"]
        watermark, mid = echo["timestamp"], echo["message"]["mid"]
        delivered = {"sender": user, "recipient": page, "delivery": {"mids": [mid], "watermark": watermark}}
        read = {"sender": user, "recipient": page, "timestamp": self.now_ms(), "read": {"watermark": watermark}}
        return [delivered, read]
