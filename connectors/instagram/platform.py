"""Instagram as the rest of the product sees it: its facts, and its pure half put together."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.instagram.api import IMAGES_MAX, LIMITS
from connectors.instagram.plan import plan_message
from connectors.instagram.webhook import DIALECT
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
from connectors.shared.meta.entries import split_messaging
from connectors.shared.meta.normalise import normalise_messaging
from connectors.shared.meta.webhook import APP_ID, APP_SECRET, GRAPH_VERSION, VERIFY_TOKEN, accept_signed
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage


class Instagram:
    """Instagram Direct: professional accounts of an app, by either login. No reply tokens; a webhook is to be answered
    within 5 s (Messenger's rule, which Meta extends to Instagram accounts)."""

    name: str = DIALECT.name
    prefix: str = DIALECT.prefix
    answer_within_s: float = 5.0
    reply_token_life_s: float = 0.0
    fields: tuple[Field, ...] = (
        Field(DIALECT.account_field, "the account's user_id, 17841…, which is not the id that /me gives as well"),
        APP_SECRET,
        VERIFY_TOKEN,
        Field("access_token", "an Instagram user token, or with page_id that page's access token", is_secret=True),
        Field("page_id", "the linked Facebook page, when the access_token is that page's", is_required=False),
        APP_ID,
        GRAPH_VERSION,
    )
    attempts: Attempts = Attempts(count=3, timeout_s=5.0)
    capabilities: Mapping[str, Any] = {
        "text_max": LIMITS.text_max,
        "text_unit": "utf8",
        "quick_replies": LIMITS.quick_replies_max,
        "buttons": LIMITS.buttons_max,
        "button_label_max": LIMITS.title_max,
        "cards": LIMITS.elements_max,
        "images": IMAGES_MAX,
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
