"""WhatsApp's business account and its numbers: where webhooks go, quality, and message templates.

Sources: WhatsApp Business Platform "Webhooks: overrides", "Business phone numbers", "Message templates".
"""

import re
from collections.abc import Callable
from typing import Any

from tests.fakes.meta import bearer, graph_error
from tests.fakes.meta_app import MetaApp
from tests.fakes.whatsapp_rules import cloud_error
from tests.fakes.wire import Answer, Request

PATH = re.compile(r"/v\d+\.\d+/(?P<node>\d+)(?:/(?P<edge>subscribed_apps|message_templates))?")
PARAMETER = re.compile(r"\{\{(\d+)\}\}")
NAME = re.compile(r"[a-z0-9_]{1,512}")
CATEGORIES = {"AUTHENTICATION", "MARKETING", "UTILITY"}
BODY_MAX, HEADER_MAX = 1024, 60
PAGE_SIZE = 25


class BusinessAccount:
    """One account with its numbers. ``numbers`` maps ids to what is known of them; ``templates`` are in the form of the
    API; ``overrides`` maps nodes to the address that they override the app's with."""

    def __init__(
        self,
        id: str,
        app: MetaApp,
        *,
        numbers: dict[str, str],
        token: str,
        delivers_to: Callable[[], str] = lambda: "",
    ) -> None:
        self._delivers_to = delivers_to
        self.id, self.app, self.token = id, app, token
        self.numbers: dict[str, dict[str, Any]] = {
            number: {"display_phone_number": shown, "verified_name": "Fake Shop", "quality_rating": "GREEN"}
            | {"status": "CONNECTED", "platform_type": "CLOUD_API", "throughput": {"level": "STANDARD"}}
            for number, shown in numbers.items()
        }
        self.is_subscribed = False
        self.overrides: dict[str, str] = {}
        self.verify_tokens: dict[str, str] = {}
        self.templates: list[dict[str, Any]] = []
        self._made = 0

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request of this kind, None for any other."""
        path = PATH.fullmatch(request.path)
        if path is None:
            return None
        node, edge = path["node"], path["edge"]
        token = bearer(dict(request.headers), dict(request.query))
        if token != self.token:
            return cloud_error(190, f"Malformed access token {token}")
        if edge is None and node in self.numbers:
            return self._number(node) if request.method == "GET" else self._override(node, request)
        if node != self.id or edge is None:
            return cloud_error(100, "Unsupported get request. Object does not exist", subcode=33)
        if edge == "subscribed_apps":
            return self._subscriptions() if request.method == "GET" else self._subscribe(request)
        return self._list(request) if request.method == "GET" else self._create(request)

    # Webhooks.

    def _number(self, node: str) -> Answer:
        hooks = {
            "phone_number": self.overrides.get(node),
            "whatsapp_business_account": self.overrides.get(self.id),
            "application": self.app.webhooks.get("whatsapp_business_account", {}).get("callback_url")
            # The fake delivers to a webhook that nobody has registered.
            or self._delivers_to(),
        }
        hooks = {name: url for name, url in hooks.items() if url}
        return Answer(200, {"id": node, **self.numbers[node], "webhook_configuration": hooks})

    def _override(self, node: str, request: Request) -> Answer:
        hook = (request.body or {}).get("webhook_configuration") or {}
        return self._set_override(node, hook) or Answer(200, {"success": True})

    def _subscriptions(self) -> Answer:
        entry: dict[str, Any] = {
            "whatsapp_business_api_data": {"id": self.app.id, "link": "https://www.example.com", "name": "Fake"}
        }
        if self.id in self.overrides:
            entry["override_callback_uri"] = self.overrides[self.id]
        return Answer(200, {"data": [entry] if self.is_subscribed or self._delivers_to() else []})

    def _subscribe(self, request: Request) -> Answer:
        body = request.body or {}
        if not body:
            # An empty body removes the override.
            self.overrides.pop(self.id, None)
        refused = self._set_override(self.id, body) if body else None
        if refused is None:
            self.is_subscribed = True
        return refused or Answer(200, {"success": True})

    def _set_override(self, node: str, hook: dict[str, Any]) -> Answer | None:
        url = str(hook.get("override_callback_uri", ""))
        if not url.startswith("https://") or not hook.get("verify_token"):
            return cloud_error(100, "override_callback_uri and verify_token are required")
        if not self.app.callback_answers:
            return graph_error("(#2200) Callback verification failed: HTTP Status Code = 403", code=2200)
        self.overrides[node], self.verify_tokens[node] = url, str(hook["verify_token"])
        return None

    # Templates.

    def add_template(self, name: str, language: str, status: str = "APPROVED", **members: Any) -> dict[str, Any]:
        """A template as a person would have made it in the console."""
        self._made += 1
        body = {"type": "BODY", "text": "Hello {{1}}", "example": {"body_text": [["Ana"]]}}
        template: dict[str, Any] = {
            "id": str(500000000000000 + self._made),
            "name": name,
            "language": language,
            "status": status,
        }
        template |= {"category": "UTILITY", "components": [body], "quality_score": {"score": "UNKNOWN"}, **members}
        self.templates.append(template)
        return template

    def _list(self, request: Request) -> Answer:
        found = [one for one in self.templates if request.query.get("name", "") in one["name"]]
        start, size = int(request.query.get("after", 0)), min(int(request.query.get("limit", PAGE_SIZE)), PAGE_SIZE)
        end = start + size
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(found):
            paging["next"] = "https://graph.facebook.com/next"
        return Answer(200, {"data": found[start:end], "paging": paging})

    def _create(self, request: Request) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        problem = _problem_of(body)
        if problem:
            return cloud_error(100, problem, subcode=2388299)
        if any(one["name"] == body["name"] and one["language"] == body["language"] for one in self.templates):
            return cloud_error(100, "There is already content in this language for this template", subcode=2388024)
        members = {"category": body["category"], "components": body["components"]}
        made = self.add_template(body["name"], body["language"], "PENDING", **members)
        return Answer(200, {"id": made["id"], "status": "PENDING", "category": body["category"]})


def _problem_of(body: dict[str, Any]) -> str:
    if not NAME.fullmatch(str(body.get("name", ""))):
        return "name: only lower-case letters, digits and underscores"
    if body.get("category") not in CATEGORIES:
        return "category must be one of AUTHENTICATION, MARKETING, UTILITY"
    if not body.get("language"):
        return "language is required"
    parts = {part.get("type"): part for part in body.get("components", [])}
    text = str(parts.get("BODY", {}).get("text", ""))
    if not 0 < len(text) <= BODY_MAX:
        return f"body: 1 to {BODY_MAX} characters"
    if len(str(parts.get("HEADER", {}).get("text", ""))) > HEADER_MAX:
        return f"header: at most {HEADER_MAX} characters"
    numbers = sorted({int(number) for number in PARAMETER.findall(text)})
    if numbers != list(range(1, len(numbers) + 1)):
        return "body: parameters must be numbered from 1 without gaps"
    examples = parts["BODY"].get("example", {}).get("body_text", [[]])
    return "body: an example for every parameter is required" if len(examples[0]) != len(numbers) else ""
