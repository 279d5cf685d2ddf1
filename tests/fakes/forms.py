"""Bodies of ``multipart/form-data`` (RFC 7578), as a server reads them."""

import re
from dataclasses import dataclass

NAME = re.compile(rb'[; ]name="([^"]*)"')
FILE_NAME = re.compile(rb'filename="([^"]*)"')
TYPE = re.compile(rb"(?im)^content-type: *([^\r\n]+)")


@dataclass(frozen=True)
class FormFile:
    """One uploaded file."""

    name: str
    mime_type: str
    data: bytes


def parsed(raw: bytes, content_type: str) -> tuple[dict[str, str], dict[str, FormFile]]:
    """Fields and files by their name; raises ValueError for what is no such form."""
    kind, _, boundary = content_type.partition("boundary=")
    if not kind.lower().startswith("multipart/form-data") or not boundary:
        raise ValueError("no multipart/form-data with a boundary")
    head, *parts, end = (b"\r\n" + raw).split(b"\r\n--" + boundary.strip('"').encode())
    if head or end.strip() != b"--" or not parts:
        raise ValueError("the form is not whole")
    fields: dict[str, str] = {}
    files: dict[str, FormFile] = {}
    for part in parts:
        about, gap, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name, file_name, mime_type = NAME.search(about), FILE_NAME.search(about), TYPE.search(about)
        if not gap or name is None:
            raise ValueError("a part without a name")
        if file_name is None:
            fields[name.group(1).decode()] = data.decode()
        else:
            said = mime_type.group(1).decode() if mime_type else ""
            files[name.group(1).decode()] = FormFile(file_name.group(1).decode(), said, data)
    return fields, files
