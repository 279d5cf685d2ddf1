"""A Meta app as the Graph API shows it: token introspection, the app's webhooks, the accounts subscribed to it.

Sources: Graph API "Debug Token", "Application: subscriptions", "Page: subscribed_apps"; "Webhooks: Getting Started".
"""

import re
from collections.abc import Callable
from typing import Any

from tests.fakes.meta import bearer, graph_error
from tests.fakes.wire import Answer, Request

PATH = re.compile(r"/v\d+\.\d+/(?P<node>[\w.]+)(?:/(?P<edge>subscriptions|subscribed_apps))?")


class MetaApp:
    """``tokens`` maps each account (node) to its token, ``fields`` names what may be subscribed to. Switches:
    ``callback_answers`` False: the URL check fails; ``expires_at``, ``scopes`` and ``is_valid`` of every token."""

    def __init__(
        self,
        id: str,
        secret: str,
        *,
        tokens: dict[str, str],
        fields: set[str],
        object: str,
        delivers_to: Callable[[], str] = lambda: "",
    ) -> None:
        self.id, self.secret = id, secret
        self.object = object
        self._delivers_to = delivers_to
        self.tokens = tokens
        self.fields = fields
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.verify_tokens: dict[str, str] = {}
        self.subscribed: dict[str, dict[str, Any]] = {}
        self.callback_answers = True
        self.is_valid = True
        self.expires_at = 0
        self.scopes: list[str] = []

    def answer(self, request: Request) -> Answer | None:
        """The answer to a request of this kind, None for any other."""
        path = PATH.fullmatch(request.path)
        if path is None:
            return None
        token = bearer(dict(request.headers), dict(request.query))
        node, edge = path["node"], path["edge"]
        if node == "debug_token" and edge is None:
            return self._debug(request) if self._is_app(token) else self._no_app()
        if edge == "subscriptions":
            if not self._is_app(token) or node != self.id:
                return self._no_app()
            return self._list() if request.method == "GET" else self._set(_fields(request))
        if edge == "subscribed_apps":
            if self.tokens.get(node) != token:
                return _no_token(token) if token not in self.tokens.values() else _no_object(node)
            return self._subscriptions(node) if request.method == "GET" else self._subscribe(node, _fields(request))
        return None

    def _is_app(self, token: str) -> bool:
        return token == f"{self.id}|{self.secret}"

    def _no_app(self) -> Answer:
        return graph_error("Invalid OAuth access token signature.", code=190)

    def _debug(self, request: Request) -> Answer:
        if request.query.get("input_token") not in self.tokens.values():
            return Answer(
                200, {"data": {"is_valid": False, "scopes": [], "error": {"code": 190, "message": "expired"}}}
            )
        data: dict[str, Any] = {"app_id": self.id, "type": "PAGE", "application": "Fake", "is_valid": self.is_valid}
        data |= {"expires_at": self.expires_at, "scopes": self.scopes}
        if not self.is_valid:
            data["error"] = {"code": 190, "message": "The session has been invalidated"}
        return Answer(200, {"data": data})

    def _list(self) -> Answer:
        found = list(self.webhooks.values())
        if not found and self._delivers_to():
            # The fake delivers to a webhook that nobody has registered.
            found = [self._hook(self.object, self._delivers_to(), sorted(self.fields))]
        return Answer(200, {"data": found})

    def _set(self, body: dict[str, Any]) -> Answer:
        names = [name for name in str(body.get("fields", "")).split(",") if name]
        wrong = [name for name in names if name not in self.fields]
        if wrong:
            return graph_error(f"(#100) Param fields must be one of the supported fields, not {wrong[0]}", code=100)
        if not str(body.get("callback_url", "")).startswith("https://"):
            return graph_error("(#2201) callback_url must be https", code=2201)
        if not self.callback_answers:
            return graph_error("(#2200) Callback verification failed: HTTP Status Code = 403", code=2200)
        self.verify_tokens[body["object"]] = body["verify_token"]
        self.webhooks[body["object"]] = self._hook(body["object"], body["callback_url"], names)
        return Answer(200, {"success": True})

    def _hook(self, object: str, url: str, names: list[str]) -> dict[str, Any]:
        fields = [{"name": name, "version": "v26.0"} for name in names]
        return {"object": object, "callback_url": url, "active": True, "fields": fields}

    def _subscriptions(self, node: str) -> Answer:
        if node not in self.subscribed and self._delivers_to():
            return Answer(200, {"data": [{"id": self.id, "subscribed_fields": sorted(self.fields)}]})
        return Answer(200, {"data": [self.subscribed[node]] if node in self.subscribed else []})

    def _subscribe(self, node: str, body: dict[str, Any]) -> Answer:
        names = [name for name in str(body.get("subscribed_fields", "")).split(",") if name]
        wrong = [name for name in names if name not in self.fields]
        if wrong or not names:
            return graph_error(f"(#100) Param subscribed_fields[0] must be one of them, not {wrong}", code=100)
        self.subscribed[node] = {"id": self.id, "name": "Fake", "subscribed_fields": names}
        return Answer(200, {"success": True})


def _fields(request: Request) -> dict[str, Any]:
    return request.body if isinstance(request.body, dict) else dict(request.query)


def _no_token(token: str) -> Answer:
    # Meta quotes a malformed token in full.
    return graph_error(f"Malformed access token {token}", code=190)


def _no_object(node: str) -> Answer:
    text = f"Unsupported get request. Object with ID '{node}' does not exist or cannot be loaded due to permissions"
    return graph_error(text, code=100, subcode=33)
