"""Approved templates with their variables, alike on WhatsApp and Messenger. Pure.

Sources: WhatsApp Business Platform "Template messages", "Template components"; Messenger Platform "Utility messages".
"""

from typing import Any

from connectors.shared.meta.drafts import is_web_link
from connectors.shared.text import characters, truncate
from connectors.shared.uploads import Upload
from schemas.content import LocationContent, MediaContent, TemplateButton, TemplateContent, TemplateHeader, TextContent
from schemas.media import is_stored

DEFAULT_LANGUAGE = "th"
"""Of templates that name none: one exists only in the languages that it was approved in, and ours are made in Thai."""

BODY_MAX = 1024  # "Template components": body text
HEADER_MAX = 60  # the same: header text
BUTTONS_MAX = 10  # the same: buttons of one template

HEADER_KINDS = {"image": "image", "video": "video", "file": "document"}

Json = dict[str, Any]


def template_of(content: TemplateContent, *, takes_uploads: bool = False) -> tuple[Json, list[str]]:
    """The ``template`` member, and what could not be said as asked; ``native`` is merged over it."""
    changes: list[str] = []
    header = _header(content.header, changes, takes_uploads=takes_uploads)
    components = [*header, *_body(content, changes), *_buttons(content.buttons, changes)]
    template: Json = {"name": content.name, "language": {"code": content.language or DEFAULT_LANGUAGE}}
    if components:
        template["components"] = components
    return template | content.native, changes


def _header(header: TemplateHeader | None, changes: list[str], *, takes_uploads: bool) -> list[Json]:
    match header:
        case TextContent():
            parameter: Json = {"type": "text", "text": _cut(header.text, HEADER_MAX, changes)}
        case MediaContent() if source := _source(header, takes_uploads=takes_uploads):
            kind = HEADER_KINDS[header.kind]
            named = {"filename": header.file_name} if kind == "document" and header.file_name else {}
            parameter = {"type": kind, kind: source | named}
        case LocationContent():
            place: Json = {"latitude": header.latitude, "longitude": header.longitude}
            named = {name: text for name, text in (("name", header.name), ("address", header.address)) if text}
            parameter = {"type": "location", "location": place | named}
        case None:
            return []
        case _:
            changes.append(
                f"template header left out: a {header.kind} without a web link or id, or of no header's kind"
            )
            return []
    return [{"type": "header", "parameters": [parameter]}]


def _source(header: MediaContent, *, takes_uploads: bool) -> Json | None:
    """Where the header's media is; None where it cannot be had, or is of no header's kind."""
    if header.kind not in HEADER_KINDS:
        return None
    if is_web_link(header.url):
        return {"link": header.url}
    if header.media_id:
        return {"id": header.media_id}
    if not (takes_uploads and is_stored(header.url)):
        return None
    kind = HEADER_KINDS[header.kind]
    return {"id": Upload(header.url or "", kind, mime_type=header.mime_type, file_name=header.file_name)}


def _body(content: TemplateContent, changes: list[str]) -> list[Json]:
    values: list[Json] = [{"type": "text", "text": _cut(value, BODY_MAX, changes)} for value in content.parameters]
    values += [
        {"type": "text", "parameter_name": name, "text": _cut(value, BODY_MAX, changes)}
        for name, value in content.named_parameters.items()
    ]
    return [{"type": "body", "parameters": values}] if values else []


def _buttons(buttons: tuple[TemplateButton, ...], changes: list[str]) -> list[Json]:
    usable = [button for button in buttons if button.index < BUTTONS_MAX]
    if len(usable) < len(buttons):
        changes.append(f"template buttons after the first {BUTTONS_MAX} left out")
    return [
        {"type": "button", "sub_type": button.type, "index": str(button.index), "parameters": [_variable(button)]}
        for button in usable
    ]


def _variable(button: TemplateButton) -> Json:
    match button.type:
        case "quick_reply":
            return {"type": "payload", "payload": button.value}
        case "copy_code":
            return {"type": "coupon_code", "coupon_code": button.value}
        case "url":
            return {"type": "text", "text": button.value}


def _cut(text: str, limit: int, changes: list[str]) -> str:
    if len(text) > limit:
        changes.append(f"a template's variable cut to {limit} characters")
    return truncate(text, limit, characters)
