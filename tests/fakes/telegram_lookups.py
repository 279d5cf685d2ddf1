"""What the Bot API answers about files and people: "Telegram Bot API", getFile and getChat."""

from collections.abc import Mapping
from typing import Any

from tests.fakes.media import Shelf
from tests.fakes.wire import Answer, Request

FILE_PATH = "/file/bot"
FILE_BYTES_MAX = 20 * 1024 * 1024


def look_up(request: Request, shelf: Shelf, people: Mapping[str, str], *, token: str) -> Answer | None:
    """``people``: chat id to first name, of those who have started the bot; None where this is no such request."""
    method = request.path.rpartition("/")[2]
    if request.path.startswith(FILE_PATH):
        given, _, path = request.path.removeprefix(FILE_PATH).partition("/")
        media = shelf.behind(path.removeprefix("photos/").removesuffix(".jpg")) if given == token else None
        # The file server names no type.
        return Answer(200, media.data, {"Content-Type": "application/octet-stream"}) if media else Answer(404)
    if method not in ("getFile", "getChat"):
        return None
    if request.path != f"/bot{token}/{method}":
        return _refused(401, "Unauthorized")
    body: dict[str, Any] = request.body if isinstance(request.body, dict) else {}
    if method == "getFile":
        return _file(str(body.get("file_id")), shelf)
    name = people.get(str(body.get("chat_id")))
    if name is None:
        return _refused(400, "Bad Request: chat not found")
    return _ok({"id": body["chat_id"], "type": "private", "first_name": name, "last_name": "Fake", "bio": "writes"})


def _file(id: str, shelf: Shelf) -> Answer:
    media = shelf.items.get(id)
    if media is None:
        return _refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if len(media.data) > FILE_BYTES_MAX:
        return _refused(400, "Bad Request: file is too big")
    path = f"photos/{shelf.link(id)}.jpg"
    return _ok({"file_id": id, "file_unique_id": f"u{id}", "file_size": len(media.data), "file_path": path})


def _ok(result: dict[str, Any]) -> Answer:
    return Answer(200, {"ok": True, "result": result})


def _refused(status: int, description: str) -> Answer:
    return Answer(status, {"ok": False, "error_code": status, "description": description})
