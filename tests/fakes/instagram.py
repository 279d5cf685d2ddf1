"""Instagram Direct as an HTTP server: two accounts, one by Instagram login, one through its page; windows and echoes.

There are no delivery reports, and a read report names one message and no watermark. Written from Instagram Platform
"Send messages", "Webhook notification examples" and "Instagram Messaging overview".
"""

from typing import Any, ClassVar

from tests.fakes.faults import Fault
from tests.fakes.instagram_rules import check
from tests.fakes.messenger_rules import Refused
from tests.fakes.messenger_views import echoed, texts_of
from tests.fakes.meta import bearer, graph_error
from tests.fakes.meta_app import MetaApp
from tests.fakes.meta_messaging import SEND_PATH, Errors, FakeMessaging
from tests.fakes.wire import Answer, Call, Event, Request

ACCOUNT_ID = "17841400000000001"
"""Logged in with Instagram: no page, its own user token."""
PAGE_ACCOUNT_ID = "17841400000000002"
"""Linked to a page, whose token and id send for it."""
PAGE_ID = "100000000000003"

APP_ID = "900000000000011"
FIELDS = {
    "messages",
    "messaging_postbacks",
    "message_reactions",
    "messaging_seen",
    "messaging_referral",
    "message_edit",
}
"""Fields that may be subscribed to; others are not offered to this app."""

TOKENS = {ACCOUNT_ID: "IGAAfake-instagram-user-token", PAGE_ACCOUNT_ID: "EAAfake-instagram-page-token"}
SENDERS = {ACCOUNT_ID: ACCOUNT_ID, PAGE_ACCOUNT_ID: PAGE_ID}
"""The id that stands in the path, by account."""


class FakeInstagram(FakeMessaging):
    """See the module. ``echoes_marks`` False: an echo does not tell what we sent along with the message."""

    name: ClassVar[str] = "instagram"
    webhook_object = "instagram"
    app_secret = "fake-instagram-app-secret"
    verify_token = "fake-instagram-verify-token"
    accounts = tuple(TOKENS)
    tokens = tuple(TOKENS.values())
    first_user = 8 * 10**15
    calls_per_s = 100
    echoes_marks: bool = True
    errors: ClassVar[Errors] = {
        "rate": ("(#613) Calls to this api have exceeded the rate limit.", 613, 2534040, 400),
        "error": ("An unexpected error has occurred. Please retry your request later.", 2, None, 500),
        "permanent": ("(#100) Invalid parameter", 100, None, 400),
        "blocked": ("(#100) The user has blocked this account or messages sent by an app.", 100, 2534029, 400),
        "token": ("Error validating access token: Session has expired.", 190, 463, 400),
    }

    def reset(self) -> None:
        super().reset()
        tokens = {SENDERS[account]: token for account, token in TOKENS.items()}
        self.app = MetaApp(
            APP_ID,
            self.app_secret,
            tokens=tokens,
            fields=FIELDS,
            object="instagram",
            delivers_to=lambda: self.webhook_url,
        )
        self.app.scopes = ["instagram_basic", "instagram_manage_messages", "pages_manage_metadata"]
        self.is_linked = True

    def channel_table(self, id: str, *, account: str = ACCOUNT_ID) -> dict[str, Any]:
        is_paged = account == PAGE_ACCOUNT_ID
        return {
            "id": id,
            "platform": self.name,
            "instagram_id": account,
            "app_id": APP_ID,
            **({"page_id": PAGE_ID} if is_paged else {}),
            "app_secret": "env:FAKE_INSTAGRAM_APP_SECRET",
            "verify_token": "env:FAKE_INSTAGRAM_VERIFY_TOKEN",
            "access_token": f"env:FAKE_INSTAGRAM_{'PAGE' if is_paged else 'ACCESS'}_TOKEN",
            "api_base": self.base_url,
        }

    def environment(self) -> dict[str, str]:
        return {
            "FAKE_INSTAGRAM_APP_SECRET": self.app_secret,
            "FAKE_INSTAGRAM_VERIFY_TOKEN": self.verify_token,
            "FAKE_INSTAGRAM_ACCESS_TOKEN": TOKENS[ACCOUNT_ID],
            "FAKE_INSTAGRAM_PAGE_TOKEN": TOKENS[PAGE_ACCOUNT_ID],
        }

    # What people do.

    def human_message(self, user: str, text: str) -> Event:
        """The echo of what a person of the business types in Instagram's app."""
        return self.echo_of(user, {"text": text})

    def user_unsend(self, user: str, mid: str) -> Event:
        """This user takes a message back; the event has the message's own id."""
        return self.item_of(user, "message", {"mid": mid, "is_deleted": True})

    def user_story_reply(self, user: str, text: str) -> Event:
        """This user answers a story of the account."""
        story = {"url": "https://cdn.example.com/story", "id": "18000000000000001"}
        return self.user_message(user, text, reply_to={"story": story})

    def profile_of(self, name: str) -> dict[str, Any]:
        return {
            "name": None,
            "username": f"{name}.fake",
            "profile_pic": "https://cdn.example.com/face.jpg",
            "follower_count": 12,
            "is_user_follow_business": True,
            "is_business_follow_user": False,
            "is_verified_user": False,
        }

    # Send API.

    def handle(self, request: Request, call: Call) -> Answer:
        about_app = self.app.answer(request)
        if about_app is not None:
            return about_app
        if request.method == "GET":
            return self._node(request)
        path = SEND_PATH.fullmatch(request.path)
        if path is None or request.method != "POST":
            return graph_error(f"Unknown path components: {request.path}", code=2500)
        token = bearer(dict(request.headers), dict(request.query))
        account = next((account for account, own in TOKENS.items() if own == token), None)
        if account is None:
            return graph_error(f"Malformed access token {token}", code=190)
        if path.group(1) not in (SENDERS[account], "me"):
            return graph_error("(#10) Application does not have permission for this action", code=10, status=403)
        if self.is_over_rate():
            return self.refuse(Fault("rate"), call)
        try:
            check(request.body, needs_type=account == PAGE_ACCOUNT_ID)
        except Refused as refused:
            return refused.answer
        if self.is_window_closed(request.body, call["user"]):
            return graph_error("(#10) This message is sent outside of allowed window.", code=10, subcode=2534022)
        return self.taken(request.body, call)

    def _node(self, request: Request) -> Answer:
        """An account by its own token, or a page with the account that is linked to it."""
        token = bearer(dict(request.headers), dict(request.query))
        account = next((account for account, own in TOKENS.items() if own == token), None)
        node = request.path.rpartition("/")[2]
        if account is None:
            return graph_error(f"Malformed access token {token}", code=190)
        if node == "me" and account == ACCOUNT_ID:
            # The id is an app-scoped number that no webhook carries.
            return Answer(200, {"user_id": account, "username": "fake.shop", "id": "7000000000000042"})
        if node != SENDERS[account]:
            return graph_error("Unsupported get request. Object does not exist", code=100, subcode=33)
        linked = {"instagram_business_account": {"id": account}} if self.is_linked else {}
        return Answer(200, {"id": node, "name": "Fake Page", **linked})

    def sender_of(self, call: Call) -> str:
        path = SEND_PATH.fullmatch(call["path"])
        return PAGE_ACCOUNT_ID if path is not None and path.group(1) == PAGE_ID else ACCOUNT_ID

    def texts_of(self, body: dict[str, Any]) -> list[str]:
        message = body.get("message")
        if isinstance(message, dict) and isinstance(message.get("attachments"), list):
            return [text for one in message["attachments"] for text in texts_of({"message": {"attachment": one}})]
        return texts_of(body)

    def echoed(self, body: dict[str, Any]) -> dict[str, Any]:
        message = {name: value for name, value in echoed(body).items() if name not in {"app_id", "metadata"}}
        if "attachments" in body["message"]:
            message["attachments"] = body["message"]["attachments"]
        if self.echoes_marks and "metadata" in body["message"]:
            message["metadata"] = body["message"]["metadata"]
        return message

    def reports(self, echo: Event) -> list[Event]:
        """Read, by the message's id."""
        account, user, mid = echo["sender"], echo["recipient"], echo["message"]["mid"]
        return [{"sender": user, "recipient": account, "timestamp": self.now_ms(), "read": {"mid": mid}}]
