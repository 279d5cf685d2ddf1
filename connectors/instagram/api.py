"""Instagram's Send API: its two hosts, limits, media and error codes.

Sources: Instagram Platform "Instagram API with Instagram Login", "Send messages" and "Instagram Messaging overview";
https://developers.facebook.com/docs/instagram-platform
"""

from collections.abc import Mapping

from connectors.shared.meta.drafts import Limits
from connectors.shared.meta.meanings import (
    AMBIGUOUS,
    CHANNEL_WIDE,
    PERMANENT,
    RETRYABLE,
    UNREACHABLE,
    Meaning,
    Meanings,
)
from connectors.shared.text import utf8_bytes

INSTAGRAM_BASE = "https://graph.instagram.com"
"""For accounts that logged in with Instagram itself."""
FACEBOOK_BASE = "https://graph.facebook.com"
"""For accounts that are linked to a Facebook page and written to with its token."""

GRAPH_VERSION = "v26.0"
"""Released 29 July 2026 ("Graph API Changelog"); a call without a version gets the app's oldest."""

LIMITS = Limits(text_max=1000, text_measure=utf8_bytes)
"""Text in bytes of UTF-8 ("Send messages"): 333 Thai letters; the others are common to Meta's message templates."""

IMAGES_MAX = 10
"""Pictures of one message ("Instagram Messaging changelog", 6 May 2026)."""

MEGABYTE = 1_000_000
"""The smaller reading of "MB": what fits under it fits under both."""

MEDIA_BYTES_MAX: Mapping[str, int] = {
    "image": 8 * MEGABYTE,
    "video": 25 * MEGABYTE,
    "audio": 25 * MEGABYTE,
    "voice": 25 * MEGABYTE,
    "file": 25 * MEGABYTE,
}
"""By content kind ("Send messages")."""

SOUNDS = frozenset({"audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4", "audio/wav", "audio/x-wav", "audio/wave"})

MIME_TYPES: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/png", "image/jpeg"}),
    "video": frozenset({"video/mp4", "video/ogg", "video/x-msvideo", "video/avi", "video/quicktime", "video/webm"}),
    "audio": SOUNDS,
    "voice": SOUNDS,
    "file": frozenset({"application/pdf"}),
}
"""What is taken, by content kind ("Send messages"); PDF since December 2025."""

HEART = "like_heart"
"""The one sticker there is ("Send messages": heart sticker)."""
OWN_POST = "MEDIA_SHARE"
"""A post of the account's own, by its id ("Send messages": published post)."""

REACTIONS = {"❤": "love"}
"""The one reaction that can be sent ("Send messages": react to a message)."""

HOUR_S = 3600.0

ERROR_MEANINGS: Meanings = {
    # "Invalid JSON reply": Meta lost its own answer, so the message may have gone out.
    (1, 1357046): AMBIGUOUS,
    # Outside of the allowed window.
    (10, 2534022): PERMANENT,
    # The account is restricted for some hours.
    (10, 1893063): Meaning(retryable=True, channel_wide=True, wait_s=HOUR_S),
    (2534122, None): Meaning(retryable=True, channel_wide=True, wait_s=HOUR_S),
    # No such person.
    (100, 2534014): UNREACHABLE,
    # The person blocked this account, or messages that an app sends.
    (100, 2534029): UNREACHABLE,
    # Meta could not fetch the media, or not in time.
    (100, 2018008): RETRYABLE,
    (100, 2018294): RETRYABLE,
    (200, 1545041): UNREACHABLE,
    # The owner switched "Allow access to messages" off in the app.
    (200, 2534041): CHANNEL_WIDE,
    (551, None): UNREACHABLE,
}
"""Beside the generic ones. Sources: "Instagram Messaging overview"; on media and lost answers Messenger's table."""
