"""LINE as the product sees it: its facts, and its pure functions under one name."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.interface import Accepted, Attempts, Call, Channel, Field, Unprocessable, WebhookRequest, Window
from connectors.line import api, events, plan, webhook
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage


class Line:
    """The pure half of the LINE connector; see ``connectors.interface.Platform`` for the contract."""

    name = "line"
    prefix = events.PREFIX
    answer_within_s = api.ANSWER_WITHIN_S
    reply_token_life_s = api.REPLY_TOKEN_LIFE_S
    attempts = Attempts(count=3, timeout_s=4.0)
    fields: tuple[Field, ...] = (
        Field("channel_secret", "LINE Developers console, channel, Basic settings: Channel secret", is_secret=True),
        Field("access_token", "same console, Messaging API: Channel access token (long-lived)", is_secret=True),
        Field(
            "bot_user_id",
            "userId (U…) of GET /v2/bot/info; with it, webhooks for another bot are refused",
            is_required=False,
        ),
    )
    capabilities: Mapping[str, Any] = {
        "text_max": api.TEXT_UTF16_MAX,
        "quick_replies": api.QUICK_REPLIES_MAX,
        "buttons": api.TEMPLATE_ACTIONS_MAX,
        "cards": api.CAROUSEL_BUBBLES_MAX,
        "flex": True,
        "quotes": True,
        "media": ["image", "video", "audio", "voice", "sticker", "location"],
    }

    # The contract of each stands in ``Platform``, what LINE adds to it in the function that is called.

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        return webhook.accept(request, channel, channels)

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        return webhook.split(body, channel, channels)

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        return events.normalise(raw)

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        return plan.plan(message, window, channel)
