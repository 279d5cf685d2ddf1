"""Media as Telegram takes it: by link, ``file_id`` or upload, within its types and sizes. Pure; total."""

from pathlib import PurePosixPath
from typing import Any

from connectors.shared.text import file_name_of
from connectors.shared.uploads import Upload, plain_type
from connectors.telegram.api import (
    DOCUMENT_URL_TYPES,
    FILE_URL_BYTES_MAX,
    MEDIA_METHODS,
    MEGABYTE,
    PHOTO_TYPES,
    PHOTO_URL_BYTES_MAX,
    UPLOAD_BYTES_MAX,
    VOICE_TYPES,
    VOICE_URL_BYTES_MAX,
)
from connectors.telegram.keyboard import is_link
from connectors.telegram.words import Piece, captioned, text_pieces
from schemas.content import MediaContent
from schemas.media import is_stored, shown_link


def media_pieces(content: MediaContent) -> list[Piece]:
    """By link, ``file_id`` or upload; what Telegram would not fetch goes as a link that the person can open."""
    if is_stored(content.url) and not content.media_id:
        return _uploaded(content)
    if is_stored(content.url):
        content = content.model_copy(update={"url": None})
    refusal = _refusal(content)
    if refusal:
        label = content.caption or content.file_name
        return text_pieces("\n".join(filter(None, (label, shown_link(content.url)))), change=refusal)
    method, name = MEDIA_METHODS[content.kind]
    piece = Piece(method, {name: content.url or content.media_id})
    piece.fields |= _duration(content)
    if content.kind == "voice" and content.url and (content.size_bytes or 0) > VOICE_URL_BYTES_MAX:
        piece.changes.append("a voice note above 1 MB arrives as a file")
    if content.kind == "file" and content.url and content.file_name and file_name_of(content.url) != content.file_name:
        piece.changes.append("the file keeps the name that its link has")
    return captioned(piece, content.caption or "")


def _uploaded(content: MediaContent) -> list[Piece]:
    """What we store ourselves goes as a file where it would be refused as what it is."""
    size, mime_type, changes = content.size_bytes or 0, plain_type(content.mime_type), []
    method, name = MEDIA_METHODS[content.kind]
    types = {"image": PHOTO_TYPES, "voice": VOICE_TYPES}.get(content.kind)
    if (types and mime_type and mime_type not in types) or size > UPLOAD_BYTES_MAX[name]:
        method, name = MEDIA_METHODS["file"]
        changes.append(f"the {content.kind} is sent as a file: too large, or of a type that Telegram does not show")
    if size > UPLOAD_BYTES_MAX[name]:
        words = content.caption or content.file_name or ""
        return text_pieces(words, change=f"the {content.kind} is larger than {UPLOAD_BYTES_MAX[name] // MEGABYTE} MB")
    file = Upload(content.url or "", name, mime_type=mime_type, file_name=content.file_name)
    duration = _duration(content) if name != "document" else {}
    return captioned(Piece(method, {name: file, **duration}, changes), content.caption or "")


def _duration(content: MediaContent) -> dict[str, Any]:
    is_timed = content.duration_ms and content.kind in ("video", "audio", "voice")
    return {"duration": (content.duration_ms or 0) // 1000} if is_timed else {}


def _refusal(content: MediaContent) -> str | None:
    """Why Telegram would not take this media, or None when it would."""
    if not content.url:
        return None if content.media_id else f"the {content.kind} has neither link nor id"
    if not is_link(content.url):
        return f"the {content.kind} has a link that Telegram cannot fetch; it is sent as text"
    size_max = PHOTO_URL_BYTES_MAX if content.kind == "image" else FILE_URL_BYTES_MAX
    if (content.size_bytes or 0) > size_max:
        return f"the {content.kind} is larger than {size_max >> 20} MB; its link is sent as text"
    if content.kind == "file" and not _is_document(content):
        return "by link Telegram takes only pdf, zip and gif files; the link is sent as text"
    if content.kind == "voice" and content.mime_type and plain_type(content.mime_type) not in VOICE_TYPES:
        return f"Telegram takes no voice notes of type {content.mime_type}; the link is sent as text"
    return None


def _is_document(content: MediaContent) -> bool:
    """Whether sendDocument takes this link; in doubt it does not, for a refused call is a lost message."""
    if content.mime_type:
        return plain_type(content.mime_type) in DOCUMENT_URL_TYPES
    endings = [ending for group in DOCUMENT_URL_TYPES.values() for ending in group]
    return PurePosixPath(file_name_of(content.url or "")).suffix.lower() in endings
