"""What the Cloud API refuses: limits of WhatsApp's documentation as checks of a request body, and its error bodies.

Sources: WhatsApp Business Platform "Messages" reference, "Interactive reply buttons", "Interactive list", "Interactive
call-to-action URL button", "Template messages", "Error codes".
"""

import re
from typing import Any

from tests.fakes.meta import graph_error
from tests.fakes.wire import Answer

TEXT_MAX = 4096
CAPTION_MAX = 1024
BUTTONS_MAX = 3
BUTTON_BODY_MAX = 1024
BUTTON_TITLE_MAX = 20
BUTTON_ID_MAX = 256
LIST_BODY_MAX = 4096
ROWS_MAX = 10
ROW_TITLE_MAX = 24
ROW_DESCRIPTION_MAX = 72
ROW_ID_MAX = 200
HEADER_MAX = 60
FOOTER_MAX = 60
SECTION_TITLE_MAX = 24
SECTIONS_MAX = 10
PRODUCTS_MAX = 30
CARDS = range(2, 11)
CARD_TEXT_MAX = 160
CARD_BREAKS_MAX = 2
TEMPLATE_BODY_MAX = 1024
TEMPLATE_BUTTONS_MAX = 10
OPAQUE_MAX = 512
CONTACTS_MAX = 257
BSUID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")
PHONE = re.compile(r"\+?\d{5,20}")
MEDIA = {"image", "video", "audio", "document", "sticker"}
FRAME = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}

STATUSES = {
    **dict.fromkeys((0, 190), 401),
    **dict.fromkeys((3, 131000, 131045, 131057), 500),
    **dict.fromkeys((10, 200, 368, 131005, 131031), 403),
    **dict.fromkeys((4, 80007, 130429, 131048, 131056, 131208, 133016), 429),
    131016: 503,
    132001: 404,
}
"""HTTP status by code ("Error codes"); 400 for all others."""


class Refused(Exception):
    """The request breaks a rule; ``answer`` is the platform's."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.answer: Answer = cloud_error(code, details)


def cloud_error(code: int, details: str, *, subcode: int | None = None, status: int | None = None) -> Answer:
    """The Graph API's envelope with WhatsApp's own ``error_data``."""
    http = status or STATUSES.get(code, 400)
    answer = graph_error(f"(#{code}) {details}", code=code, subcode=subcode, status=http)
    answer.body["error"]["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return answer


def check(body: Any) -> None:
    """Raises Refused when the body is no request that the Cloud API takes."""
    _require(isinstance(body, dict), "the body is no JSON object", code=100)
    _require(body.get("messaging_product") == "whatsapp", "messaging_product must be whatsapp", code=100)
    if body.get("status") == "read":
        _require(isinstance(body.get("message_id"), str), "message_id is required", code=131008)
        _require(body.get("typing_indicator", {"type": "text"}) == {"type": "text"}, "typing_indicator.type is text")
        unknown = set(body) - {"messaging_product", "status", "message_id", "typing_indicator"}
        _require(not unknown, f"Unexpected keys {sorted(unknown)}", code=100)
        return
    kind = body.get("type", "text")
    _require(set(body) <= FRAME | {kind}, f"Unexpected keys {sorted(set(body) - FRAME - {kind})}", code=100)
    _check_recipient(body)
    if "biz_opaque_callback_data" in body:
        _length(body["biz_opaque_callback_data"], "biz_opaque_callback_data", at_most=OPAQUE_MAX)
    if "context" in body:
        _require(set(body["context"]) == {"message_id"}, "context takes message_id")
    rule = RULES.get(kind)
    _require(rule is not None, f"Param type must be one of {sorted(RULES)}", code=131051)
    _require(kind in body, f"The parameter {kind} is required", code=131008)
    assert rule is not None
    rule(kind, body[kind])


def _check_recipient(body: dict[str, Any]) -> None:
    _require(("to" in body) != ("recipient" in body), "Specify exactly one of to and recipient", code=131008)
    if "recipient" in body:
        _require(BSUID.fullmatch(str(body["recipient"])), "recipient is no business-scoped user ID")
    elif body.get("recipient_type", "individual") == "individual":
        _require(PHONE.fullmatch(str(body["to"])), "to is no phone number")
    else:
        _require(body["recipient_type"] == "group" and body["to"], "recipient_type must be individual or group")


def _require(condition: object, details: str, *, code: int = 131009) -> None:
    if not condition:
        raise Refused(code, details)


def _length(value: Any, name: str, *, at_most: int) -> None:
    _require(isinstance(value, str) and value.strip(), f"Param {name} must be a non-empty string", code=131008)
    _require(len(value) <= at_most, f"Param {name} must be at most {at_most} characters long", code=100)


def _text(_kind: str, text: Any) -> None:
    _require(set(text) <= {"body", "preview_url"}, "Unexpected key in text", code=100)
    _length(text.get("body"), "text.body", at_most=TEXT_MAX)


def _media(kind: str, media: Any) -> None:
    _require(("id" in media) != ("link" in media), f"{kind} needs exactly one of id and link")
    _require(_is_link(media.get("link", "https://")), f"{kind}.link is no link")
    allowed = {"id", "link"} | {"audio": {"voice"}, "sticker": set(), "document": {"caption", "filename"}}.get(
        kind, {"caption"}
    )
    _require(set(media) <= allowed, f"Unexpected key in {kind}: {sorted(set(media) - allowed)}", code=100)
    if "caption" in media:
        _length(media["caption"], f"{kind}.caption", at_most=CAPTION_MAX)


def _location(_kind: str, place: Any) -> None:
    _require(abs(place.get("latitude", 999)) <= 90 and abs(place.get("longitude", 999)) <= 180, "Invalid coordinates")


def _contacts(_kind: str, cards: Any) -> None:
    _require(isinstance(cards, list) and 1 <= len(cards) <= CONTACTS_MAX, f"contacts must be 1 to {CONTACTS_MAX}")
    for card in cards:
        _require(len(card["name"]) > 1, "name needs one more member beside formatted_name", code=131008)
        _length(card["name"].get("formatted_name"), "name.formatted_name", at_most=10_000)


def _template(_kind: str, template: Any) -> None:
    _length(template.get("name"), "template.name", at_most=512)
    _length((template.get("language") or {}).get("code"), "template.language.code", at_most=20)
    components = template.get("components", [])
    buttons = [component for component in components if component.get("type") == "button"]
    _require(len(buttons) <= TEMPLATE_BUTTONS_MAX, f"at most {TEMPLATE_BUTTONS_MAX} buttons", code=132012)
    for component in components:
        _component(component)


def _component(component: Any) -> None:
    kind = component.get("type")
    _require(kind in {"header", "body", "button"}, "Invalid component", code=132012)
    if kind == "button":
        _require(component.get("sub_type") in {"quick_reply", "url", "copy_code"}, "Invalid sub_type", code=132012)
        _require(str(component.get("index")) in map(str, range(TEMPLATE_BUTTONS_MAX)), "Invalid index", code=132012)
    for parameter in component.get("parameters", []):
        value = parameter.get(parameter.get("type"))
        _require(value is not None, "Parameter without its value", code=132000)
        if parameter["type"] == "text":
            most = HEADER_MAX if kind == "header" else TEMPLATE_BODY_MAX
            _require(isinstance(value, str) and len(value) <= most, "Translated text too long", code=132005)
        elif parameter["type"] in MEDIA:
            _media(parameter["type"], value)


def _reaction(_kind: str, reaction: Any) -> None:
    _require({"message_id", "emoji"} == set(reaction), "reaction needs message_id and emoji", code=131008)


def _interactive(_kind: str, interactive: Any) -> None:
    kind, action = interactive.get("type"), interactive.get("action") or {}
    rule = INTERACTIVE.get(kind)
    _require(rule is not None, f"Param interactive.type must be one of {sorted(INTERACTIVE)}")
    allowed = (
        {"type", "body", "action"}
        | ({"footer"} if kind in FOOTED else set())
        | ({"header"} if kind in HEADERS else set())
    )
    _require(
        set(interactive) <= allowed, f"Unexpected key in interactive: {sorted(set(interactive) - allowed)}", code=100
    )
    most = LIST_BODY_MAX if kind == "list" else BUTTON_BODY_MAX
    _length((interactive.get("body") or {}).get("text"), "interactive.body.text", at_most=most)
    header = interactive.get("header")
    if header is not None:
        _check_header(header, HEADERS[kind])
    _require(header is not None or kind != "product_list", "interactive.header is required", code=131008)
    if "footer" in interactive:
        _length(interactive["footer"].get("text"), "interactive.footer.text", at_most=FOOTER_MAX)
    assert rule is not None
    rule(action)


def _check_header(header: Any, kinds: set[str]) -> None:
    kind = header.get("type")
    _require(kind in kinds and set(header) == {"type", kind}, f"header must be one of {sorted(kinds)}")
    if kind == "text":
        _length(header["text"], "header.text", at_most=HEADER_MAX)
    else:
        _require("caption" not in header[kind], "a header has no caption")
        _media(kind, header[kind])


def _buttons(action: Any) -> None:
    buttons = action.get("buttons") or []
    _require(1 <= len(buttons) <= BUTTONS_MAX, f"action.buttons must be 1 to {BUTTONS_MAX}")
    for button in buttons:
        _require(button.get("type") == "reply", "Invalid button type")
        _length(button["reply"].get("title"), "reply.title", at_most=BUTTON_TITLE_MAX)
        _length(button["reply"].get("id"), "reply.id", at_most=BUTTON_ID_MAX)
    for name in ("title", "id"):
        _require(len({button["reply"][name] for button in buttons}) == len(buttons), f"Duplicated {name}")


def _list(action: Any) -> None:
    _length(action.get("button"), "action.button", at_most=BUTTON_TITLE_MAX)
    sections = action.get("sections") or []
    rows = [row for section in sections for row in section.get("rows", [])]
    _require(1 <= len(rows) <= ROWS_MAX, f"rows must be 1 to {ROWS_MAX} in all")
    _check_sections(sections)
    for row in rows:
        _length(row.get("title"), "row.title", at_most=ROW_TITLE_MAX)
        _length(row.get("id"), "row.id", at_most=ROW_ID_MAX)
        if "description" in row:
            _length(row["description"], "row.description", at_most=ROW_DESCRIPTION_MAX)
    _require(len({row["id"] for row in rows}) == len(rows), "Duplicated id")


def _check_sections(sections: list[Any]) -> None:
    _require(1 <= len(sections) <= SECTIONS_MAX, f"sections must be 1 to {SECTIONS_MAX}")
    _require(len(sections) == 1 or all("title" in section for section in sections), "a section needs a title")
    for section in sections:
        if "title" in section:
            _length(section["title"], "section.title", at_most=SECTION_TITLE_MAX)


def _product(action: Any) -> None:
    for name in ("catalog_id", "product_retailer_id"):
        _length(action.get(name), name, at_most=512)


def _products(action: Any) -> None:
    _length(action.get("catalog_id"), "catalog_id", at_most=512)
    sections = action.get("sections") or []
    _check_sections(sections)
    items = [item for section in sections for item in section.get("product_items", [])]
    _require(1 <= len(items) <= PRODUCTS_MAX, f"product_items must be 1 to {PRODUCTS_MAX} in all")
    for item in items:
        _length(item.get("product_retailer_id"), "product_retailer_id", at_most=512)


def _catalog(action: Any) -> None:
    _require(action.get("name") == "catalog_message", "action.name must be catalog_message")


def _location_request(action: Any) -> None:
    _require(action == {"name": "send_location"}, "action.name must be send_location")


def _contact_request(action: Any) -> None:
    _require(action == {"name": "request_contact_info"}, "action.name must be request_contact_info")


def _carousel(action: Any) -> None:
    cards = action.get("cards") or []
    _require(len(cards) in CARDS, f"cards must be {CARDS.start} to {CARDS.stop - 1}")
    _require([card.get("card_index") for card in cards] == list(range(len(cards))), "Invalid card_index")
    for card in cards:
        _check_header(card.get("header") or {}, {"image", "video"})
        if "body" in card:
            _length(card["body"].get("text"), "card.body.text", at_most=CARD_TEXT_MAX)
            _require(card["body"]["text"].count("\n") <= CARD_BREAKS_MAX, "at most two line breaks in a card")
    shapes = {_card_buttons(card) for card in cards}
    _require(len(shapes) == 1, "the cards' buttons must be of one kind and number")


def _card_buttons(card: Any) -> tuple[str, int]:
    action = card.get("action") or {}
    _require(card.get("type") == "cta_url", "card.type must be cta_url")
    if "name" in action:
        _link_button(action)
        return "cta_url", 1
    buttons = action.get("buttons") or []
    _require(1 <= len(buttons) <= BUTTONS_MAX, f"a card's buttons must be 1 to {BUTTONS_MAX}")
    for button in buttons:
        _require(button.get("type") == "quick_reply", "Invalid button type")
        _length(button["quick_reply"].get("title"), "quick_reply.title", at_most=BUTTON_TITLE_MAX)
        _length(button["quick_reply"].get("id"), "quick_reply.id", at_most=BUTTON_ID_MAX)
    return "quick_reply", len(buttons)


def _link_button(action: Any) -> None:
    parameters = action.get("parameters") or {}
    _require(action.get("name") == "cta_url", "action.name must be cta_url")
    _length(parameters.get("display_text"), "display_text", at_most=BUTTON_TITLE_MAX)
    _require(_is_link(parameters.get("url")), "Invalid url")


def _is_link(url: Any) -> bool:
    return isinstance(url, str) and url.startswith(("https://", "http://"))


RULES = {
    "text": _text,
    **dict.fromkeys(MEDIA, _media),
    "location": _location,
    "contacts": _contacts,
    "template": _template,
    "reaction": _reaction,
    "interactive": _interactive,
}
INTERACTIVE = {
    "button": _buttons,
    "list": _list,
    "cta_url": _link_button,
    "product": _product,
    "product_list": _products,
    "catalog_message": _catalog,
    "location_request_message": _location_request,
    "request_contact_info": _contact_request,
    "carousel": _carousel,
}
HEADERS = {
    "button": {"text", "image", "video", "document"},
    "cta_url": {"text", "image", "video", "document"},
    "list": {"text"},
    "product_list": {"text"},
}
"""Which interactive types have a header, and of which kinds."""
FOOTED = set(INTERACTIVE) - {"carousel", "location_request_message", "request_contact_info"}
