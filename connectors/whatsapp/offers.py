"""Lists, products and carousels: WhatsApp's messages to choose from that have a form of their own. Pure.

Sources: WhatsApp Business Platform "Interactive list", "Single-product and multi-product messages", "Catalog messages",
"Interactive media carousel". What does not fit is moved into the words, never dropped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from connectors.shared.meta.drafts import CONTINUED, Draft, chunks, is_web_link, with_changes
from connectors.shared.nearest import card_buttons
from connectors.shared.text import characters, split_text, truncate
from connectors.whatsapp import api
from connectors.whatsapp.choices import (
    LIST_LABELS,
    Words,
    below,
    interactive,
    is_id,
    label_of,
    line_of,
    text_of,
    worded,
)
from schemas.outbound import Button, Card, CardContent, ListContent, ProductContent, Section

Json = dict[str, Any]

CAROUSEL_BUTTONS = {(True,), (False,), (False, False), (False, False, False)}
"""What may stand on every card of a carousel, a link (True) or taps ("Interactive media carousel")."""


def render_list(content: ListContent, words: Words) -> list[Draft]:
    """One list of ten rows, or several; the part's own buttons follow below."""
    sections, written = _usable_sections(content.sections)
    changes = [f"{len(written)} rows written as text: a list's rows are taps with ids of their own"] if written else []
    frame, text = _frame(content.title, content.footer, content.text, changes)
    text = "\n".join(filter(None, (text, *written)))
    if not sections:
        return with_changes(worded(replace(words, text=text)), changes)
    *head, body = split_text(text, api.LIST_BODY_MAX, characters) or (CONTINUED,)
    changes += [f"text split into {len(head) + 1} messages"] if head else []
    label = content.label or LIST_LABELS.get(words.language or "", LIST_LABELS["en"])
    cut = [label for label in (label,) if len(label) > api.LIST_BUTTON_MAX]
    groups = list(_groups(sections))
    if len(groups) > 1:
        changes.append(f"a list of more than {api.ROWS_MAX} rows sent as {len(groups)} lists")
    drafts = [text_of(piece) for piece in head]
    for group in groups:
        shown = [_native_section(section, alone=len(group) == 1, cut=cut) for section in group]
        action = {"button": truncate(label, api.LIST_BUTTON_MAX, characters), "sections": shown}
        drafts.append(interactive("list", body, action, **frame))
        body = CONTINUED
    if cut:
        changes.append(f"{len(cut)} texts of a list cut to its limits")
    return with_changes([*drafts, *below(replace(words, text=""), changes)], changes)


def _usable_sections(sections: Sequence[Section]) -> tuple[list[Section], list[str]]:
    """The sections with the rows that a list can hold, and the others as lines of text."""
    seen: set[str] = set()
    usable: list[Section] = []
    lines: list[str] = []
    for section in sections:
        rows = []
        for row in section.rows:
            if is_id(row.data, api.ROW_ID_MAX) and row.data not in seen:
                rows.append(row)
                seen.add(row.data or "")
            else:
                lines.append(line_of(row))
        if rows:
            usable.append(Section(title=section.title, rows=tuple(rows)))
    return usable, lines


def _groups(sections: Sequence[Section]) -> Iterator[list[Section]]:
    """As many rows to a list as it holds; a section that is cut keeps its heading."""
    group: list[Section] = []
    room = api.ROWS_MAX
    for section in sections:
        rows = section.rows
        while rows:
            group.append(Section(title=section.title, rows=rows[:room]))
            rows, room = rows[room:], room - len(rows[:room])
            if not room:
                yield group
                group, room = [], api.ROWS_MAX
    if group:
        yield group


def _native_section(section: Section, *, alone: bool, cut: list[str]) -> Json:
    """Several sections need a heading each; adds to ``cut`` the texts that are longer than allowed."""
    native: Json = {"rows": [_native_row(row, cut) for row in section.rows]}
    title = (section.title or "").strip() or ("" if alone else CONTINUED)
    return {"title": _cut(title, api.SECTION_TITLE_MAX, cut), **native} if title else native


def _native_row(row: Button, cut: list[str]) -> Json:
    """A label too long for a title stands whole in the description, before what is there already."""
    label = label_of(row)
    native = {"id": row.data, "title": truncate(label, api.ROW_TITLE_MAX, characters)}
    more = " – ".join(filter(None, (label if len(label) > api.ROW_TITLE_MAX else "", (row.description or "").strip())))
    return native | ({"description": _cut(more, api.ROW_DESCRIPTION_MAX, cut)} if more else {})


def _cut(text: str, limit: int, cut: list[str]) -> str:
    cut += [text] if len(text) > limit else []
    return truncate(text, limit, characters)


def is_sellable(content: ProductContent) -> bool:
    """Whether WhatsApp can show it: products are named within a catalogue, the whole one needs no name."""
    return not content.sections or bool(content.catalog_id)


def render_product(content: ProductContent, words: Words) -> list[Draft]:
    """A product, lists of at most 30, or the whole catalogue."""
    changes: list[str] = []
    items = sum(len(section.product_ids) for section in content.sections)
    # Only a list of products has a header, and it has to have one.
    title, text = (content.title, content.text) if items > 1 else (None, _lines(content.title, content.text))
    frame, text = _frame(title, content.footer, text, changes)
    if items > 1:
        frame.setdefault("header", _header(text.strip() or CONTINUED))
    *head, body = split_text(text, api.BUTTON_BODY_MAX, characters) or (CONTINUED,)
    changes += [f"text split into {len(head) + 1} messages"] if head else []
    drafts = [text_of(piece) for piece in head]
    if not items:
        drafts.append(interactive("catalog_message", body, {"name": "catalog_message"}, **frame))
    elif items == 1:
        product = content.sections[0].product_ids[0]
        action = {"catalog_id": content.catalog_id, "product_retailer_id": product}
        drafts.append(interactive("product", body, action, **frame))
    else:
        drafts += _product_lists(content, body, frame, changes)
    return with_changes([*drafts, *below(replace(words, text=""), changes)], changes)


def _product_lists(content: ProductContent, body: str, frame: Json, changes: list[str]) -> list[Draft]:
    """Thirty products to a list, in at most ten sections; adds to ``changes`` what that costs."""
    cut: list[str] = []
    items = [(section.title, product) for section in content.sections for product in section.product_ids]
    drafts = []
    for group in chunks(items, api.PRODUCTS_MAX):
        sections = [(title, [product for _, product in run]) for title, run in groupby(group, key=itemgetter(0))]
        if len(sections) > api.SECTIONS_MAX:
            changes.append(f"{len(sections)} sections of products shown as one")
            sections = [(None, [product for _, product in group])]
        native = [_product_section(title, ids, alone=len(sections) == 1, cut=cut) for title, ids in sections]
        drafts.append(
            interactive("product_list", body, {"catalog_id": content.catalog_id, "sections": native}, **frame)
        )
        body = CONTINUED
    if len(drafts) > 1:
        changes.append(f"{len(items)} products on {len(drafts)} lists")
    if cut:
        changes.append(f"{len(cut)} headings cut to {api.SECTION_TITLE_MAX} characters")
    return drafts


def _product_section(title: str | None, product_ids: Sequence[str], *, alone: bool, cut: list[str]) -> Json:
    native: Json = {"product_items": [{"product_retailer_id": product} for product in product_ids]}
    title = (title or "").strip() or ("" if alone else CONTINUED)
    return {"title": _cut(title, api.SECTION_TITLE_MAX, cut), **native} if title else native


def _frame(title: str | None, footer: str | None, text: str, changes: list[str]) -> tuple[Json, str]:
    """Header and footer as far as they fit into their 60 characters; else they join the text."""
    frame: Json = {}
    title, footer = (title or "").strip(), (footer or "").strip()
    if 0 < len(title) <= api.HEADER_MAX:
        frame["header"] = _header(title)
        title = ""
    if 0 < len(footer) <= api.FOOTER_MAX:
        frame["footer"] = {"text": footer}
        footer = ""
    if title or footer:
        changes.append(f"header or footer of more than {api.HEADER_MAX} characters put into the text")
    return frame, _lines(title, text, footer)


def _header(text: str) -> Json:
    return {"type": "text", "text": truncate(text, api.HEADER_MAX, characters)}


def _lines(*lines: str | None) -> str:
    return "\n".join(filter(None, lines))


def carousel(content: CardContent) -> Draft | None:
    """The cards side by side, when they are alike as WhatsApp wants them: two to ten, each with a picture and with the
    same buttons in kind and number, one link or up to three taps, and short words. None when they are not."""
    cards = [_carousel_card(number, card) for number, card in enumerate(content.cards)]
    kinds = {tuple(button.url is not None for button in card_buttons(card)) for card in content.cards}
    ids = [button.data for card in content.cards for button in card.buttons if button.url is None]
    is_alike = len(kinds) == 1 and kinds <= CAROUSEL_BUTTONS and len(set(ids)) == len(ids)
    if not (2 <= len(cards) <= api.CAROUSEL_CARDS_MAX and is_alike and all(cards)):
        return None
    said = truncate(content.alt_text.strip() or CONTINUED, api.BUTTON_BODY_MAX, characters)
    return interactive("carousel", said, {"cards": cards})


def _carousel_card(index: int, card: Card) -> Json | None:
    """One card; None when it does not fit whole."""
    words, buttons = card_words(card), card_buttons(card)
    fits = (
        is_web_link(card.image_url)
        and len(words) <= api.CAROUSEL_TEXT_MAX
        and words.count("\n") <= api.CAROUSEL_LINES_MAX
        and all(len(label_of(button)) <= api.BUTTON_TITLE_MAX for button in buttons)
        and all(is_web_link(button.url) or is_id(button.data, api.BUTTON_ID_MAX) for button in buttons)
    )
    if not fits:
        return None
    # The type is this one for cards with taps too.
    native: Json = {"card_index": index, "type": "cta_url"}
    native["header"] = {"type": "image", "image": {"link": card.image_url}}
    if words:
        native["body"] = {"text": words}
    link = next((button for button in buttons if button.url is not None), None)
    if link is not None:
        parameters = {"display_text": label_of(link), "url": link.url}
        return native | {"action": {"name": "cta_url", "parameters": parameters}}
    taps = [{"type": "quick_reply", "quick_reply": {"id": tap.data, "title": label_of(tap)}} for tap in buttons]
    return native | {"action": {"buttons": taps}}


def card_words(card: Card) -> str:
    """The title in bold, as cards have it, unless its own characters would spoil that."""
    title, text = (card.title or "").strip(), (card.text or "").strip()
    is_plain = title and "*" not in title and "\n" not in title
    return _lines(f"*{title}*" if is_plain else title, text)
