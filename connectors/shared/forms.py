"""Bodies of ``multipart/form-data`` with files (RFC 7578). Pure but for the boundary."""

import mimetypes
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

ANY_TYPE = "application/octet-stream"
MIME_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""How browsers write these characters in a quoted name (HTML Living Standard, "multipart/form-data")."""


@dataclass(frozen=True, slots=True)
class File:
    """One file; its type and name as far as somebody told them."""

    data: bytes = field(repr=False)
    mime_type: str | None = None
    name: str | None = None

    def typed(self, default: str = ANY_TYPE) -> str:
        """The type as told, else by the name's ending, else the default."""
        told = self.mime_type or mimetypes.guess_type(self.name or "")[0] or default
        return told if MIME_TYPE.fullmatch(told) else default

    def named(self, default_type: str = ANY_TYPE) -> str:
        """The name as told, else one whose ending says what it is."""
        return self.name or f"media{mimetypes.guess_extension(self.typed(default_type)) or ''}"


def form(fields: Mapping[str, str], files: Mapping[str, File], *, default_type: str = ANY_TYPE) -> tuple[str, bytes]:
    """Content type and body; fields first."""
    boundary = secrets.token_hex(16)
    parts = [_part(boundary, f'name="{name}"', value.encode()) for name, value in fields.items()]
    for name, file in files.items():
        about = f'name="{name}"; filename="{file.named(default_type).translate(ESCAPES)}"'
        parts.append(_part(boundary, f"{about}\r\nContent-Type: {file.typed(default_type)}", file.data))
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _part(boundary: str, about: str, data: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n"
    # A lone surrogate in somebody's file name is no reason to lose the file.
    return head.encode(errors="replace") + data + b"\r\n"
