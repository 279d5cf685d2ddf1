"""Neutral messages to calls of Messenger's Send API: one message per call, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. What is not Messenger's own is
in ``shared.meta.planning`` and ``shared.meta.kinds``.
"""

from connectors.interface import Call, Channel, Window
from connectors.messenger.api import (
    API_BASE,
    GRAPH_VERSION,
    IMAGE_LINK_BYTES_MAX,
    LIMITS,
    MEDIA_BYTES_MAX,
    MEGABYTE,
    PRODUCTS_MAX,
    REACTIONS,
)
from connectors.shared.meta.drafts import Draft, attachment, chunks, is_web_link, with_changes
from connectors.shared.meta.kinds import COMMON, render_media, render_sticker, written_media
from connectors.shared.meta.planning import (
    ACTION,
    Asked,
    Renderers,
    SendBody,
    is_for_human_agent,
    marked_drafts,
    plain_emoji,
    reaction_draft,
    unseen_actions,
)
from connectors.shared.meta.templates import template_of
from connectors.shared.nearest import Abilities
from schemas.content import MediaContent, StickerContent, TemplateContent
from schemas.ids import derived_id
from schemas.outbound import OutboundMessage, PartContent, ProductContent, ReactionContent

HEADERS = {"Authorization": "Bearer {secret:page_token}"}


def plan_message(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls."""
    drafts = marked_drafts(message, RENDERERS, LIMITS, Abilities(is_native))
    is_late = is_for_human_agent(message, window)
    quote = {"reply_to": {"mid": message.reply_to}} if message.reply_to else {}
    actions = unseen_actions(message) if drafts else []
    calls = [_call(SendBody(recipient={"id": message.peer}, sender_action=action), channel) for action in actions]
    for part, draft in drafts:
        body = SendBody(recipient={"id": message.peer})
        if "template" in draft.body:
            body["messaging_type"] = "UTILITY"
        elif ACTION not in draft.body and is_late:
            # A person may still answer for seven days; the bot's own messages get no tag, which only people may use.
            body |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        elif ACTION not in draft.body:
            body["messaging_type"] = "RESPONSE"
        body |= draft.body  # type: ignore[typeddict-item]
        if ACTION not in draft.body:
            body |= quote  # type: ignore[typeddict-item]
            quote = {}
        calls.append(_call(body, channel, part_ids=(part.id,), changes=draft.changes))
    return tuple(calls)


def is_native(content: PartContent) -> bool:
    """Whether Messenger has a form for it: seven reactions, and products by their ids but no whole catalogue."""
    match content:
        case ReactionContent(emoji=emoji):
            return not emoji or plain_emoji(emoji) in REACTIONS
        case ProductContent():
            return bool(content.sections)
        case _:
            return type(content) in RENDERERS


def _media(content: MediaContent, asked: Asked) -> list[Draft]:
    by_link = is_web_link(content.url) and content.kind == "image"
    bytes_max = IMAGE_LINK_BYTES_MAX if by_link else MEDIA_BYTES_MAX
    if (content.size_bytes or 0) > bytes_max:
        return written_media(content, asked, why=f"larger than {bytes_max // MEGABYTE} MB")
    return render_media(content, asked, takes_uploads=True)


def _sticker(content: StickerContent, asked: Asked) -> list[Draft]:
    # Messenger's own stickers are plain numbers; a package id belongs to another platform.
    if content.sticker_id.isdecimal() and content.package_id is None:
        return asked.followed_by_buttons(Draft({"message": {"sticker_id": int(content.sticker_id)}}))
    return render_sticker(content, asked)


def _template(content: TemplateContent, asked: Asked) -> list[Draft]:
    """A Utility Message; it cannot carry buttons of its own choosing ("Utility messages")."""
    template, changes = template_of(content)
    return asked.followed_by_buttons(Draft({"template": template}), *changes)


def _product(content: ProductContent, asked: Asked) -> list[Draft]:
    """The words, then the products side by side, ten to a message ("Product Template"); the catalogue is the page's."""
    words = "\n".join(filter(None, (content.title, content.text, content.footer)))
    ids = [product for section in content.sections for product in section.product_ids]
    shown = [
        attachment("template", {"template_type": "product", "elements": [{"id": product} for product in group]})
        for group in chunks(ids, PRODUCTS_MAX)
    ]
    changes = ["words of the products sent as their own message"] if words.strip() else []
    if len(shown) > 1:
        changes.append(f"{len(ids)} products on {len(shown)} messages")
    if len(content.sections) > 1:
        changes.append("products shown without their sections")
    before = Asked((), asked.message, asked.limits).texts(words) if words.strip() else []
    return with_changes([*before, *shown, *(asked.texts("") if asked.buttons else [])], changes)


def _reaction(content: ReactionContent, asked: Asked) -> list[Draft]:
    return asked.followed_by_buttons(reaction_draft(content, REACTIONS))


RENDERERS: Renderers = {
    **COMMON,
    MediaContent: _media,
    StickerContent: _sticker,
    TemplateContent: _template,
    ProductContent: _product,
    ReactionContent: _reaction,
}


def _call(body: SendBody, channel: Channel, *, part_ids: tuple[str, ...] = (), changes: tuple[str, ...] = ()) -> Call:
    """A call without parts is one that nobody sees."""
    return Call(
        name=body.get("sender_action", "messages"),
        method="POST",
        url=page_url(channel, "messages"),
        headers=HEADERS,
        body=body,
        part_ids=part_ids,
        is_visible=bool(part_ids),
        changes=changes,
        # The same reaction twice is one reaction.
        idempotency_key=derived_id(part_ids[0], "reaction") if part_ids and "sender_action" in body else None,
    )


def page_url(channel: Channel, edge: str) -> str:
    """Absolute address of what the page can do."""
    version = channel.first("graph_version") or GRAPH_VERSION
    base = (channel.api_base or API_BASE).rstrip("/")
    return f"{base}/{version}/{channel.first('page_id') or 'me'}/{edge}"
