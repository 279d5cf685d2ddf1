"""Telegram as the product sees it: the pure half, with its settings and abilities."""

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
from connectors.telegram import normalise, plan, webhook
from connectors.telegram.api import (
    ANSWER_WITHIN_S,
    CALLBACK_DATA_BYTES_MAX,
    CAPTION_UNITS_MAX,
    KEYBOARD_BUTTONS_MAX,
    TEXT_UNITS_MAX,
)
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage

CARDS_ADVISED = 10
"""Our advice to the AI: every card is a message of its own, and groups take 20 messages a minute ("Bots FAQ")."""


class Telegram:
    """See ``connectors.interface.Platform``. Two attempts of 6 s each are the product's default for this platform."""

    name = "telegram"
    prefix = normalise.PREFIX
    answer_within_s = ANSWER_WITHIN_S
    reply_token_life_s = 0.0
    fields = (
        Field("bot_token", help="the token that @BotFather gave", is_secret=True),
        Field("secret_token", help="the secret_token given to setWebhook, 1-256 of A-Z a-z 0-9 _ -", is_secret=True),
        Field("bot_username", help="the bot's user name: in groups, who mentions it is answered", is_required=False),
    )
    attempts = Attempts(count=2, timeout_s=6.0)
    capabilities: Mapping[str, Any] = {
        "text_max": TEXT_UNITS_MAX,
        "text_unit": "utf16",
        "caption_max": CAPTION_UNITS_MAX,
        "buttons": KEYBOARD_BUTTONS_MAX,
        "button_data_bytes_max": CALLBACK_DATA_BYTES_MAX,
        "quick_replies": KEYBOARD_BUTTONS_MAX,
        "cards": CARDS_ADVISED,
        "quotes": True,
        "media": ["image", "video", "audio", "voice", "file", "sticker", "location", "contact"],
    }

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        """See ``webhook.accept``."""
        return webhook.accept(request, channel, channels)

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        """See ``webhook.split``."""
        return webhook.split(body, channel, channels)

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        """See ``normalise.normalise``."""
        return normalise.normalise(raw)

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        """See ``plan.plan``."""
        return plan.plan(message, window, channel)
