"""``iris.outbound.<platform>``: one neutral message with its parts, as the planner of each platform receives it."""

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from schemas.base import Model, Timestamp
from schemas.content import ContactContent, LocationContent, MediaContent, StickerContent, TemplateContent, TextContent


class Button(Model):
    """A tap that comes back as ``choice_made`` (``data``), opens a link (``url``), or hands over something of the
    person's own (``asks``); exactly one of the three is set. ``description`` is the second line of a list's row."""

    label: str
    data: str | None = None
    url: str | None = None
    asks: Literal["location", "phone", "email"] | None = None
    description: str | None = None


class Card(Model):
    """One card: the parts that every platform has; ``color`` is ``#RRGGBB``, a tap on the card itself opens ``url``."""

    title: str | None = None
    text: str | None = None
    image_url: str | None = None
    buttons: tuple[Button, ...] = ()
    color: str | None = None
    url: str | None = None


class CardContent(Model):
    """One card, or several side by side; ``flex`` is a ready card in LINE's Flex form, used where it is understood."""

    kind: Literal["card"] = "card"
    cards: tuple[Card, ...] = Field(min_length=1)
    alt_text: str
    flex: dict[str, JsonValue] | None = None


class Section(Model):
    """Rows of a list under a heading."""

    title: str | None = None
    rows: tuple[Button, ...] = Field(min_length=1)


class ListContent(Model):
    """A list to choose one row from; ``label`` stands on the button that opens it where it is closed at first."""

    kind: Literal["list"] = "list"
    text: str
    sections: tuple[Section, ...] = Field(min_length=1)
    title: str | None = None
    footer: str | None = None
    label: str | None = None


class ProductSection(Model):
    """Products of the catalogue, by the ids that they have there, under a heading."""

    title: str | None = None
    product_ids: tuple[str, ...] = Field(min_length=1)


class ProductContent(Model):
    """One product, several, or, without sections, the whole catalogue, as the platform shows them. ``cards`` say the
    same where there is no catalogue."""

    kind: Literal["product"] = "product"
    text: str
    catalog_id: str | None = None
    sections: tuple[ProductSection, ...] = ()
    title: str | None = None
    footer: str | None = None
    cards: tuple[Card, ...] = ()


class MiniProgramContent(Model):
    """A card that opens a program inside the chat app: ``image_id`` is the platform's id of its picture. ``url`` and
    ``image_url`` stand in for program and picture where there are no such programs."""

    kind: Literal["mini_program"] = "mini_program"
    title: str
    app_id: str
    page: str
    image_id: str | None = None
    url: str | None = None
    image_url: str | None = None


class ReactionContent(Model):
    """An emoji on a message of the conversation; None takes ours away again."""

    kind: Literal["reaction"] = "reaction"
    message_id: str
    emoji: str | None = None


class DeletionContent(Model):
    """Takes a message of ours back; ``message_id`` is the platform's."""

    kind: Literal["deletion"] = "deletion"
    message_id: str


PartContent = Annotated[
    TextContent
    | MediaContent
    | StickerContent
    | LocationContent
    | ContactContent
    | TemplateContent
    | CardContent
    | ListContent
    | ProductContent
    | MiniProgramContent
    | ReactionContent
    | DeletionContent,
    Field(discriminator="kind"),
]


class Part(Model):
    """The unit of delivery and of the books. ``rows`` are inline buttons, ``quick_replies`` vanish after one tap. With
    ``edit_of``, the platform's id of an earlier message of ours, the part takes that message's place."""

    id: str
    content: PartContent
    rows: tuple[tuple[Button, ...], ...] = ()
    quick_replies: tuple[Button, ...] = ()
    edit_of: str | None = None


class OutboundMessage(Model):
    """What is to be said in one turn, in order; nothing (no ``parts``) where taps are answered and no more.

    ``reply_token`` and ``callback_ids`` come from the events that are answered; ``received_at`` is when the newest of
    them was accepted, ``answered_at`` when the AI had answered: both serve to measure our own time.

    ``reply_to`` is the id of the message that is quoted, ``quote_token`` the platform's word for it where it gave one.
    Nobody sees the following by itself, and it is tried once: ``typing`` shows that an answer is coming, ``mark_read``
    is the id of the newest message that was read (``read_token`` the platform's word for it), ``callback_text`` is
    shown briefly to the person who tapped, or, with ``callback_alert``, until it is closed.
    """

    id: str
    conversation_id: str
    platform: str
    channel: str
    peer: str
    parts: tuple[Part, ...]
    reply_to: str | None = None
    reply_token: str | None = None
    reply_token_at: Timestamp | None = None
    callback_ids: tuple[str, ...] = ()
    callback_text: str | None = None
    callback_alert: bool = False
    quote_token: str | None = None
    typing: bool = False
    mark_read: str | None = None
    read_token: str | None = None
    last_inbound_at: Timestamp | None = None
    origin: Literal["bot", "human", "system"] = "bot"
    causation_id: str
    correlation_id: str
    created_at: Timestamp
    received_at: Timestamp | None = None
    own_ms_before_ai: float | None = None
    answered_at: float | None = None
    language: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.parts and not self.callback_ids:
            raise ValueError("parts: at least one is needed, unless callback_ids names taps to answer")
        return self
