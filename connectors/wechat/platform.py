"""WeChat as the product sees it: its facts, and its pure functions under one name."""

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
from connectors.wechat import api, normalise, plan, webhook
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent
from schemas.outbound import OutboundMessage

MESSAGES_PER_TURN = 5
"""Messages that one message of a follower allows, within 48 h ("Send customer service messages", 客服消息)."""


class WeChat:
    """The pure half of the WeChat connector; see ``connectors.interface.Platform`` for the contract."""

    name = "wechat"
    prefix = normalise.PREFIX
    answer_within_s = api.ANSWER_WITHIN_S
    reply_token_life_s = 0.0
    attempts = Attempts(count=3, timeout_s=5.0)
    fields: tuple[Field, ...] = (
        Field("app_id", "WeChat console, Settings and Development, Basic configuration: AppID (wx…)"),
        Field("app_secret", "same page: AppSecret", is_secret=True),
        Field("token", "same page, Server configuration: the Token that you invented, 3-32 letters", is_secret=True),
        Field(
            "encoding_aes_key",
            "same place: EncodingAESKey, 43 characters; with it only encrypted messages are taken",
            is_secret=True,
            is_required=False,
        ),
        Field(
            "original_id",
            "the account's original id (gh_…); with it, messages for another account are refused",
            is_required=False,
        ),
    )
    capabilities: Mapping[str, Any] = {
        "text_max": api.TEXT_BYTES_MAX,
        "text_unit": "bytes",
        "messages_per_turn": MESSAGES_PER_TURN,
        "quick_replies": api.MENU_ITEMS_MAX,
        "buttons": api.MENU_ITEMS_MAX,
        "button_data_bytes_max": api.MENU_ID_BYTES_MAX,
        "cards": 1,
        # By id of an upload to WeChat; by link it takes none of them.
        "media": ["image", "video", "voice"],
    }

    # The contract of each stands in ``Platform``, what WeChat adds to it in the function that is called.

    def accept(self, request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
        return webhook.accept(request, channel, channels)

    def split(self, body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
        return webhook.split(body, channel, channels)

    def normalise(self, raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
        return normalise.normalise(raw)

    def plan(self, message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
        return plan.plan(message, window, channel)
