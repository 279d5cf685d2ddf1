"""LINE Messaging API: addresses, limits and envelope, as its documentation has them (LINE Developers)."""

from typing import Any

import msgspec

API_BASE = "https://api.line.me"
REPLY_PATH = "/v2/bot/message/reply"
PUSH_PATH = "/v2/bot/message/push"
INFO_PATH = "/v2/bot/info"
ENDPOINT_PATH = "/v2/bot/channel/webhook/endpoint"
TEST_PATH = "/v2/bot/channel/webhook/test"
QUOTA_PATH = "/v2/bot/message/quota"
CONSUMPTION_PATH = "/v2/bot/message/quota/consumption"
DATA_BASE = "https://api-data.line.me"
"""The other host: "Messaging API reference", Get content."""
CONTENT_PATH = "/v2/bot/message/{id}/content"
PROFILE_PATH = "/v2/bot/profile/{user}"
PROFILE_PATHS = {"C": "/v2/bot/group/{peer}/member/{user}", "R": "/v2/bot/room/{peer}/member/{user}"}
"""By the first letter of a conversation's peer: a group's members need not be friends of the account."""
RETRY_KEY_HEADER = "X-Line-Retry-Key"
LOADING_PATH = "/v2/bot/chat/loading/start"
MARK_AS_READ_PATH = "/v2/bot/chat/markAsRead"
SIGNATURE_HEADER = "x-line-signature"

ANSWER_WITHIN_S = 2.0
"""Later is counted as request_timeout ("Check webhook error causes and statistics")."""

REPLY_TOKEN_LIFE_S = 50.0
"""To be used within one minute ("Messaging API reference", reply); ten seconds are left for the way there."""

# "Messaging API reference", message objects; texts in UTF-16 units ("Text character count"), labels in graphemes.
OBJECTS_PER_CALL = 5
TEXT_UTF16_MAX = 5000
ALT_TEXT_MAX = 1500
MEDIA_URL_MAX = 2000
LOCATION_TEXT_MAX = 100
MEDIA_BYTES_MAX = {"image": 10_000_000, "video": 200_000_000, "audio": 200_000_000, "voice": 200_000_000}
PREVIEW_BYTES_MAX = 1_000_000
QUICK_REPLIES_MAX = 13
LABEL_MAX = 20
POSTBACK_DATA_MAX = 300
DISPLAY_TEXT_MAX = 300
URI_MAX = 10_000

LOADING_S = 5
"""Shortest time the loading animation is shown; a message ends it ("Display a loading animation")."""

# "Template message reference", buttons template without image or title.
TEMPLATE_TEXT_MAX = 160
TEMPLATE_ACTIONS_MAX = 4

# "Messaging API reference", Flex message.
CAROUSEL_BUBBLES_MAX = 12
BUBBLE_BYTES_MAX = 30_000
CAROUSEL_BYTES_MAX = 50_000

# What tells answers of the same status apart, in lower case: LINE's errors have no codes.
SPENT_REPLY_TEXT = "invalid reply token"
MONTHLY_LIMIT_TEXT = "monthly limit"

PEER_MEMBERS = {"user": "userId", "group": "groupId", "room": "roomId"}
"""Where a source of each type names the conversation."""


class Envelope(msgspec.Struct):
    """A webhook body; ``events`` stay the exact bytes that came."""

    events: list[msgspec.Raw]
    destination: Any = None
