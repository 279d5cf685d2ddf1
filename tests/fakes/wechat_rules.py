"""What the WeChat API refuses, in its own codes and words: access tokens, windows, message bodies.

Sources: "Get stable access token" (获取稳定版接口调用凭据), "Send customer service messages" (客服消息), "Global return
codes" (全局返回码); menu limits as WeChat Customer Service documents them for the same type.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN_LIFE_S = 7200.0
RENEWED_BEFORE_S = 300.0
OLD_TOKEN_LIFE_S = 300.0
FORCES_PER_DAY = 20
FORCE_APART_S = 30.0

TEXT_BYTES_MAX = 2048
MENU_ITEMS_MAX = 10
MENU_HEAD_BYTES_MAX = 1024
MENU_ID_BYTES_MAX = 64
MENU_LABEL_BYTES_MAX = 128

UPLOAD_BYTES_MAX = {"image": 10_000_000, "voice": 2_000_000, "video": 10_000_000, "thumb": 64_000}
UPLOAD_ENDINGS = {
    "image": (".jpg", ".jpeg", ".png", ".gif", ".bmp"),
    "voice": (".amr", ".mp3"),
    "video": (".mp4",),
    "thumb": (".jpg",),
}

MESSAGE_WINDOW = (48 * 3600.0, 5)
"""Seconds, and messages in them, after a follower's message."""
ACTION_WINDOW = (60.0, 3)
"""After a tap on the menu, a scan, a follow."""

OPENID = re.compile(r"o[A-Za-z0-9_-]{27}")

WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest rid: 6b3f0000-0fake000",
    40003: "invalid openid rid: 6b3f0000-0fake000",
    40004: "invalid media type rid: 6b3f0000-0fake000",
    40005: "invalid file type rid: 6b3f0000-0fake000",
    40006: "invalid meida size rid: 6b3f0000-0fake000",
    41005: "media data missing rid: 6b3f0000-0fake000",
    45072: "command invalid rid: 6b3f0000-0fake000",
    40007: "invalid media_id rid: 6b3f0000-0fake000",
    40008: "invalid message type rid: 6b3f0000-0fake000",
    40013: "invalid appid rid: 6b3f0000-0fake000",
    40037: "invalid template_id rid: 6b3f0000-0fake000",
    40066: "invalid url rid: 6b3f0000-0fake000",
    40125: "invalid appsecret rid: 6b3f0000-0fake000",
    40164: "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: 6b3f0000-0fake000",
    41001: "access_token missing rid: 6b3f0000-0fake000",
    42001: "access_token expired rid: 6b3f0000-0fake000",
    43004: "require subscribe rid: 6b3f0000-0fake000",
    43101: "user refuse to accept the msg rid: 6b3f0000-0fake000",
    44004: "empty content rid: 6b3f0000-0fake000",
    45002: "content size out of limit rid: 6b3f0000-0fake000",
    45008: "article size out of limit rid: 6b3f0000-0fake000",
    45009: "reach max api daily quota limit rid: 6b3f0000-0fake000",
    45011: "api minute-quota reach limit  must slower  retry next minute rid: 6b3f0000-0fake000",
    45015: "response out of time limit or subscription is canceled rid: 6b3f0000-0fake000",
    45047: "out of response count limit rid: 6b3f0000-0fake000",
    45064: "no permission to use msgmenu rid: 6b3f0000-0fake000",
    47001: "data format error rid: 6b3f0000-0fake000",
    48001: "api unauthorized rid: 6b3f0000-0fake000",
}


class Refused(Exception):
    """The API says no, with HTTP 200."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {WORDS.get(code, 'error')}")
        self.body: dict[str, Any] = {"errcode": code, "errmsg": WORDS.get(code, "error")}


class Tokens:
    """One account's access tokens. ``break_current`` makes the sending side refuse a token that is still given out, as
    after a change of the account's owner; ``replace`` is another process that used force."""

    def __init__(self, clock: Callable[[], float], seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._made = 0
        self._value = ""
        self._made_at = float("-inf")
        self._old: dict[str, float] = {}
        self._forced: list[float] = []
        self._broken: set[str] = set()

    def give(self, *, is_forced: bool) -> dict[str, Any]:
        """The answer of ``stable_token``; raises Refused when force is used too often."""
        now = self._clock()
        if is_forced:
            self._forced = [at for at in self._forced if now - at < 24 * 3600]
            if len(self._forced) >= FORCES_PER_DAY:
                raise Refused(45009)
            if self._forced and now - self._forced[-1] < FORCE_APART_S:
                raise Refused(45011)
            self._forced.append(now)
            self.replace()
        elif now >= self._made_at + TOKEN_LIFE_S - RENEWED_BEFORE_S:
            if self._value:
                self._old[self._value] = now + OLD_TOKEN_LIFE_S
            self._make()
        return {"access_token": self._value, "expires_in": int(self._made_at + TOKEN_LIFE_S - now)}

    def replace(self) -> None:
        """A new token; all others are refused from now on."""
        self._old.clear()
        self._make()

    def break_current(self) -> None:
        """The token that is given out is refused."""
        self._broken.add(self._value)

    def check(self, value: str | None) -> None:
        """Raises Refused unless the token is good now."""
        if not value:
            raise Refused(41001)
        now = self._clock()
        if value == self._value and value not in self._broken:
            if now >= self._made_at + TOKEN_LIFE_S:
                raise Refused(42001)
        elif now >= self._old.get(value, float("-inf")):
            raise Refused(40001)

    def _make(self) -> None:
        self._made += 1
        self._value = f"{self._seed}_fakeWeChatAccessToken-{self._made:04d}"
        self._made_at = self._clock()


@dataclass
class Window:
    """Until when, and how many more messages, a follower may be sent."""

    until_s: float
    left: int


class Windows:
    """A follower who never wrote to this fake may have written to an earlier run of it, so that he is not judged."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._message: dict[str, Window] = {}
        self._action: dict[str, Window] = {}

    def wrote(self, user: str) -> None:
        """A message: opens the long window anew."""
        self._message[user] = Window(self._clock() + MESSAGE_WINDOW[0], MESSAGE_WINDOW[1])

    def acted(self, user: str) -> None:
        """A tap on the menu, a scan, a follow: opens the short one."""
        self._action[user] = Window(self._clock() + ACTION_WINDOW[0], ACTION_WINDOW[1])

    def spend(self, user: str) -> None:
        """One message is sent; raises Refused when none is allowed."""
        windows = [windows[user] for windows in (self._action, self._message) if user in windows]
        opened = [window for window in windows if self._clock() < window.until_s]
        if windows and not opened:
            raise Refused(45015)
        for window in opened:
            if window.left > 0:
                window.left -= 1
                return
        if windows:
            raise Refused(45047)


def check_message(body: Any) -> None:
    """Raises Refused when a customer-service message breaks a rule."""
    if not isinstance(body, dict):
        raise Refused(47001)
    if not isinstance(body.get("touser"), str) or not OPENID.fullmatch(body["touser"]):
        raise Refused(40003)
    kind = body.get("msgtype")
    check = CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise Refused(40008)
    content = body.get(str(kind))
    if not isinstance(content, dict):
        raise Refused(44004)
    check(content)


def check_typing(body: Any) -> None:
    """Raises Refused for a command that is none ("Customer-service typing state", 客服输入状态)."""
    if not isinstance(body, dict) or not OPENID.fullmatch(str(body.get("touser"))):
        raise Refused(40003)
    if body.get("command") not in ("Typing", "CancelTyping"):
        raise Refused(45072)


def check_upload(kind: str, form: bytes) -> str:
    """The type of an upload; raises Refused for a type, an ending or a size that is not taken."""
    if kind not in UPLOAD_BYTES_MAX:
        raise Refused(40004)
    head, _, rest = form.partition(b"\r\n\r\n")
    named = re.search(rb'name="media"; filename="([^"]+)"', head)
    data = rest.rpartition(b"\r\n--")[0]
    if named is None or not data:
        raise Refused(41005)
    if not named.group(1).decode().endswith(UPLOAD_ENDINGS[kind]):
        raise Refused(40005)
    if len(data) > UPLOAD_BYTES_MAX[kind]:
        raise Refused(40006)
    return kind


def visible_texts(body: Mapping[str, Any]) -> list[str]:
    """What a follower reads of a message."""
    kind = body.get("msgtype")
    content = body.get(str(kind))
    if not isinstance(content, dict):
        content = {}
    if kind == "text":
        return [str(content.get("content"))]
    if kind == "msgmenu":
        return [str(content.get("head_content"))]
    if kind == "news":
        articles = content.get("articles")
        return [f"{article.get('title')} {article.get('description')}".strip() for article in articles or []]
    return [f"[{kind}] {content.get('media_id') or content.get('title') or content.get('card_id') or ''}".strip()]


def _text(content: Mapping[str, Any]) -> None:
    _bounded(content.get("content"), TEXT_BYTES_MAX)


def _media(content: Mapping[str, Any]) -> None:
    media_id = content.get("media_id")
    if not isinstance(media_id, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", media_id):
        raise Refused(40007)


def _news(content: Mapping[str, Any]) -> None:
    articles = content.get("articles")
    if not isinstance(articles, list) or len(articles) != 1:
        raise Refused(45008)
    _bounded(articles[0].get("title"), TEXT_BYTES_MAX)
    if not str(articles[0].get("url")).startswith(("http://", "https://")):
        raise Refused(44004)


def _menu(content: Mapping[str, Any]) -> None:
    _bounded(content.get("head_content"), MENU_HEAD_BYTES_MAX)
    items = content.get("list")
    if not isinstance(items, list) or not 1 <= len(items) <= MENU_ITEMS_MAX:
        raise Refused(45064)
    for item in items:
        _bounded(item.get("id"), MENU_ID_BYTES_MAX)
        _bounded(item.get("content"), MENU_LABEL_BYTES_MAX)


def _mini_program(content: Mapping[str, Any]) -> None:
    for name in ("appid", "pagepath", "thumb_media_id"):
        _bounded(content.get(name), 1024)


def _any(content: Mapping[str, Any]) -> None:
    if not content:
        raise Refused(44004)


CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "music": _any,
    "news": _news,
    "mpnews": _media,
    "mpnewsarticle": _any,
    "msgmenu": _menu,
    "wxcard": _any,
    "miniprogrampage": _mini_program,
}


def _bounded(value: Any, bytes_max: int) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Refused(44004)
    if len(value.encode("utf-8", "surrogatepass")) > bytes_max:
        raise Refused(45002)
