"""WeChat Official Account API: addresses, limits and error codes, as its documentation has them (WeChat Developers).

Where the documentation gives no figure for Official Accounts the nearest documented one is used, and said so.
"""

API_BASE = "https://api.weixin.qq.com"
SEND_PATH = "/cgi-bin/message/custom/send"
MEDIA_PATH = "/cgi-bin/media/get"
USER_PATH = "/cgi-bin/user/info"
TEMPLATE_PATH = "/cgi-bin/message/template/send"
DOMAIN_PATH = "/cgi-bin/get_api_domain_ip"
TYPING_PATH = "/cgi-bin/message/custom/typing"
UPLOAD_PATH = "/cgi-bin/media/upload"
TOKEN_PATH = "/cgi-bin/stable_token"  # noqa: S105 - an address

TOKEN_QUERY = "?access_token={secret:access_token}"  # noqa: S105 - a placeholder
"""The sender puts the access token here; it is no field of the channel, because it lasts two hours only."""

SEND = "custom/send"
TEMPLATE = "template/send"
TYPING = "custom/typing"

ANSWER_WITHIN_S = 5.0
"""Then the body comes again, three times in all ("Receive standard messages", 接收普通消息)."""
ANSWER = "success"
"""Says "taken, nothing to reply at once"; anything else shows the user an error of the account (被动回复用户消息)."""

BODY_BYTES_MAX = 128 * 1024
"""Ours: a message of WeChat's own stays far below, and everything larger is refused before it is parsed."""

# "Send customer service messages" (客服消息). Older texts name 600 characters.
TEXT_BYTES_MAX = 2048

# 客服消息 names no limits of a menu: these are the ones of the same message type at WeChat Customer Service
# (微信客服, 发送欢迎语等事件响应消息).
MENU_ITEMS_MAX = 10
MENU_HEAD_BYTES_MAX = 1024
MENU_ID_BYTES_MAX = 64
MENU_LABEL_BYTES_MAX = 128

# Ours: 客服消息 gives none for an article; more than this the chat would not show anyway.
ARTICLE_TITLE_BYTES_MAX = 128
ARTICLE_TEXT_BYTES_MAX = 512

# "Upload temporary media" (新增临时素材): bytes and types that are taken, by type of upload.
UPLOAD_BYTES_MAX = {"image": 10_000_000, "voice": 2_000_000, "video": 10_000_000}
UPLOAD_TYPES = {
    "image": {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/bmp": ".bmp"},
    "voice": {"audio/amr": ".amr", "audio/mpeg": ".mp3", "audio/mp3": ".mp3"},
    "video": {"video/mp4": ".mp4"},
}
VOICE_MS_MAX = 60_000

UPLOAD_LIFE_S = 3 * 86_400.0
"""The same page: an upload lives for three days."""

NATIVE_TYPES = frozenset({"miniprogrampage", "wxcard", "mpnews", "mpnewsarticle", "music"})
"""Message types that only WeChat has: sent as they are given (客服消息)."""

MEDIA_UNKNOWN = 40007
"""The upload is gone: it is made once more."""

RATE_WAIT_S = 60.0
"""45011 counts calls of one minute (全局返回码)."""

# Error codes ("Global return codes", 全局返回码) by what the caller can do.
BUSY = -1
RATE = 45011
TOKEN_REFUSED = frozenset({40001, 40014, 42001})
CHANNEL_WIDE = frozenset(
    {
        40002,  # wrong grant type
        40013,  # AppID
        40125,  # AppSecret
        40164,  # our address is not on the allow-list
        41001,  # no access token
        41002,  # no AppID
        41004,  # no AppSecret
        42007,  # the authorisation was withdrawn
        45009,  # the quota of the day
        48004,  # the API is banned
        50001,  # not authorised
        50002,  # the account is restricted
        61003,  # not authorised for the third-party platform
        61007,
    }
)
NOT_GRANTED = 48001
"""The account may not use this API: no customer-service message will ever pass; templates are another matter."""
UNREACHABLE = frozenset(
    {
        40003,  # no OpenID of this account
        43004,  # does not follow
        43019,  # on the account's blacklist
        43101,  # refuses messages
        46004,  # no such user
        48002,  # switched messages off
    }
)
