"""Telegram's webhook settings: ``setWebhook``, ``deleteWebhook`` and what ``getWebhookInfo`` tells of them.

Source: "Telegram Bot API" 10.3, section "Getting updates".
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.telegram_rules import bad

PORTS = {443, 80, 88, 8443}
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Webhook:
    """``url`` is empty until one is set; ``last_error`` is (Unix seconds, message), as after failed deliveries."""

    def __init__(self, delivers_to: Callable[[], str]) -> None:
        self._delivers_to = delivers_to
        self._url = ""
        self.secret_token = ""
        self.allowed_updates: list[str] | None = None
        self.pending = 0
        self.last_error: tuple[int, str] | None = None
        self.methods: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "setWebhook": self._set,
            "deleteWebhook": self._delete,
            "getWebhookInfo": self._info,
        }

    @property
    def url(self) -> str:
        """What was set, else where the fake delivers to anyway."""
        return self._url or self._delivers_to()

    @url.setter
    def url(self, value: str) -> None:
        self._url = value

    def _set(self, body: Mapping[str, Any]) -> bool:
        url = str(body.get("url", ""))
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if (parts.port or 443) not in PORTS:
            raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        secret = str(body.get("secret_token", ""))
        if secret and not SECRET.fullmatch(secret):
            raise bad("bad webhook: secret token contains unallowed characters")
        self.url, self.secret_token = url, secret
        if "allowed_updates" in body:
            # An omitted list keeps the previous one; an empty one asks for the default.
            self.allowed_updates = list(body["allowed_updates"]) or None
        return True

    def _delete(self, _body: Mapping[str, Any]) -> bool:
        self.url = self.secret_token = ""
        return True

    def _info(self, _body: Mapping[str, Any]) -> dict[str, Any]:
        info: dict[str, Any] = {"url": self.url, "has_custom_certificate": False, "pending_update_count": self.pending}
        if self.url:
            info |= {"max_connections": 40, "ip_address": "192.0.2.10"}
        if self.allowed_updates is not None:
            info["allowed_updates"] = self.allowed_updates
        if self.last_error is not None:
            info["last_error_date"], info["last_error_message"] = self.last_error
        return info
