"""Messenger's Send API: endpoint, limits and error codes.

Sources: Messenger Platform "Send API", "Quick Replies", "Button Template", "Generic Template", "Common Error Codes";
https://developers.facebook.com/documentation/business-messaging/messenger-platform
"""

from connectors.shared.meta.drafts import Limits
from connectors.shared.meta.meanings import AMBIGUOUS, PERMANENT, RETRYABLE, UNREACHABLE, Meaning, Meanings
from connectors.shared.text import characters

API_BASE = "https://graph.facebook.com"
GRAPH_VERSION = "v26.0"
"""Released 29 July 2026 ("Graph API Changelog"); a call without a version gets the app's oldest."""

LIMITS = Limits(text_max=2000, text_measure=characters, asks={"phone": "user_phone_number", "email": "user_email"})
"""Text from "Send API: message.text"; the others are common to Meta's message templates."""

MEGABYTE = 1_000_000
"""The smaller reading of "MB": what fits under it fits under both."""

IMAGE_LINK_BYTES_MAX = 8 * MEGABYTE
MEDIA_BYTES_MAX = 25 * MEGABYTE
"""Of a picture by link, and of all other media ("Send API": attachments)."""

UPLOAD_LIFE_S = 90 * 86_400.0
"""Of the id of an upload ("Saving assets")."""

UPLOAD_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "file": "application/octet-stream",
}
"""By type of attachment: what is said of an upload whose type nobody knows."""

ATTACHMENT_UNKNOWN = frozenset({"100/2018074"})
"""The attachment is not the page's, or is gone ("Common Error Codes")."""

PRODUCTS_MAX = 10
"""Products of one message ("Product Template")."""

REACTIONS = {"❤": "love", "😆": "smile", "😮": "wow", "😢": "sad", "😠": "angry", "👍": "like", "👎": "dislike"}
"""What can be named ("Webhook: message reactions"), by the emoji that it stands for."""

HOUR_S = 3600.0

ERROR_MEANINGS: Meanings = {
    # "Invalid JSON reply": Meta lost its own answer, so the message may have gone out.
    (1, 1357046): AMBIGUOUS,
    # Outside of the allowed window.
    (10, 2018278): PERMANENT,
    # The page is restricted for some hours.
    (10, 1893063): Meaning(retryable=True, channel_wide=True, wait_s=HOUR_S),
    (100, 2018001): UNREACHABLE,
    # Meta could not fetch the media, or not in time.
    (100, 2018008): RETRYABLE,
    (100, 2018294): RETRYABLE,
    (200, 1545041): UNREACHABLE,
    (551, None): UNREACHABLE,
    (1200, None): RETRYABLE,
    (2018108, None): UNREACHABLE,
}
"""Beside the generic ones ("Common Error Codes")."""
