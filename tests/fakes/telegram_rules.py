"""What the Bot API refuses, in its own words: limits of texts, keyboards, media and rates.

Sources: "Telegram Bot API" 10.3, "Bots FAQ" (rates); descriptions as the real server writes them.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024
DATA_BYTES_MAX = 64
KEYBOARD_BUTTONS_MAX = 100
CALLBACK_TEXT_MAX = 200
DOCUMENT_ENDINGS = {".pdf", ".zip", ".gif"}

MEDIA_FIELDS = {
    "sendPhoto": "photo",
    "sendVideo": "video",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendDocument": "document",
    "sendSticker": "sticker",
}
EDITS = {"editMessageText", "editMessageCaption", "editMessageMedia", "editMessageReplyMarkup"}
VISIBLE = {"sendMessage", "sendLocation", "sendVenue", "sendContact", "sendMediaGroup", *MEDIA_FIELDS, *EDITS}
"""Methods after which the person sees a message, new or changed."""
OTHERS = {"answerCallbackQuery", "sendChatAction", "getMe", "setWebhook", "getWebhookInfo", "deleteWebhook"}


class Refused(Exception):
    """The API says no; ``parameters`` as in the answer."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def bad(description: str) -> Refused:
    """A 400."""
    return Refused(400, f"Bad Request: {description}")


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def texts_of(method: str, body: Mapping[str, Any]) -> list[str]:
    """What the person would read."""
    if method == "sendMessage":
        return [str(body.get("text", ""))]
    if method in MEDIA_FIELDS:
        return [str(body.get("caption") or f"[{MEDIA_FIELDS[method]}]")]
    if method == "sendMediaGroup":
        return [str(item.get("caption") or f"[{item.get('type')}]") for item in body.get("media") or []]
    if method in EDITS:
        media = body.get("media")
        words = body.get("text") or body.get("caption") or (media.get("caption") if isinstance(media, dict) else None)
        return [str(words or f"[{method}]")]
    if method == "sendContact":
        return [f"{body.get('first_name')} {body.get('phone_number')}"]
    return [str(body.get("title") or f"{body.get('latitude')},{body.get('longitude')}")]


def check_message(method: str, body: Mapping[str, Any]) -> None:
    """Raises Refused when a message breaks a rule."""
    if method == "sendMessage":
        check_text(body.get("text"))
    if method in MEDIA_FIELDS:
        check_media(method, body.get(MEDIA_FIELDS[method]))
    if method in ("sendLocation", "sendVenue"):
        if not all(isinstance(body.get(name), int | float) for name in ("latitude", "longitude")):
            raise bad("latitude and longitude must be specified")
        if abs(body["latitude"]) > 90 or abs(body["longitude"]) > 180:
            raise bad("wrong location specified")
    if method == "sendVenue" and not (body.get("title") and body.get("address")):
        raise bad("venue title and address must be non-empty")
    if method == "sendContact" and not (body.get("phone_number") and body.get("first_name")):
        raise bad("phone number and first name must be non-empty")
    check_words(body)
    if "reply_markup" in body:
        check_keyboard(body["reply_markup"])


def check_words(body: Mapping[str, Any]) -> None:
    """Raises Refused for formatting outside of the words, or a caption that is too long."""
    if units(str(body.get("caption") or "")) > CAPTION_UNITS_MAX:
        raise bad("message caption is too long")
    _check_entities(body.get("entities", []), str(body.get("text", "")))
    _check_entities(body.get("caption_entities", []), str(body.get("caption", "")))


def check_text(text: Any) -> None:
    """Raises Refused for a text that is empty or too long."""
    if not isinstance(text, str) or not text.strip():
        raise bad("message text is empty")
    if units(text) > TEXT_UNITS_MAX:
        raise bad("message is too long")


def check_media(method: str, value: Any) -> None:
    """Raises Refused for what is neither a link that the server fetches nor one of its file ids."""
    if not isinstance(value, str) or not value:
        raise bad(f"there is no {MEDIA_FIELDS[method]} in the request")
    parts = urlsplit(value)
    if "://" in value and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise bad("wrong HTTP URL specified")
    ending = PurePosixPath(parts.path).suffix.lower()
    if method == "sendDocument" and parts.scheme and ending not in DOCUMENT_ENDINGS:
        raise bad("wrong type of the web page content")
    if not parts.scheme and value.isdigit():
        raise bad("wrong remote file identifier specified: Wrong padding in the string")


def _check_entities(entities: Any, text: str) -> None:
    for entity in entities:
        if not isinstance(entity.get("type"), str) or entity["offset"] < 0 or entity["length"] < 1:
            raise bad("can't parse entities: invalid entity specified")
        if entity["offset"] + entity["length"] > units(text):
            raise bad("entity ends beyond the end of the text")


def check_keyboard(markup: Any, *, is_inline: bool = False) -> None:
    """Raises Refused for what is no keyboard; an edited message takes inline ones only."""
    if isinstance(markup, dict) and "keyboard" in markup and not is_inline:
        _check_reply_keyboard(markup)
        return
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list):
        raise bad("object expected as reply markup")
    buttons = [button for row in rows for button in row]
    if len(buttons) > KEYBOARD_BUTTONS_MAX:
        raise bad("reply markup is too long")
    for button in buttons:
        _check_button(button)


def _check_reply_keyboard(markup: dict[str, Any]) -> None:
    if not isinstance(markup["keyboard"], list) or not all(markup["keyboard"]):
        raise bad("can't parse keyboard: rows of buttons expected")
    for button in (button for row in markup["keyboard"] for button in row):
        if not str(button.get("text") or "").strip():
            raise bad("can't parse keyboard button: text must be non-empty")


def _check_button(button: Mapping[str, Any]) -> None:
    if not button.get("text"):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    if "url" in button:
        if urlsplit(button["url"]).scheme not in ("http", "https", "tg"):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
    elif "callback_data" not in button:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    elif not 1 <= len(str(button["callback_data"]).encode()) <= DATA_BYTES_MAX:
        raise bad("BUTTON_DATA_INVALID")


class Rates:
    """The limits of the FAQ, and the waits that were told: about 30 messages a second in all, 1 a second in a chat
    (bursts of 5 pass), 20 a minute in a group. ``early`` counts requests that came before a told wait was over."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}
        self._until: dict[str, float] = {}
        self.is_strict = False
        self.early = 0

    def tell_wait(self, chat: str, wait_s: float) -> None:
        """From now on this chat is refused until the wait is over."""
        self._until[chat] = self._clock() + wait_s

    def check(self, chat: str, *, is_group: bool) -> None:
        """Raises Refused (429) inside a told wait or, when strict, beyond the limits."""
        left_s = self._until.get(chat, 0.0) - self._clock()
        if left_s > 0:
            self.early += 1
            raise too_many(left_s)
        if not self.is_strict:
            return
        windows = [("", 30, 1.0), (chat, 20, 60.0) if is_group else (chat, 5, 5.0)]
        for key, most, window_s in windows:
            sent = self._sent.setdefault(key, deque())
            while sent and sent[0] <= self._clock() - window_s:
                sent.popleft()
            if len(sent) >= most:
                wait_s = math.ceil(sent[0] + window_s - self._clock())
                self.tell_wait(chat, wait_s)
                raise too_many(wait_s)
        for key, _, _ in windows:
            self._sent[key].append(self._clock())


def too_many(wait_s: float) -> Refused:
    """A 429 with its wait in whole seconds."""
    whole_s = max(1, math.ceil(wait_s))
    return Refused(429, f"Too Many Requests: retry after {whole_s}", retry_after=whole_s)
