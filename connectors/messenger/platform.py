"""Messenger as the rest of the product sees it: its facts, and its pure half put together."""

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
from connectors.messenger.api import LIMITS
from connectors.messenger.plan import plan_message
from connectors.messenger.webhook import DIALECT
from connectors.shared.meta.entries import split_messaging
from connectors.shared.meta.normalise import normalise_messaging
from connectors.shared.meta.webhook import APP_ID, APP_SECRET, GRAPH_VERSION, VERIFY_TOKEN, accept_signed
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage


class Messenger:
    """Facebook Messenger: pages of an app. No reply tokens; a webhook is to be answered within 5 s ("Webhooks")."""

    name: str = DIALECT.name
    prefix: str = DIALECT.prefix
    answer_within_s: float = 5.0
    reply_token_life_s: float = 0.0
    fields: tuple[Field, ...] = (
        Field("page_id", "the Facebook page's id, on the page under About > Page transparency"),
        APP_SECRET,
        VERIFY_TOKEN,
        Field("page_token", "a page access token with pages_messaging", is_secret=True),
        APP_ID,
        GRAPH_VERSION,
    )
    attempts: Attempts = Attempts(count=3, timeout_s=5.0)
    capabilities: Mapping[str, Any] = {
        "text_max": LIMITS.text_max,
        "quick_replies": LIMITS.quick_replies_max,
        "buttons": LIMITS.buttons_max,
        "button_label_max": LIMITS.title_max,
        "cards": LIMITS.elements_max,
        "quotes": True,
        "media": ["image", "video", "audio", "file"],
    }

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        """See ``shared.meta.webhook.accept_signed``."""
        return accept_signed(request, channel, channels, split=self.split)

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        """See ``shared.meta.entries.split_messaging``."""
        return split_messaging(body, DIALECT, channel, channels)

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        """See ``shared.meta.normalise.normalise_messaging``."""
        return normalise_messaging(raw, DIALECT)

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        """See ``plan.plan_message``."""
        return plan_message(message, window, channel)
