"""WhatsApp as the rest of the product sees it: its facts, and its pure half put together."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.interface import (
    Accepted,
    Attempts,
    Call,
    Challenge,
    Channel,
    Field,
    Unprocessable,
    WebhookRequest,
    Window,
)
from connectors.shared.meta.webhook import APP_ID, APP_SECRET, GRAPH_VERSION, VERIFY_TOKEN
from connectors.whatsapp import api
from connectors.whatsapp.entries import ACCOUNT_FIELD, NUMBER_FIELD, split_changes
from connectors.whatsapp.item import DIALECT
from connectors.whatsapp.peers import is_bsuid
from connectors.whatsapp.plan import plan_message
from connectors.whatsapp.webhook import accept_request, normalise_raw
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage

CARDS_ADVISED = 3
"""Our advice to the AI: every card is a message of its own, and a person gets one message per 6 s in the long run."""


class WhatsApp:
    """WhatsApp Business Cloud: phone numbers of an app's business accounts. No reply tokens.

    ``answer_within_s`` is ours: the platform names no time-out, and wants less than 1 % above a second. Five attempts
    of 3 s each are the product's default for this platform.
    """

    name: str = DIALECT.name
    prefix: str = DIALECT.prefix
    answer_within_s: float = 5.0
    reply_token_life_s: float = 0.0
    fields: tuple[Field, ...] = (
        Field(NUMBER_FIELD, "the phone number's id from the app dashboard, WhatsApp > API Setup (not the number)"),
        APP_SECRET,
        VERIFY_TOKEN,
        Field("access_token", "a system user's token with whatsapp_business_messaging", is_secret=True),
        Field(
            ACCOUNT_FIELD, "the WhatsApp Business Account's id; news of another account is refused", is_required=False
        ),
        APP_ID,
        GRAPH_VERSION,
    )
    attempts: Attempts = Attempts(count=5, timeout_s=3.0)
    capabilities: Mapping[str, Any] = {
        "text_max": api.TEXT_MAX,
        "caption_max": api.CAPTION_MAX,
        "quick_replies": api.ROWS_MAX,
        "buttons": api.BUTTONS_MAX,
        "button_label_max": api.BUTTON_TITLE_MAX,
        "list_rows": api.ROWS_MAX,
        "cards": CARDS_ADVISED,
        "media": ["image", "video", "audio", "voice", "file", "sticker", "location", "contact"],
        "templates": True,
        "products": True,
        "reactions": True,
        "quotes": True,
    }

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        """See ``webhook.accept_request``."""
        return accept_request(request, channel, channels)

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        """See ``entries.split_changes``."""
        return split_changes(body, channel, channels)

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        """See ``webhook.normalise_raw``."""
        return normalise_raw(raw)

    def may_report_anonymously(self, peer: str) -> bool:
        """A failure may lack what we sent along and the business-scoped user id ("status messages webhook reference":
        all three are optional), and a person with a username has no phone number that it could name."""
        return is_bsuid(peer)

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        """See ``plan.plan_message``."""
        return plan_message(message, window, channel)
