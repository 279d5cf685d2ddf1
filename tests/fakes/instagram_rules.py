"""What Instagram's Send API refuses: limits of its documentation as checks of a request body.

Sources: Instagram Platform "Send messages", "Quick replies", "Generic template", "Button template", "Human agent"; what
is common to Meta's messages is checked by ``messenger_rules``.
"""

from typing import Any

from tests.fakes.messenger_rules import (
    METADATA_BELOW,
    PAYLOAD_MAX,
    QUICK_REPLIES_MAX,
    TITLE_MAX,
    Refused,
    check_action,
    check_attachment,
    check_length,
    is_link,
    require,
)

TEXT_BYTES_MAX = 1000
IMAGES_MAX = 10
FRAME = {"recipient", "messaging_type", "tag", "message", "sender_action", "payload", "reply_to"}
CONTENTS = ("text", "attachment", "attachments")


def check(body: Any, *, needs_type: bool) -> None:
    """Raises Refused when the body is no request that the Send API takes; a page's wants a ``messaging_type``."""
    require(isinstance(body, dict), "Invalid parameter: the body is no JSON object")
    require(set(body) <= FRAME, f"Invalid keys {sorted(set(body) - FRAME)} were found")
    recipient = body.get("recipient")
    require(isinstance(recipient, dict) and recipient, "The parameter recipient is required")
    if not str(recipient.get("id", "")).isdecimal():
        raise Refused("No matching Instagram user", subcode=2534014)
    given = [name for name in ("message", "sender_action") if name in body]
    require(len(given) == 1, "Specify exactly one of message and sender_action")
    if given == ["sender_action"]:
        check_action(body, {"love"})
        return
    kind = body.get("messaging_type")
    require(kind in {"RESPONSE", "UPDATE", "MESSAGE_TAG"} or not (kind or needs_type), "Invalid messaging_type")
    require((kind == "MESSAGE_TAG") == ("tag" in body), "tag belongs to messaging_type MESSAGE_TAG")
    require(body.get("tag", "HUMAN_AGENT") == "HUMAN_AGENT", "Param tag is not supported any more")
    _check_message(body["message"])


def _check_message(message: dict[str, Any]) -> None:
    unknown = set(message) - {*CONTENTS, "quick_replies", "metadata"}
    require(not unknown, f"Invalid keys {sorted(unknown)} were found in param message")
    require(sum(name in message for name in CONTENTS) == 1, f"Specify exactly one of {', '.join(CONTENTS)}")
    if "metadata" in message:
        check_length(message["metadata"], "message[metadata]", at_most=METADATA_BELOW - 1)
    if "text" in message:
        text = message["text"]
        require(isinstance(text, str) and text.strip(), "Param message[text] must be a non-empty string")
        require(len(text.encode()) <= TEXT_BYTES_MAX, f"Param message[text] must be at most {TEXT_BYTES_MAX} bytes")
    if "attachment" in message:
        _check_attachment(message["attachment"])
    if "attachments" in message:
        _check_album(message["attachments"])
    replies = message.get("quick_replies", [])
    require(len(replies) <= QUICK_REPLIES_MAX, f"Too many quick_replies: at most {QUICK_REPLIES_MAX}")
    for reply in replies:
        require(reply.get("content_type") == "text", "Invalid content_type: phone number and e-mail are disabled")
        check_length(reply.get("title"), "quick_replies[title]", at_most=TITLE_MAX)
        check_length(reply.get("payload"), "quick_replies[payload]", at_most=PAYLOAD_MAX)


def _check_attachment(attachment: dict[str, Any]) -> None:
    kind = attachment.get("type")
    if kind == "like_heart":
        require(set(attachment) == {"type"}, "A like_heart has no payload")
    elif kind == "MEDIA_SHARE":
        post_id = str((attachment.get("payload") or {}).get("id", ""))
        require(post_id.isdecimal(), "The id of a published post is required")
    else:
        check_attachment(attachment)


def _check_album(attachments: list[dict[str, Any]]) -> None:
    require(1 <= len(attachments) <= IMAGES_MAX, f"attachments must be 1 to {IMAGES_MAX}")
    for attachment in attachments:
        payload = attachment.get("payload") or {}
        require(attachment.get("type") == "image", "attachments takes images only")
        require(is_link(payload.get("url")) or payload.get("attachment_id"), "Invalid media url")
