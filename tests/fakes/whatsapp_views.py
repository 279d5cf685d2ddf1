"""A request to the Cloud API from the other side: what the user reads, and what a tap on it sends back."""

from typing import Any


def texts_of(body: dict[str, Any]) -> list[str]:
    """What the user reads, in order; a card's words without its buttons."""
    kind = body.get("type")
    value = body.get(str(kind))
    if isinstance(value, list):
        return [f"[{kind}] " + ", ".join(str(card.get("name", {}).get("formatted_name")) for card in value)]
    if not isinstance(value, dict):
        return []
    if kind == "text":
        return [str(value.get("body"))]
    if kind == "interactive":
        return [str((value.get("body") or {}).get("text"))]
    if kind == "template":
        return [f"[template {value.get('name')}]"]
    shown = value.get("link") or value.get("id") or value.get("name") or value.get("latitude")
    return [f"[{kind}] {shown}"] + ([str(value["caption"])] if "caption" in value else [])


def choice_of(body: dict[str, Any], data: str) -> dict[str, Any] | None:
    """The ``interactive`` member of a tap on the button or row with this id; None when there is none."""
    action = (body.get("interactive") or {}).get("action") or {}
    for card in action.get("cards", []):
        for button in card["action"].get("buttons", []):
            if button["quick_reply"]["id"] == data:
                return {"type": "button_reply", "button_reply": button["quick_reply"]}
    for button in action.get("buttons", []):
        if button["reply"]["id"] == data:
            return {"type": "button_reply", "button_reply": button["reply"]}
    for section in action.get("sections", []):
        for row in section.get("rows", []):
            if row["id"] == data:
                return {"type": "list_reply", "list_reply": row}
    return None
