"""``iris.outbound.<platform>``: one neutral message with its parts, as the planner of each platform receives it."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from schemas.base import Model, Timestamp
from schemas.content import ContactContent, LocationContent, MediaContent, StickerContent, TemplateContent, TextContent


class Button(Model):
    """A tap that comes back as ``choice_made`` (``data``) or opens a link (``url``); exactly one of the two is set."""

    label: str
    data: str | None = None
    url: str | None = None


class Card(Model):
    """One card: the parts that every platform has; ``color`` is ``#RRGGBB``."""

    title: str | None = None
    text: str | None = None
    image_url: str | None = None
    buttons: tuple[Button, ...] = ()
    color: str | None = None


class CardContent(Model):
    """One card, or several side by side; ``flex`` is a ready card in LINE's Flex form, used where it is understood."""

    kind: Literal["card"] = "card"
    cards: tuple[Card, ...] = Field(min_length=1)
    alt_text: str
    flex: dict[str, JsonValue] | None = None


PartContent = Annotated[
    TextContent | MediaContent | StickerContent | LocationContent | ContactContent | TemplateContent | CardContent,
    Field(discriminator="kind"),
]


class Part(Model):
    """The unit of delivery and of the books. ``rows`` are inline buttons, ``quick_replies`` vanish after one tap."""

    id: str
    content: PartContent
    rows: tuple[tuple[Button, ...], ...] = ()
    quick_replies: tuple[Button, ...] = ()


class OutboundMessage(Model):
    """What is to be said in one turn, in order.

    ``reply_token`` and ``callback_ids`` come from the events that are answered; ``received_at`` is when the newest of
    them was accepted, ``answered_at`` when the AI had answered: both serve to measure our own time.
    """

    id: str
    conversation_id: str
    platform: str
    channel: str
    peer: str
    parts: tuple[Part, ...] = Field(min_length=1)
    reply_to: str | None = None
    reply_token: str | None = None
    reply_token_at: Timestamp | None = None
    callback_ids: tuple[str, ...] = ()
    last_inbound_at: Timestamp | None = None
    origin: Literal["bot", "human", "system"] = "bot"
    causation_id: str
    correlation_id: str
    created_at: Timestamp
    received_at: Timestamp | None = None
    own_ms_before_ai: float | None = None
    answered_at: float | None = None
    language: str | None = None
