"""What other people's libraries make of our requests. Runs in an environment of its own, ``.venv-models``.

Reads one JSON object from stdin, writes one to stdout. ``line`` and ``telegram``: [name of the call, body] → the body
as line-bot-sdk and aiogram dump it again after they have parsed it. ``whatsapp`` and ``wechat``: [name of a method of
pywa's or wechatpy's client, its arguments] → the body that the library posts for it to a stub on this machine; an
object with a ``$type`` is an instance of that class of ``pywa.types``. What a library refuses is ``{"refused": why}``.
"""

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pywa
import pywa.types
from aiogram import methods
from linebot.v3.messaging import models
from pydantic import BaseModel
from wechatpy import WeChatClient

LINE_BODIES = {"reply": models.ReplyMessageRequest, "push": models.PushMessageRequest}
LINE_BODIES |= {
    "loading/start": models.ShowLoadingAnimationRequest,
    "markAsRead": models.MarkMessagesAsReadByTokenRequest,
}


def line(name: str, body: Any) -> Any:
    """The body as line-bot-sdk gives it back."""
    return LINE_BODIES[name].from_dict(body).to_dict()


def telegram(name: str, body: Any) -> Any:
    """The body as aiogram gives it back; fields that its classes do not know are refused."""
    method = getattr(methods, name[0].upper() + name[1:]).model_validate(body)
    _require_known(method, name)
    return method.model_dump(mode="json", exclude_unset=True, by_alias=True)


def _require_known(value: Any, where: str) -> None:
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise ValueError(f"{where}: unknown {sorted(value.model_extra)}")
        for name in value.model_fields_set:
            _require_known(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _require_known(item, f"{where}[{number}]")


class Stub(BaseHTTPRequestHandler):
    """Takes any POST and says that it went well."""

    bodies: list[Any] = []  # noqa: RUF012 - one server, one list

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        sent = {
            "messaging_product": "whatsapp",
            "messages": [{"id": "wamid.1"}],
            "contacts": [{"input": "1", "wa_id": "1"}],
        }
        answer = json.dumps({**sent, "success": True, "errcode": 0, "errmsg": "ok"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class ToStub(httpx.HTTPTransport):  # type: ignore[misc]
    """Sends what is meant for the Graph API to the stub."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return super().handle_request(request)


def driver(client: Any) -> Callable[[str, Any], Any]:
    """Calls a method of a client and returns what reached the stub."""

    def drive(name: str, arguments: Any) -> Any:
        Stub.bodies.clear()
        method = client
        for part in name.split("."):
            method = getattr(method, part)
        method(**_built(arguments))
        (body,) = Stub.bodies
        return body

    return drive


def _built(value: Any) -> Any:
    if isinstance(value, list):
        return [_built(item) for item in value]
    if isinstance(value, dict):
        members = {name: _built(item) for name, item in value.items() if name != "$type"}
        if "$type" not in value:
            return members
        kind: Any = pywa.types
        for part in value["$type"].split("."):
            kind = getattr(kind, part)
        return kind(**members)
    return value


def main() -> None:
    """Answer every question; a question that a library chokes on costs only its own answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    wechat = WeChatClient("app", "secret", access_token="token")
    wechat.API_BASE_URL = f"http://127.0.0.1:{port}/cgi-bin/"
    whatsapp = pywa.WhatsApp(phone_id="300000000000001", token="token", session=httpx.Client(transport=ToStub(port)))
    judges = {"line": line, "telegram": telegram, "whatsapp": driver(whatsapp), "wechat": driver(wechat)}
    answers: dict[str, list[Any]] = {}
    for platform, questions in json.load(sys.stdin).items():
        answers[platform] = [_asked(judges[platform], *question) for question in questions]
    json.dump(answers, sys.stdout)


def _asked(judge: Callable[[str, Any], Any], name: str, given: Any) -> Any:
    try:
        return judge(name, given)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is its verdict
        return {"refused": f"{type(error).__name__}: {error}"[:600]}


if __name__ == "__main__":
    main()
