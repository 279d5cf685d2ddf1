"""Requests that bring their media along: a form in place of JSON, and the ``file_id`` of what it brought. Pure.

Sections "Sending files" and "InputMedia" of "Telegram Bot API": a file is a part of the form with the name of its
parameter, or stands inside of JSON as ``attach://`` and the name of its part. A ``file_id`` keeps its kind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from connectors.interface import Call
from connectors.shared.forms import File, form
from connectors.shared.uploads import Upload, replaced, uploads_in
from connectors.telegram.wire import obj, objects, text

ATTACHED = "attach://"


def with_media(call: Call, sources: Sequence[str | File]) -> Call:
    """The call with an id or a file in place of each of its uploads, in their order; JSON when all are ids."""
    given = iter(sources)
    if all(isinstance(source, str) for source in sources):
        return replace(call, body=replaced(call.body, lambda _: next(given)))
    files: dict[str, File] = {}
    fields = {name: value for name, value in _fields(call.body, given, files) if value is not None}
    content_type, body = form(fields, files)
    return replace(call, headers={**call.headers, "Content-Type": content_type}, body=body)


def _fields(
    body: dict[str, Any], given: Iterator[str | File], files: dict[str, File]
) -> Iterator[tuple[str, str | None]]:
    """Every parameter as a form has it, None for what is a file itself; adds to ``files``."""

    def attached(_: Upload) -> str:
        source = next(given)
        if isinstance(source, str):
            return source
        name = f"file{len(files)}"
        files[name] = source
        return f"{ATTACHED}{name}"

    for name, value in body.items():
        if isinstance(value, Upload):
            source = next(given)
            if isinstance(source, File):
                files[name] = source
            yield name, source if isinstance(source, str) else None
        else:
            plain = replaced(value, attached)
            yield name, plain if isinstance(plain, str) else orjson.dumps(plain).decode()


def file_ids(body: dict[str, Any], result: Any) -> list[tuple[Upload, str]]:
    """Which id each upload of a planned body was given, by the answer's Message, or Messages of an album. What Telegram
    took for another kind of file is left out: its id could not be sent as this one."""
    items = body.get("media")
    pairs = zip(items, objects(result), strict=False) if isinstance(items, list) else [(body, obj(result))]
    named = ((upload, message) for item, message in pairs for upload in uploads_in(item))
    return [(upload, file_id) for upload, message in named if (file_id := _file_id(message, upload.kind))]


def _file_id(message: dict[str, Any], kind: str) -> str | None:
    # A photo comes in several sizes, the largest last.
    sizes = objects(message.get(kind))
    return text(sizes[-1] if sizes else obj(message.get(kind)), "file_id")
