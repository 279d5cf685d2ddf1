"""One part → customer-service messages in order, and in words what could not be rendered as asked. Pure and total.

Each message counts against the five that a follower's message allows, so a part takes as few as it can.
"""

from functools import singledispatch
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.shared.nearest import card_buttons, template_words
from connectors.shared.text import truncate, utf8_bytes
from connectors.shared.uploads import Upload, plain_type
from connectors.wechat import api
from connectors.wechat.menu import Menu, Piece, menu_of, said, text_pieces, with_menu
from schemas.content import (
    ContactContent,
    LocationContent,
    MediaContent,
    StickerContent,
    TemplateContent,
    TextContent,
)
from schemas.media import is_stored, shown_link
from schemas.outbound import Button, Card, CardContent, MiniProgramContent, Part, PartContent

MEDIA_TYPES = {"image": "image", "voice": "voice", "audio": "voice", "video": "video"}
"""Kind of content → message type that takes a media id."""

TEMPLATE_MEMBERS = ("data", "url", "miniprogram", "client_msg_id")
"""What a template message takes beside its template and recipient ("Send template message", 发送模板消息)."""


def render(part: Part) -> list[Piece]:
    """All messages of a part, at least one. Rows and quick replies are one menu: WeChat has nothing that vanishes."""
    menu = menu_of([*(button for row in part.rows for button in row), *part.quick_replies])
    if part.quick_replies:
        menu.changes.append("quick replies are lines of a menu that stay after a tap")
    if isinstance(part.content, TextContent):
        return with_menu(part.content.text, menu)
    pieces = pieces_of(part.content)
    return pieces + with_menu("", menu) if menu.items or menu.lines else pieces


@singledispatch
def pieces_of(content: Any) -> list[Piece]:
    """Messages of any content but text; one function per kind below."""
    return text_pieces(str(content.kind), change=f"content of kind {content.kind} sent as text")


@pieces_of.register
def _(content: MediaContent) -> list[Piece]:
    native, caption = MEDIA_TYPES.get(content.kind), said(content.caption)
    refusal = _refusal(content, native)
    if native and not refusal:
        # What has no id yet is uploaded by the sender.
        media_id = content.media_id or Upload(content.url or "", native, mime_type=content.mime_type)
        piece = Piece({"msgtype": native, native: {"media_id": media_id}})
        if native == "video" and 0 < utf8_bytes(caption) <= api.ARTICLE_TEXT_BYTES_MAX:
            piece.body[native] |= {"description": caption}
        elif caption:
            return [piece, *text_pieces(caption, change="caption sent as a text of its own")]
        return [piece]
    link = shown_link(content.url)
    if link:
        return text_pieces(said(content.caption, content.file_name, link), change=f"{content.kind} link: {refusal}")
    words = said(content.caption, content.file_name) or f"[{content.kind}]"
    why = refusal if content.url else "has nothing that WeChat could send"
    return text_pieces(words, change=f"{content.kind} written as text: {why}")


def _refusal(content: MediaContent, native: str | None) -> str | None:
    """Why WeChat would not take this media, or None when it would."""
    if native is None:
        return "WeChat sends no files"
    if content.media_id:
        return None
    if not (_is_link(content.url) or is_stored(content.url)):
        return "WeChat takes media by upload only, and this link cannot be fetched"
    if (content.size_bytes or 0) > api.UPLOAD_BYTES_MAX[native]:
        return f"WeChat takes at most {api.UPLOAD_BYTES_MAX[native] // 10**6} MB"
    if native == "voice" and (content.duration_ms or 0) > api.VOICE_MS_MAX:
        return f"WeChat takes at most {api.VOICE_MS_MAX // 1000} s of sound"
    mime_type = plain_type(content.mime_type)
    types = api.UPLOAD_TYPES[native]
    ending = PurePosixPath(urlsplit(content.url or "").path).suffix.lower()
    is_taken = mime_type in types if mime_type else native == "image" or ending in types.values()
    return None if is_taken else f"WeChat takes no {native} of this type"


@pieces_of.register
def _(content: MiniProgramContent) -> list[Piece]:
    """A card of the account's own mini-program; its picture is an upload too."""
    card = {"title": content.title, "appid": content.app_id, "pagepath": content.page}
    picture = content.image_id or Upload(content.image_url or "", "image")
    return [Piece({"msgtype": "miniprogrampage", "miniprogrampage": {**card, "thumb_media_id": picture}})]


def is_native(content: PartContent) -> bool:
    """Whether WeChat has a form for it: a mini-program, if it has a picture; the rest is simplified before."""
    if not isinstance(content, MiniProgramContent):
        return False
    return bool(content.image_id) or _is_link(content.image_url) or is_stored(content.image_url)


@pieces_of.register
def _(content: StickerContent) -> list[Piece]:
    words = content.emoji or " ".join(content.keywords) or shown_link(content.url) or "[sticker]"
    return text_pieces(words, change="sticker sent as text: WeChat takes none")


@pieces_of.register
def _(content: LocationContent) -> list[Piece]:
    # Six decimals of a degree are about 10 cm.
    place = f"{content.latitude:.6f}, {content.longitude:.6f}"
    return text_pieces(said(content.name, content.address, place), change="location sent as text: WeChat takes none")


@pieces_of.register
def _(content: ContactContent) -> list[Piece]:
    words = said(content.name, *content.phones, *content.emails)
    return text_pieces(words, change="contact sent as text: WeChat takes none")


@pieces_of.register
def _(content: TemplateContent) -> list[Piece]:
    """A message type of WeChat's own, a template message (outside the window, service accounts only), or its words."""
    native = content.native
    kind = native.get("msgtype")
    if isinstance(kind, str) and kind in api.NATIVE_TYPES and native.get(kind) and _is_object(native[kind]):
        return [Piece({"msgtype": kind, kind: native[kind]})]
    if _is_object(native.get("data")):
        members = {name: native[name] for name in TEMPLATE_MEMBERS if name in native and _is_json(native[name])}
        return [Piece({"template_id": content.name, **members}, name=api.TEMPLATE)]
    words = template_words(content)
    return text_pieces(words, change="template sent as text: it has no native form for WeChat")


def _is_object(value: Any) -> bool:
    """Whether it is an object that can be sent."""
    return isinstance(value, dict) and _is_json(value)


def _is_json(value: Any) -> bool:
    """Whether it can be sent: JSON as we write it has integers of 64 bits."""
    try:
        return bool(orjson.dumps(value))
    except TypeError:
        return False


@pieces_of.register
def _(content: CardContent) -> list[Piece]:
    pieces = [piece for card in content.cards for piece in _card(card, content.alt_text)]
    if len(content.cards) > 1:
        pieces[0].changes.append("cards stand one below the other: WeChat takes one article a message")
    return pieces


def _card(card: Card, alt_text: str) -> list[Piece]:
    """An article when there is a link for a tap on it, else the words; buttons follow as a menu."""
    own = Button(label=card.title or card.url or "", url=card.url) if _is_link(card.url) else None
    link = own or next((button for button in card.buttons if _is_link(button.url)), None)
    others = [button for button in card.buttons if button is not link]
    picture = card.image_url if _is_link(card.image_url) else None
    menu = menu_of(others if own or not card.url else card_buttons(card))
    if card.image_url and not picture:
        shown = shown_link(card.image_url)
        menu.lines[:0] = [shown] if shown else []
        menu.changes.append(f"card picture {'sent as a link' if shown else 'left out'}: WeChat cannot open it")
    if not link and not picture:
        return with_menu(said(card.title, card.text) or alt_text, menu)
    return _article(card, alt_text, link=link, picture=picture) + _below(card, alt_text, menu)


def _article(card: Card, alt_text: str, *, link: Button | None, picture: str | None) -> list[Piece]:
    title, text = said(card.title) or said(alt_text) or "…", said(card.text)
    article = {
        "title": truncate(title, api.ARTICLE_TITLE_BYTES_MAX, utf8_bytes),
        "description": truncate(text, api.ARTICLE_TEXT_BYTES_MAX, utf8_bytes),
        "url": link.url if link else picture,
    }
    if picture:
        article["picurl"] = picture
    piece = Piece({"msgtype": "news", "news": {"articles": [article]}})
    if link is None:
        piece.changes.append("a tap on the card opens its picture: it has no link of its own")
    elif link.url != card.url:
        piece.changes.append("a button became the card itself: a tap on it opens the link")
    if article["title"] == title and article["description"] == text:
        return [piece]
    return [*text_pieces(said(title, text), change="card text is too long: sent whole before the card"), piece]


def _below(card: Card, alt_text: str, menu: Menu) -> list[Piece]:
    if not menu.items:
        return with_menu("", menu) if menu.lines else []
    head = said(card.title) or said(alt_text)
    return with_menu(truncate(head, api.ARTICLE_TITLE_BYTES_MAX, utf8_bytes), menu)


def _is_link(url: str | None) -> bool:
    """Whether WeChat's browser would open it."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not any(map(str.isspace, url or ""))
