"""WhatsApp's Cloud API: endpoint, limits and error codes.

Sources: WhatsApp Business Platform "Messages" reference, "Interactive reply buttons", "Interactive list", "Interactive
call-to-action URL button", "Error codes", "Throughput"; https://developers.facebook.com/documentation/business-messaging
"""

from collections.abc import Mapping

from connectors.shared.meta.meanings import CHANNEL_WIDE, PERMANENT, RETRYABLE, TOO_FAST, UNREACHABLE, Meaning, Meanings

API_BASE = "https://graph.facebook.com"
GRAPH_VERSION = "v26.0"
"""Released 29 July 2026 ("Graph API Changelog"); a call without a version gets the app's oldest."""

TEXT_MAX = 4096  # "Text messages": text.body
CAPTION_MAX = 1024  # "Image messages": caption
BUTTONS_MAX = 3  # "Interactive reply buttons"
BUTTON_BODY_MAX = 1024  # the same, and "Interactive call-to-action URL button"
BUTTON_TITLE_MAX = 20  # the same
BUTTON_ID_MAX = 256  # the same
LIST_BODY_MAX = 4096  # "Interactive list"
LIST_BUTTON_MAX = 20  # the same: the label that opens the list
ROWS_MAX = 10  # the same: in all sections together
ROW_TITLE_MAX = 24  # the same
ROW_DESCRIPTION_MAX = 72  # the same
ROW_ID_MAX = 200  # the same
SECTION_TITLE_MAX = 24  # the same, and "Multi-product messages"
SECTIONS_MAX = 10  # the same
HEADER_MAX = 60  # "Interactive list": header.text
FOOTER_MAX = 60  # the same: footer.text
PRODUCTS_MAX = 30  # "Multi-product messages": in all sections together
CAROUSEL_CARDS_MAX = 10  # "Interactive media carousel", two at least
CAROUSEL_TEXT_MAX = 160  # the same: a card's body
CAROUSEL_LINES_MAX = 2  # the same: line breaks in it
OPAQUE_MAX = 512  # "Messages" reference: biz_opaque_callback_data
"""All texts are measured in characters."""

MEGABYTE = 1_000_000
"""The smaller reading of "MB": what fits under it fits under both."""

MEDIA_BYTES_MAX: Mapping[str, int] = {
    "image": 5 * MEGABYTE,
    "audio": 16 * MEGABYTE,
    "video": 16 * MEGABYTE,
    "document": 100 * MEGABYTE,
}
"""By message type ("Media": supported media types)."""

UPLOAD_LIFE_S = 30 * 86_400.0
"""The same page: how long the id of an upload is valid."""

UPLOAD_TYPES: Mapping[str, str] = {
    "image": "image/jpeg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "document": "application/octet-stream",
}
"""What is said of an upload whose type nobody knows; an upload has to name one."""

MEDIA_UNKNOWN = frozenset({"100", "131009", "131052", "131053"})
"""Codes that a message with a media id may be refused by when the id is not valid any more ("Error codes": invalid
parameter, media download, media upload)."""

MIME_TYPES: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png"}),
    "audio": frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"}),
    "video": frozenset({"video/mp4", "video/3gpp", "video/3gp"}),
}
"""The same; a document may be of any type."""

PAIR_WAIT_S = 6.0
"""One message per 6 s to the same person ("Throughput": pair rate limit)."""

MAINTENANCE_S = 60.0
"""A number is out of use for up to a minute while its throughput is raised ("Throughput")."""

HOUR_S = 3600.0

_FORBIDDEN: Meanings = {(code, None): CHANNEL_WIDE for code in (0, 3, 10, *range(200, 300))}
"""Token, capability or permission is missing: here, other than on Messenger, that never depends on the message."""

ERROR_MEANINGS: Meanings = {
    **_FORBIDDEN,
    # The object in the path does not exist for this token: the channel's phone_number_id is wrong.
    (100, 33): CHANNEL_WIDE,
    # Access denied, account locked, payment missing, number or display name not ready: a person has to act.
    (131005, None): CHANNEL_WIDE,
    (131031, None): CHANNEL_WIDE,
    (131037, None): CHANNEL_WIDE,
    (131042, None): CHANNEL_WIDE,
    (131045, None): CHANNEL_WIDE,
    (133010, None): CHANNEL_WIDE,
    # Too much: of the number, of the pair, of low quality, of groups, of flows. These come inside HTTP 400 too.
    (130429, None): TOO_FAST,
    (131056, None): Meaning(retryable=True, wait_s=PAIR_WAIT_S),
    (131048, None): Meaning(retryable=True, channel_wide=True, wait_s=HOUR_S),
    (131208, None): RETRYABLE,
    (132069, None): RETRYABLE,
    (133016, None): RETRYABLE,
    # WhatsApp's own trouble, and media that it could not fetch this time.
    (131000, None): RETRYABLE,
    (131016, None): RETRYABLE,
    (131052, None): RETRYABLE,
    (131053, None): RETRYABLE,
    (131057, None): Meaning(retryable=True, channel_wide=True, wait_s=MAINTENANCE_S),
    # No WhatsApp, an old client, terms not accepted, or we are blocked.
    (131026, None): UNREACHABLE,
    # Permanent whatever HTTP status they come with: the message is wrong, or not wanted.
    **{
        (code, None): PERMANENT
        for code in (
            *(100, 130472, 130497, 131008, 131009, 131020, 131021, 131030, 131041, 131047, 131049, 131050, 131051),
            *(131062, 131063, 131064, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068),
            *(135000, 137000),
        )
    },
}
"""By code, beside the generic ones ("Error codes"); unknown codes follow ``is_transient`` and the HTTP status."""
