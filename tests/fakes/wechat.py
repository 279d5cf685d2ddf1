"""A WeChat Official Account as a server: stable tokens, windows, limits; webhooks in all three modes of the console.

``mode``: "aes" (secure), "plain", or "compatible" (both forms in one body). An event is a dict of XML members.
"""

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, Literal
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.fakes.base import FakePlatform
from tests.fakes.faults import Fault
from tests.fakes.wechat_lookups import OPEN_PATH, look_up
from tests.fakes.wechat_rules import (
    OPENID,
    Refused,
    Tokens,
    Windows,
    check_message,
    check_typing,
    check_upload,
    visible_texts,
)
from tests.fakes.wire import Answer, Call, Event, Request

APP_ID = "wxfake0000000000a1"
APP_SECRET = "fake-wechat-app-secret-0123456789"
TOKEN = "fakeWeChatToken"
ENCODING_AES_KEY = base64.b64encode(hashlib.sha256(b"fake wechat").digest()).decode().rstrip("=")
ORIGINAL_ID = "gh_example0001"

TOKEN_PATH = "/cgi-bin/stable_token"
DOMAIN_PATH = "/cgi-bin/get_api_domain_ip"
SEND_PATH = "/cgi-bin/message/custom/send"
TEMPLATE_PATH = "/cgi-bin/message/template/send"
TYPING_PATH = "/cgi-bin/message/custom/typing"
UPLOAD_PATH = "/cgi-bin/media/upload"
ACTIONS = {"CLICK", "SCAN", "subscribe", "scancode_push", "scancode_waitmsg"}
LATE_S = 0.3

CODES = {"rate": 45011, "error": -1, "permanent": 45002, "blocked": 43004, "token": 40001}
"""errcode by fault; the option ``code`` replaces it, and ``status`` of an ``error`` makes it a gateway's."""


class FakeWeChat(FakePlatform):
    """One account. ``tokens`` and ``windows`` are its rules, ``templates`` the ids of its message templates."""

    name: ClassVar[str] = "wechat"
    redeliveries: ClassVar[int] = 2
    mode: Literal["aes", "plain", "compatible"] = "aes"
    templates: ClassVar[set[str]] = {"TEMPLATE_FAKE_1"}

    def reset(self) -> None:
        """Also forgets menus and windows; the access token goes on."""
        super().reset()
        self.windows = Windows(lambda: self.clock())
        self.tokens: Tokens = getattr(self, "tokens", Tokens(lambda: self.clock(), self.seed))
        self.menus: dict[str, dict[str, str]] = {}
        self.uploads: dict[str, str] = {}
        self.uploaded_bytes: list[bytes] = []

    def channel_table(self, id: str) -> dict[str, Any]:
        """The channel, with this server in place of api.weixin.qq.com."""
        table = {
            "id": id,
            "platform": self.name,
            "app_id": APP_ID,
            "app_secret": "env:FAKE_WECHAT_APP_SECRET",
            "token": "env:FAKE_WECHAT_TOKEN",
            "original_id": ORIGINAL_ID,
            "api_base": self.base_url,
        }
        return table if self.mode == "plain" else table | {"encoding_aes_key": "env:FAKE_WECHAT_ENCODING_AES_KEY"}

    def environment(self) -> dict[str, str]:
        """All secrets, whatever the mode."""
        return {
            "FAKE_WECHAT_APP_SECRET": APP_SECRET,
            "FAKE_WECHAT_TOKEN": TOKEN,
            "FAKE_WECHAT_ENCODING_AES_KEY": ENCODING_AES_KEY,
        }

    # Webhooks.

    def native_user(self, name: str) -> str:
        """An OpenID: 28 characters, the same for the same name in every run."""
        if OPENID.fullmatch(name):
            return name
        return "o" + base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()[:27]

    def message(self, user: str, kind: str, **members: Any) -> Event:
        """Any message of a follower, with a new MsgId."""
        self.windows.wrote(user)
        # Seeds of separate runs lie far apart, so that a second run repeats no number of the first.
        return {**self._head(user, kind), **members, "MsgId": self.seed * 1_000_000 + self.next_number()}

    def event(self, user: str, name: str, **members: Any) -> Event:
        """Any event; it has no id of its own."""
        if name in ACTIONS:
            self.windows.acted(user)
        return {**self._head(user, "event"), "Event": name, **members}

    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """``extra`` are further members, or others in place of the text's."""
        return self.message(user, "text", **{"Content": text, **extra})

    def user_choice(self, user: str, data: str) -> Event:
        """A tap on a line of the menu message that the user has, else on the account's own menu."""
        label = self.menus.get(user, {}).get(data)
        if label is not None:
            return self.user_message(user, label, bizmsgmenuid=data)
        return self.event(user, "CLICK", EventKey=data)

    def _head(self, user: str, kind: str) -> Event:
        return {
            "ToUserName": ORIGINAL_ID,
            "FromUserName": self.known_user(user),
            "CreateTime": int(self.clock()),
            "MsgType": kind,
        }

    def body(self, events: list[Event]) -> bytes:
        """The one event in the form of the mode; raises ValueError for several."""
        if len(events) != 1:
            raise ValueError("WeChat sends one message per POST")
        if self.mode == "plain":
            return _xml(events[0]).encode()
        sealed = sealed_text(_xml(events[0]).encode())
        beside = events[0] if self.mode == "compatible" else {"ToUserName": ORIGINAL_ID}
        return _xml({**beside, "Encrypt": sealed}).encode()

    async def deliver_events(self, events: list[Event], *, redeliver: bool = True) -> int:
        """One POST each, in order; the last status."""
        status = 0
        for event in events:
            status = await super().deliver_events([event], redeliver=redeliver)
        return status

    def headers(self, body: bytes) -> dict[str, str]:
        """The proof is in the query."""
        return {"Content-Type": "text/xml"}

    def query(self, body: bytes) -> dict[str, str]:
        """What proves a POST: the plain signature always, the one over the encrypted text where there is one."""
        timestamp, nonce = str(int(self.clock())), str(secrets.randbelow(10**9))
        query = {"signature": sha1(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        sealed = ElementTree.fromstring(body).findtext("Encrypt") if b"<Encrypt>" in body else None
        if sealed is None:
            return query
        return query | {"encrypt_type": "aes", "msg_signature": sha1(TOKEN, timestamp, nonce, sealed)}

    def taken_for(self, status: int, answer: str) -> int:
        """A 200 with anything but ``success``, nothing or XML is none: the POST comes again."""
        is_good = answer in ("success", "") or answer.startswith("<xml>")
        return 0 if status == 200 and not is_good else status

    def native_id(self, event: Event) -> str:
        """MsgId, or what stands for it."""
        if "MsgId" in event:
            return str(event["MsgId"])
        names = ("FromUserName", "CreateTime", "Event", "EventKey")
        return ":".join(str(event.get(name, "")) for name in names)

    async def check_url(self, *, token: str = TOKEN) -> bool:
        """What saving the address in the console does: True when the bare echostr came back with 200."""
        assert self._client is not None, "start() the fake first"
        echo, nonce, timestamp = str(secrets.randbelow(10**18)), "7", str(int(self.clock()))
        query = {"signature": sha1(token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        async with self._client.get(self.webhook_url, params=query) as answer:
            return answer.status == 200 and await answer.text() == echo

    # Media and followers.

    def user_media(self, user: str, data: bytes, *, kind: str = "image", mime_type: str = "image/jpeg") -> Event:
        """Pictures come with an open link beside their id, the others with the id alone."""
        media_id = f"fakeMedia{self.seed}_{self.next_number()}"
        self.shelf.put(media_id, data, mime_type)
        link = {"PicUrl": f"{self.base_url}{OPEN_PATH}{self.shelf.link(media_id)}"} if kind == "image" else {}
        more = {"voice": {"Format": "amr"}, "video": {"ThumbMediaId": "fakeThumb"}}.get(kind, {})
        return self.message(user, kind, MediaId=media_id, **link, **more)

    def look_up(self, request: Request) -> Answer | None:
        return look_up(request, self.shelf, self.tokens, self._names, base=self.base_url)

    # The API.

    def describe(self, request: Request, call: Call) -> bool:
        """Visible are both kinds of messages."""
        body = _parsed(request)
        call["user"] = self.name_of(str(body.get("touser", "")))
        if request.path == SEND_PATH:
            call["texts"] = visible_texts(body)
            return True
        if request.path == TEMPLATE_PATH:
            data = body.get("data")
            values = [str(item.get("value")) for item in data.values()] if isinstance(data, dict) else []
            call["texts"] = [" ".join(values)]
            return True
        return False

    def handle(self, request: Request, call: Call) -> Answer:
        """Token, then the body, then the window; HTTP 200 whatever comes of it."""
        try:
            return Answer(200, self._carry_out(request, call))
        except Refused as refused:
            return Answer(200, refused.body)

    def _carry_out(self, request: Request, call: Call) -> dict[str, Any]:
        if (request.method, request.path) == ("GET", DOMAIN_PATH):
            self.tokens.check(request.query.get("access_token"))
            return {"ip_list": ["192.0.2.20"]}
        known = (TOKEN_PATH, SEND_PATH, TEMPLATE_PATH, TYPING_PATH, UPLOAD_PATH)
        if request.method != "POST" or request.path not in known:
            raise Refused(40066)
        if request.path == UPLOAD_PATH:
            return self._upload(request)
        body = _parsed(request)
        if request.path == TOKEN_PATH:
            return self._give_token(body)
        self.tokens.check(request.query.get("access_token"))
        if request.path == TEMPLATE_PATH:
            return self._send_template(body, call)
        if request.path == TYPING_PATH:
            check_typing(body)
            return {"errcode": 0, "errmsg": "ok"}
        check_message(body)
        self._check_upload(body)
        self.windows.spend(call["user"])
        if body["msgtype"] == "msgmenu":
            shown = {item["id"]: item["content"] for item in body["msgmenu"]["list"]}
            self.menus.setdefault(call["user"], {}).update(shown)
        # No id in the answer: a customer-service message has none.
        self.accept(call, [])
        return {"errcode": 0, "errmsg": "ok"}

    def _upload(self, request: Request) -> dict[str, Any]:
        """Temporary media, valid for three days."""
        self.tokens.check(request.query.get("access_token"))
        kind = check_upload(request.query.get("type", ""), request.raw)
        media_id = f"UPLOAD_{self.seed}_{self.next_number()}"
        self.uploads[media_id] = kind
        self.uploaded_bytes.append(request.raw)
        return {"type": kind, "media_id": media_id, "created_at": int(self.clock())}

    def _check_upload(self, body: Mapping[str, Any]) -> None:
        """An id of ours that has expired, or is of another kind; ids of elsewhere are believed."""
        content = body.get(str(body.get("msgtype")))
        media_id = content.get("media_id") if isinstance(content, Mapping) else None
        if str(media_id).startswith("UPLOAD_") and self.uploads.get(str(media_id)) != body["msgtype"]:
            raise Refused(40007)

    def _give_token(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body.get("appid") != APP_ID:
            raise Refused(40013)
        if body.get("secret") != APP_SECRET:
            raise Refused(40125)
        return self.tokens.give(is_forced=body.get("force_refresh") is True)

    def _send_template(self, body: Mapping[str, Any], call: Call) -> dict[str, Any]:
        if not OPENID.fullmatch(str(body.get("touser"))):
            raise Refused(40003)
        if body.get("template_id") not in self.templates:
            raise Refused(40037)
        number = self.seed * 1_000_000 + self.next_number()
        self.accept(call, [str(number)])
        return {"errcode": 0, "errmsg": "ok", "msgid": number}

    async def after_accept(self, call: Call) -> None:
        """What became of a template message is told later; of others nothing ever is."""
        if call["path"] == TEMPLATE_PATH and self.webhook_url:
            late = self.faults.take({"late_receipts"})
            wait_s = 0.0 if late is None else float(late.options.get("seconds", LATE_S))
            self.spawn(self._report(call["user"], call["ids"][0], wait_s))

    async def _report(self, user: str, number: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await self.deliver_events([self.event(user, "TEMPLATESENDJOBFINISH", MsgID=int(number), Status="success")])

    def refuse(self, fault: Fault, call: Call) -> Answer:
        """The code of the fault inside a 200; a ``token`` fault on the token's own address is a wrong secret."""
        if fault.kind == "error" and "status" in fault.options:
            return Answer(int(fault.options["status"]), None)
        code = 40125 if fault.kind == "token" and call["path"] == TOKEN_PATH else CODES[fault.kind]
        return Answer(200, Refused(int(fault.options.get("code", code))).body)


def sha1(*values: str) -> str:
    """WeChat's signature of some values."""
    return hashlib.sha1("".join(sorted(values)).encode()).hexdigest()


def sealed_text(plain: bytes, *, app_id: str = APP_ID, encoding_aes_key: str = ENCODING_AES_KEY) -> str:
    """A message of the secure mode: random bytes, length, text and AppID, padded to 32, AES-256-CBC, base64."""
    key = base64.b64decode(encoding_aes_key + "=")
    content = secrets.token_bytes(16) + len(plain).to_bytes(4, "big") + plain + app_id.encode()
    pad = 32 - len(content) % 32
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(sealer.update(content + bytes([pad]) * pad) + sealer.finalize()).decode()


def _xml(members: Mapping[str, Any]) -> str:
    """Texts as CDATA, numbers bare, as WeChat writes them."""
    return f"<xml>{''.join(_element(name, value) for name, value in members.items())}</xml>"


def _element(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_element(child, item) for child, item in value.items())
    elif isinstance(value, int):
        inner = escape(str(value))
    else:
        inner = f"<![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]>"
    return f"<{name}>{inner}</{name}>"


def _parsed(request: Request) -> dict[str, Any]:
    """The JSON body; a ``\\u`` escape in it is shown to the follower as it is, so it stays as it is."""
    try:
        body = json.loads(request.raw.replace(b"\\u", b"\\\\u"))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
