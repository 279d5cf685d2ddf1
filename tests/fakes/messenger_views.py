"""A request to Messenger's Send API from the other sides: what the user reads, and what the echo repeats."""

from typing import Any

APP_ID = "900000000000009"
"""Of the app whose pages the fake serves."""


def echoed(body: dict[str, Any]) -> dict[str, Any]:
    """The message of an echo: what was sent, without what only the sender needs."""
    message = body.get("message", {"text": body.get("template", {}).get("name", "")})
    echo: dict[str, Any] = {"app_id": int(APP_ID)}
    echo |= {name: message[name] for name in ("text", "metadata", "sticker_id") if name in message}
    if "attachment" in message:
        echo["attachments"] = [message["attachment"]]
    return echo


def texts_of(body: dict[str, Any]) -> list[str]:
    """What the user reads, in order."""
    if isinstance(body.get("template"), dict):
        return [f"[template {body['template'].get('name')}]"]
    message = body.get("message")
    if not isinstance(message, dict):
        return []
    attachment = message.get("attachment")
    if not isinstance(attachment, dict):
        return [str(message.get("text", "[sticker]"))]
    payload = attachment.get("payload") or {}
    if payload.get("template_type") == "button":
        return [str(payload.get("text"))]
    if payload.get("template_type") == "generic":
        return ["\n".join(filter(None, (card.get("title"), card.get("subtitle")))) for card in payload["elements"]]
    return [f"[{attachment.get('type')}] {payload.get('url') or payload.get('attachment_id')}"]
