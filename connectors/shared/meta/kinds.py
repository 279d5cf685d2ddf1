"""Content kinds that Messenger and Instagram draw alike, each in its nearest faithful form. Pure.

A platform takes ``COMMON`` and adds the renderers of what is its own.
"""

from connectors.shared.meta.cards import card_drafts
from connectors.shared.meta.drafts import Draft, attachment, is_web_link, with_changes
from connectors.shared.meta.planning import Asked, Renderers
from connectors.shared.text import file_name_of
from connectors.shared.uploads import Upload
from schemas.content import ContactContent, LocationContent, MediaContent, StickerContent, TextContent
from schemas.media import is_stored, shown_link
from schemas.outbound import CardContent


def render_text(content: TextContent, asked: Asked) -> list[Draft]:
    return asked.texts(content.text)


def render_media(content: MediaContent, asked: Asked, *, takes_uploads: bool = False) -> list[Draft]:
    """By link, by the id of an earlier upload, or, of what we store ourselves, by a new one; a caption follows as a
    message of its own."""
    kind = "audio" if content.kind == "voice" else content.kind
    if is_web_link(content.url):
        media = attachment(kind, {"url": content.url})
        if content.kind == "file" and content.file_name not in (None, file_name_of(content.url or "")):
            media = with_changes([media], ["the file keeps the name that its link has"])[0]
    elif content.media_id:
        media = attachment(kind, {"attachment_id": content.media_id})
    elif takes_uploads and is_stored(content.url):
        file = Upload(content.url or "", kind, mime_type=content.mime_type, file_name=content.file_name)
        media = attachment(kind, {"attachment_id": file})
    else:
        return written_media(content, asked, why="no web link")
    if not content.caption:
        return asked.followed_by_buttons(media)
    return with_changes([media, *asked.texts(content.caption)], ["caption sent as its own message"])


def written_media(content: MediaContent, asked: Asked, *, why: str) -> list[Draft]:
    """Media that cannot be sent: its caption, name and link say at least what was meant."""
    words = "\n".join(filter(None, (content.caption, content.file_name, shown_link(content.url))))
    return asked.texts(words or f"[{content.kind}]", f"{content.kind} written as text: {why}")


def render_sticker(content: StickerContent, asked: Asked) -> list[Draft]:
    """A sticker of another platform."""
    if is_web_link(content.url):
        return asked.followed_by_buttons(attachment("image", {"url": content.url}), "sticker sent as an image")
    return asked.texts(content.emoji or "[sticker]", "sticker written as text")


def render_location(content: LocationContent, asked: Asked) -> list[Draft]:
    link = f"https://www.google.com/maps?q={content.latitude},{content.longitude}"
    words = "\n".join(filter(None, (content.name, content.address, link)))
    return asked.texts(words, "location written as text with a map link")


def render_contact(content: ContactContent, asked: Asked) -> list[Draft]:
    words = "\n".join(filter(None, (content.name, *content.phones, *content.emails)))
    return asked.texts(words, "contact written as text")


def render_card(content: CardContent, asked: Asked) -> list[Draft]:
    return card_drafts(content, asked.buttons, asked.limits)


COMMON: Renderers = {
    TextContent: render_text,
    MediaContent: render_media,
    StickerContent: render_sticker,
    LocationContent: render_location,
    ContactContent: render_contact,
    CardContent: render_card,
}
