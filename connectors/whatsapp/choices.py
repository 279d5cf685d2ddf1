"""Words with buttons as WhatsApp's interactive messages: reply buttons, a list, or a link button. Pure.

Reads neutral buttons, returns drafts within the limits of ``api``. WhatsApp promises no order between two messages, so
one message is preferred to two: more or longer taps than buttons hold become a list. What has to be changed is said in
numbers and not in the message's own words, because changes are logged outside of the content.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.shared.meta.drafts import CONTINUED, Draft, chunks, is_web_link, with_changes
from connectors.shared.text import characters, split_text, truncate
from connectors.whatsapp import api
from schemas.outbound import Button

LIST_LABELS = {"th": "เลือก", "en": "Choose"}
"""What opens a list, by the person's language; English for all others."""

REQUESTS = {
    "location": ("location_request_message", "send_location"),
    "phone": ("request_contact_info", "request_contact_info"),
}
"""What a message can ask for, with its type and action ("Location request messages", "Business-scoped user IDs")."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """What one part says: ``picture`` is a header (image, video or document) that stands above the words."""

    text: str
    buttons: Sequence[Button] = ()
    picture: Json | None = None
    language: str | None = None


def draft(kind: str, value: Any) -> Draft:
    """A message of this type."""
    return Draft({"type": kind, kind: value})


def worded(words: Words) -> list[Draft]:
    """The nearest faithful form; never empty. Who is asked for place or number gets a message for that."""
    asking = next((button for button in words.buttons if button.asks in REQUESTS), None)
    if asking is not None:
        others = [button for button in words.buttons if button is not asking]
        if others or words.picture or not 0 < len(words.text.strip()) <= api.BUTTON_BODY_MAX:
            drafts = [*worded(replace(words, buttons=others)), _request(label_of(asking), asking)]
            return with_changes(drafts, ["a question for what is the person's own is a message by itself"])
        return [_request(words.text, asking)]
    taps, link, lines, changes = _sorted(words.buttons)
    text = "\n".join(filter(None, (words.text.strip(), *lines)))
    words = Words(text, taps, words.picture, words.language)
    if taps:
        drafts = _with_taps(words)
    elif link is not None:
        drafts = _with_link(words, link)
    else:
        drafts = _plain(words)
    return with_changes(drafts, changes)


def below(words: Words, changes: list[str]) -> list[Draft]:
    """The words and buttons that a message cannot carry, as the next one; adds to ``changes``."""
    if not (words.text.strip() or words.buttons):
        return []
    changes.append("caption or buttons sent as their own message")
    return worded(words)


def _sorted(buttons: Sequence[Button]) -> tuple[list[Button], Button | None, list[str], list[str]]:
    """Taps, the one link that may be a button, the lines of text for all others, and the changes.

    A message has one link button and then no taps, so that several links, or both, are written out: there they can be
    tapped as well.
    """
    taps: dict[str, Button] = {}
    links: list[Button] = []
    for button in buttons:
        if button.data is None and is_web_link(button.url):
            links.append(button)
        elif is_id(button.data, api.BUTTON_ID_MAX):
            taps.setdefault(button.data or "", button)
    if _needs_list(list(taps.values()), ""):
        # Rows have shorter ids than buttons.
        taps = {data: tap for data, tap in taps.items() if len(data) <= api.ROW_ID_MAX}
    link = links[0] if len(links) == 1 and not taps else None
    # A tap that is there twice is there; one that shares only its data is another.
    written = [button for button in buttons if button is not link and taps.get(button.data or "") != button]
    reason = "data too long or given twice, no web link, or not the only link"
    changes = [f"{len(written)} buttons written as text: {reason}"] if written else []
    return list(taps.values()), link, [line_of(button) for button in written], changes


def _needs_list(taps: Sequence[Button], text: str) -> bool:
    """Reply buttons are better, being seen at once: a list is for what they cannot hold. Their titles must differ."""
    labels = [label_of(tap) for tap in taps]
    return (
        len(taps) > api.BUTTONS_MAX
        or len(text) > api.BUTTON_BODY_MAX
        or any(len(label) > api.BUTTON_TITLE_MAX for label in labels)
        or len(set(labels)) < len(labels)
    )


def _with_taps(words: Words) -> list[Draft]:
    """Words that are too long even for a list begin before it, and their last piece has the buttons."""
    *head, body = split_text(words.text, api.LIST_BODY_MAX, characters) or (CONTINUED,)
    is_list = _needs_list(words.buttons, body) and all(len(tap.data or "") <= api.ROW_ID_MAX for tap in words.buttons)
    if not is_list:
        # The data is too long for rows, so that a long text has to be cut for the buttons.
        *more, body = split_text(body, api.BUTTON_BODY_MAX, characters)
        head += more
    drafts = [text_of(piece) for piece in head]
    changes = [f"text split into {len(head) + 1} messages"] if head else []
    if not is_list:
        return with_changes([*drafts, _as_buttons(words, body)], changes)
    changes.append(f"{len(words.buttons)} buttons shown as a list")
    if words.picture is not None:
        drafts.insert(0, _alone(words.picture))
        changes.append("picture sent as its own message: a list has none")
    return with_changes([*drafts, *_as_lists(words, body, changes)], changes)


def _as_buttons(words: Words, body: str) -> Draft:
    buttons = [{"type": "reply", "reply": {"id": tap.data, "title": label_of(tap)}} for tap in words.buttons]
    return interactive("button", body, {"buttons": buttons}, header=words.picture)


def _as_lists(words: Words, body: str, changes: list[str]) -> list[Draft]:
    """Ten rows to a list; adds to ``changes`` what its limits cost."""
    rows = [row_of(tap) for tap in words.buttons]
    cut = sum(len(label_of(tap)) > api.ROW_DESCRIPTION_MAX for tap in words.buttons)
    if cut:
        changes.append(f"{cut} labels cut to {api.ROW_DESCRIPTION_MAX} characters")
    groups = list(chunks(rows, api.ROWS_MAX))
    if len(groups) > 1:
        changes.append(f"{len(rows)} buttons on {len(groups)} messages")
    label = LIST_LABELS.get(words.language or "", LIST_LABELS["en"])
    drafts = []
    for group in groups:
        # One section needs no title.
        drafts.append(interactive("list", body, {"button": label, "sections": [{"rows": list(group)}]}))
        body = CONTINUED
    return drafts


def row_of(tap: Button) -> Json:
    """A label too long for a title stands whole in the description below it."""
    label = label_of(tap)
    row = {"id": tap.data, "title": truncate(label, api.ROW_TITLE_MAX, characters)}
    if len(label) > api.ROW_TITLE_MAX:
        row["description"] = truncate(label, api.ROW_DESCRIPTION_MAX, characters)
    return row


def _with_link(words: Words, link: Button) -> list[Draft]:
    """A call-to-action button; there is no list of links, so that words too long for it begin before it."""
    *head, tail = split_text(words.text, api.BUTTON_BODY_MAX, characters) or (CONTINUED,)
    parameters = {"display_text": truncate(label_of(link), api.BUTTON_TITLE_MAX, characters), "url": link.url}
    shown = interactive("cta_url", tail, {"name": "cta_url", "parameters": parameters}, header=words.picture)
    changes = [f"text split into {len(head) + 1} messages"] if head else []
    if len(label_of(link)) > api.BUTTON_TITLE_MAX:
        changes.append(f"1 labels cut to {api.BUTTON_TITLE_MAX} characters")
    return with_changes([*(text_of(piece) for piece in head), shown], changes)


def _plain(words: Words) -> list[Draft]:
    """Words without buttons: under the picture as its caption where they fit, else after it."""
    if words.picture is not None and len(words.text) <= api.CAPTION_MAX:
        return [_alone(words.picture, caption=words.text)]
    drafts = [text_of(piece) for piece in split_text(words.text, api.TEXT_MAX, characters)]
    changes = [f"text split into {len(drafts)} messages"] if len(drafts) > 1 else []
    if words.picture is not None:
        changes.append("caption sent as its own message")
        drafts.insert(0, _alone(words.picture))
    if not drafts:
        drafts, changes = [text_of(CONTINUED)], ["the text was empty"]
    return with_changes(drafts, changes)


def text_of(text: str) -> Draft:
    """A plain text."""
    # A preview is shown only when it is asked for, and only of a link.
    return draft("text", {"body": text, "preview_url": "https://" in text or "http://" in text})


def _alone(picture: Json, *, caption: str = "") -> Draft:
    kind = str(picture["type"])
    return draft(kind, picture[kind] | ({"caption": caption} if caption else {}))


def interactive(kind: str, text: str, action: Json, *, header: Json | None = None, footer: Json | None = None) -> Draft:
    """A message with something to tap; header and footer in WhatsApp's own form."""
    value: Json = {"type": kind, "body": {"text": text}, "action": action}
    value |= {name: given for name, given in (("header", header), ("footer", footer)) if given is not None}
    return draft("interactive", value)


def _request(text: str, button: Button) -> Draft:
    kind, action = REQUESTS[button.asks or ""]
    return interactive(kind, truncate(text, api.BUTTON_BODY_MAX, characters), {"name": action})


def is_id(data: str | None, most: int) -> bool:
    """Whether a button's data can be an id: neither blank nor too long."""
    return data is not None and bool(data.strip()) and len(data) <= most


def label_of(button: Button) -> str:
    """What stands on a button; titles must not be blank."""
    words = (text.strip() for text in (button.label, button.data, button.url) if text)
    return next(filter(None, words), CONTINUED)


def line_of(button: Button) -> str:
    """A button as a line of text."""
    return f"• {label_of(button)}: {button.url}" if button.url else f"• {label_of(button)}"
