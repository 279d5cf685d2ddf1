"""LINE's account settings: bot info, webhook endpoint with its delivery test, and the month's quota.

Source: LINE Developers, "Messaging API reference": Webhook settings, Bot, Quota.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.wire import Answer, Request

TEST_OK = {"success": True, "statusCode": 200, "reason": "OK", "detail": "200"}


class Account:
    """``endpoint`` is empty until one is set, unless the fake delivers to one anyway. ``test`` is the answer of the
    delivery test; ``used`` counts pushed messages."""

    def __init__(self, bot_user_id: str, delivers_to: Callable[[], str]) -> None:
        self.bot_user_id = bot_user_id
        self._delivers_to = delivers_to
        self._given = ""
        self.is_active = True
        self.test: dict[str, Any] = dict(TEST_OK)
        self.chat_mode = "bot"
        self.quota: Callable[[], int | None] = lambda: None
        self.used: Callable[[], int] = lambda: 0
        self.routes: Mapping[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "/v2/bot/info"): self._info,
            ("GET", "/v2/bot/channel/webhook/endpoint"): self._endpoint,
            ("PUT", "/v2/bot/channel/webhook/endpoint"): self._set_endpoint,
            ("POST", "/v2/bot/channel/webhook/test"): self._test,
            ("GET", "/v2/bot/message/quota"): self._quota,
            ("GET", "/v2/bot/message/quota/consumption"): lambda _: Answer(200, {"totalUsage": self.used()}),
        }

    @property
    def endpoint(self) -> str:
        """What was set, else where the fake delivers to."""
        return self._given or self._delivers_to()

    @endpoint.setter
    def endpoint(self, value: str) -> None:
        self._given = value

    def _info(self, _request: Request) -> Answer:
        named = {"userId": self.bot_user_id, "basicId": "@000fake", "displayName": "Fake Shop"}
        return Answer(200, {**named, "chatMode": self.chat_mode, "markAsReadMode": "auto"})

    def _endpoint(self, _request: Request) -> Answer:
        if not self.endpoint:
            return Answer(404, {"message": "Webhook endpoint not found"})
        return Answer(200, {"endpoint": self.endpoint, "active": self.is_active})

    def _set_endpoint(self, request: Request) -> Answer:
        endpoint = request.body.get("endpoint") if isinstance(request.body, dict) else None
        if not isinstance(endpoint, str) or not endpoint.startswith("https://") or len(endpoint) > 500:
            return Answer(400, {"message": "Invalid webhook endpoint URL"})
        self.endpoint = endpoint
        return Answer(200, {})

    def _test(self, _request: Request) -> Answer:
        if not self.endpoint:
            return Answer(400, {"message": "Webhook endpoint not found"})
        return Answer(200, {**self.test, "timestamp": "2026-11-24T10:00:00.000Z"})

    def _quota(self, _request: Request) -> Answer:
        limit = self.quota()
        return Answer(200, {"type": "none"} if limit is None else {"type": "limited", "value": limit})
