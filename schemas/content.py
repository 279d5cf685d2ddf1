"""What people write to each other: the content kinds of ``data.content``.

Content lives in that one field and nowhere else, so that it can be sealed or erased without touching the rest.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from schemas.base import Model


class TextContent(Model):
    """Plain text as the platform gave it; ``entities`` keeps mentions, commands and links in the platform's form."""

    kind: Literal["text"] = "text"
    text: str
    entities: tuple[dict[str, JsonValue], ...] = ()


class MediaContent(Model):
    """A picture, film, sound or file, by link or by the platform's id; ``sha256`` is lowercase hex; sizes in bytes."""

    kind: Literal["image", "video", "audio", "voice", "file"]
    url: str | None = None
    media_id: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    caption: str | None = None
    duration_ms: int | None = None
    preview_url: str | None = None
    album_id: str | None = None


class StickerContent(Model):
    """``sticker_id`` names it in the platform's catalogue; its picture is had by link or by ``media_id``, if at all."""

    kind: Literal["sticker"] = "sticker"
    sticker_id: str
    package_id: str | None = None
    url: str | None = None
    emoji: str | None = None
    keywords: tuple[str, ...] = ()
    media_id: str | None = None


class LocationContent(Model):
    """WGS 84 degrees."""

    kind: Literal["location"] = "location"
    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


class ContactContent(Model):
    kind: Literal["contact"] = "contact"
    name: str
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    user_id: str | None = None
    vcard: str | None = None


class ChoiceContent(Model):
    """A tap: ``data`` is what the business attached to the button, ``title`` what the person saw on it."""

    kind: Literal["choice"] = "choice"
    data: str
    title: str | None = None
    source: Literal["postback", "button", "quick_reply", "list_reply", "callback", "menu", "form"] = "postback"
    values: dict[str, JsonValue] = Field(default_factory=dict)


class StoryContent(Model):
    kind: Literal["story"] = "story"
    relation: Literal["mention", "reply"]
    story_id: str | None = None
    url: str | None = None
    text: str | None = None


class ShareContent(Model):
    """Something that is elsewhere. Of ``share_type`` ``link`` it is a page, else what the platform has under this name
    (a post, a reel, a story), and ``url`` leads to its picture or film."""

    kind: Literal["share"] = "share"
    url: str | None = None
    title: str | None = None
    share_type: str = "link"
    share_id: str | None = None


class TemplateButton(Model):
    """The variable of one of a template's own buttons: of the tap, of the link's end, or the code to copy. ``index``
    counts all buttons from 0."""

    index: int = Field(ge=0)
    type: Literal["quick_reply", "url", "copy_code"]
    value: str


TemplateHeader = Annotated[TextContent | MediaContent | LocationContent, Field(discriminator="kind")]


class TemplateContent(Model):
    """A named, platform-approved template with its variables, or a copy of a structured message.

    ``parameters`` are those of the body in their order, ``named_parameters`` by name, for templates that name them.
    ``language`` defaults to Thai. ``native`` is merged over what is made of all this, in the platform's own form.
    """

    kind: Literal["template"] = "template"
    name: str
    language: str | None = None
    parameters: tuple[str, ...] = ()
    named_parameters: dict[str, str] = Field(default_factory=dict)
    header: TemplateHeader | None = None
    buttons: tuple[TemplateButton, ...] = ()
    fallback_text: str | None = None
    native: dict[str, JsonValue] = Field(default_factory=dict)


class OrderContent(Model):
    kind: Literal["order"] = "order"
    catalog_id: str | None = None
    text: str | None = None
    items: tuple[dict[str, JsonValue], ...] = ()


class SystemContent(Model):
    """A service message of the platform (title changed, call missed, pinned); ``event`` names it."""

    kind: Literal["system"] = "system"
    event: str
    text: str | None = None
    values: dict[str, JsonValue] = Field(default_factory=dict)


class UnsupportedContent(Model):
    """Kept though not understood: ``raw`` is what the platform sent."""

    kind: Literal["unsupported"] = "unsupported"
    native_kind: str
    raw: Any = None


Content = Annotated[
    TextContent
    | MediaContent
    | StickerContent
    | LocationContent
    | ContactContent
    | ChoiceContent
    | StoryContent
    | ShareContent
    | TemplateContent
    | OrderContent
    | SystemContent
    | UnsupportedContent,
    Field(discriminator="kind"),
]
