"""Telegram's Bot API as this product meets it: addresses, headers, limits and names on the wire. Data only.

Every number names the section of "Telegram Bot API" (core.telegram.org, version 10.3) or of the "Bots FAQ" it is from.
"""

OFFICIAL_BASE = "https://api.telegram.org"
"""Section "Making requests". ``api_base`` of a channel replaces it (own Bot API server, proxy, test)."""

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 - the header's name, not a secret
"""Section "setWebhook", parameter ``secret_token``: the shared value comes back in this header of every update."""

WEBHOOK_PORTS = (443, 80, 88, 8443)
"""Section "setWebhook", "Notes"."""

ANSWER_WITHIN_S = 5.0
"""Undocumented; the common limit of the other platforms is used. Unanswered updates are repeated for at most 24 h."""

TEXT_UNITS_MAX = 4096
"""Section "sendMessage", ``text``: 1-4096 characters after entities parsing, counted in UTF-16 code units."""

CAPTION_UNITS_MAX = 1024
"""Section "sendPhoto", ``caption``: 0-1024 characters after entities parsing, counted in UTF-16 code units."""

CALLBACK_DATA_BYTES_MAX = 64
"""Section "InlineKeyboardButton", ``callback_data``: 1-64 bytes."""

ROW_BUTTONS_MAX = 8
"""Buttons side by side that clients still show (unverified: not in the documentation)."""

KEYBOARD_BUTTONS_MAX = 100
"""Buttons of one keyboard before "reply markup too long" (unverified: not in the documentation)."""

LABEL_MAX = 64
"""Our choice, in graphemes: a phone shows less, and long ones make the markup too long."""

QUICK_REPLIES_PER_ROW = 2
"""Our choice: labels of about 15 characters stay readable on a phone."""

VCARD_BYTES_MAX = 2048
"""Section "sendContact", ``vcard``: 0-2048 bytes."""

PHOTO_URL_BYTES_MAX = 5 * 1024 * 1024
"""Section "Sending files": by HTTP URL at most 5 MB for photos."""

FILE_URL_BYTES_MAX = 20 * 1024 * 1024
"""Section "Sending files": by HTTP URL at most 20 MB for other types of content."""

VOICE_URL_BYTES_MAX = 1024 * 1024
"""Section "sendVoice": by HTTP URL, a voice note above 1 MB arrives as a file."""

DOCUMENT_URL_TYPES = {
    "application/pdf": (".pdf",),
    "application/zip": (".zip",),
    "image/gif": (".gif",),
}
"""Section "Sending files": sendDocument by URL takes only .PDF, .ZIP and .GIF files. MIME type → endings."""

MEGABYTE = 1_000_000
"""The smaller reading of "MB": what fits under it fits under both."""

UPLOAD_BYTES_MAX = {
    "photo": 10 * MEGABYTE,
    **dict.fromkeys(("video", "audio", "voice", "document"), 50 * MEGABYTE),
}
"""Section "Sending files": by upload, by the field that takes the file."""

PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Ours, of what is uploaded: pictures of other types go as files, because a refused photo is a lost message."""

VOICE_TYPES = frozenset({"audio/ogg", "audio/opus", "audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"})
"""Section "sendVoice": .OGG with OPUS, .MP3 or .M4A; others may only be sent as audio or document."""

BUTTON_URL_SCHEMES = frozenset({"http", "https", "tg"})
"""Section "InlineKeyboardButton", ``url``: HTTP or tg:// URL; any other makes the whole message fail."""

MEDIA_METHODS = {
    "image": ("sendPhoto", "photo"),
    "video": ("sendVideo", "video"),
    "audio": ("sendAudio", "audio"),
    "voice": ("sendVoice", "voice"),
    "file": ("sendDocument", "document"),
}
"""Our media kind → method and the field that takes the link or ``file_id`` (section "Available methods")."""

ALBUM_GROUPS = {"photo": "visual", "video": "visual", "audio": "audio", "document": "document"}
"""Section "sendMediaGroup": photos and videos may be mixed, audio and documents go among their own kind only."""

ALBUM_ITEMS_MAX = 10
"""The same section: 2-10 items."""

CALLBACK_TEXT_MAX = 200
"""Section "answerCallbackQuery", ``text``: 0-200 characters."""

REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡"
) | frozenset({"❤\u200d🔥", "👨\u200d💻", "🤷\u200d♂", "🤷\u200d♀"})
"""Section "ReactionTypeEmoji": the only ones there are, without variation selectors."""

VARIATION_SELECTOR = "\ufe0f"
"""Asks for the colourful form of a character; Telegram's reactions are written without it."""

EDIT_METHODS = {"sendPhoto": "photo", "sendVideo": "video", "sendAudio": "audio", "sendDocument": "document"}
"""Methods whose media can take another's place (section "InputMedia"), with the type that it has there."""

BUSINESS_SEPARATOR = "~"
"""Between chat id and business connection id in a peer: such a chat may share its id with the bot's own chat."""


def method_url(base: str | None, method: str) -> str:
    """Absolute address of a method; the token, which is part of the path, stays a placeholder."""
    return f"{(base or OFFICIAL_BASE).rstrip('/')}/bot{{secret:bot_token}}/{method}"


def file_url(base: str | None, path: str) -> str:
    """Absolute address of a file by the path of "getFile"; the token stays a placeholder."""
    return f"{(base or OFFICIAL_BASE).rstrip('/')}/file/bot{{secret:bot_token}}/{path}"


def peer(chat_id: str, business_connection_id: str | None = None) -> str:
    """Chat id, with the business connection where there is one."""
    return f"{chat_id}{BUSINESS_SEPARATOR}{business_connection_id}" if business_connection_id else chat_id


def split_peer(value: str) -> tuple[int | str, str | None]:
    """Back to the ``chat_id`` of a request (a number unless it is a channel's @name) and the business connection."""
    chat, _, business = value.partition(BUSINESS_SEPARATOR)
    digits = chat.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 18
    return (int(chat) if is_number else chat), business or None
