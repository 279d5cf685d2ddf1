"""The Bot API's files: what a form brings along, what it may weigh, and the ids by which it is sent again.

Source: "Telegram Bot API" 10.3, section "Sending files"; descriptions as the real server writes them. An id that was
never given here is believed, since it may be that of an inbound file.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes import forms
from tests.fakes.telegram_rules import MEDIA_FIELDS, Refused, bad
from tests.fakes.wire import Request

MEGABYTE = 1_000_000
BYTES_MAX = {"photo": 10 * MEGABYTE, **dict.fromkeys(("video", "audio", "voice", "document", "sticker"), 50 * MEGABYTE)}
WORDS = {"text", "caption", "title", "address", "first_name", "last_name", "phone_number", "vcard"}
"""Parameters that are what they are; all others of a form are read as JSON."""
ATTACHED = "attach://"

Body = dict[str, Any]
FormFiles = dict[str, forms.FormFile]


class Files:
    """``kinds`` are the ids that were given, ``taken`` the files that came."""

    def __init__(self, next_number: Callable[[], int]) -> None:
        self._next_number = next_number
        self.kinds: dict[str, str] = {}
        self.taken: list[forms.FormFile] = []
        self._lost: set[str] = set()

    def lose(self) -> None:
        """No id that was given until now is known any more."""
        self._lost |= set(self.kinds)

    def with_ids(self, method: str, body: Body, files: FormFiles) -> Body:
        """The request with an id in place of each file that it brought; raises Refused."""
        field = MEDIA_FIELDS.get(method, "")
        filled = {**body, field: self._id(field, files[field])} if field in files else dict(body)
        if isinstance(body.get("media"), list):
            filled["media"] = [self._item(item, files) for item in body["media"]]
        elif isinstance(body.get("media"), dict):
            filled["media"] = self._item(body["media"], files)
        for kind, value in _named(method, filled):
            if value in self._lost:
                raise bad("wrong file identifier/HTTP URL specified")
            if self.kinds.get(value, kind) != kind:
                raise bad("type of file mismatch")
        return filled

    def shown(self, body: Body) -> Body:
        """The member of a Message that a request or an item of an album becomes: its file with its id."""
        fields = [field for field in MEDIA_FIELDS.values() if field in body]
        kind, value = (fields[0], body[fields[0]]) if fields else (body.get("type"), body.get("media"))
        if kind not in BYTES_MAX:
            return {}
        given = str(value)
        known = {"file_id": given if "://" not in given else self._new_id(str(kind)), "file_unique_id": "u"}
        return {str(kind): [{**known, "file_id": f"{known['file_id']}s"}, known] if kind == "photo" else known}

    def _item(self, item: Body, files: FormFiles) -> Body:
        name = str(item.get("media")).removeprefix(ATTACHED)
        if str(item.get("media")).startswith(ATTACHED):
            if name not in files:
                raise bad("can't parse InputMedia: media not found")
            return {**item, "media": self._id(str(item.get("type")), files[name])}
        return item

    def _id(self, kind: str, file: forms.FormFile) -> str:
        if not file.data:
            raise bad("file must be non-empty")
        if len(file.data) > BYTES_MAX[kind]:
            raise Refused(413, "Request Entity Too Large")
        self.taken.append(file)
        return self._new_id(kind)

    def _new_id(self, kind: str) -> str:
        file_id = f"BQACfake{kind}{self._next_number()}"
        self.kinds[file_id] = kind
        return file_id


def fields_and_files(request: Request) -> tuple[Body, FormFiles]:
    """The parameters of a request, however they came, and its files."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/"):
        return (request.body if isinstance(request.body, dict) else dict(request.query)), {}
    fields, files = forms.parsed(request.raw, content_type)
    return {name: value if name in WORDS else _json(value) for name, value in fields.items()}, files


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _named(method: str, body: Body) -> list[tuple[str, Any]]:
    """Every file that a request names, with its kind."""
    media = body.get("media")
    items = media if isinstance(media, list) else [media] if isinstance(media, dict) else []
    own = [(MEDIA_FIELDS[method], body.get(MEDIA_FIELDS[method]))] if method in MEDIA_FIELDS else []
    named = own + [(str(item.get("type")), item.get("media")) for item in items]
    return [(kind, value) for kind, value in named if isinstance(value, str)]
