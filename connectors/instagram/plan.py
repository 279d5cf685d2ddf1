"""Neutral messages to calls of Instagram's Send API, in order. Pure.

Reads an ``OutboundMessage``, returns ``Call`` values whose credential is a placeholder. One message per call; pictures
that follow each other share one. What is not Instagram's own is in ``shared.meta.planning`` and ``shared.meta.kinds``.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from connectors.instagram.api import (
    FACEBOOK_BASE,
    GRAPH_VERSION,
    HEART,
    IMAGES_MAX,
    INSTAGRAM_BASE,
    LIMITS,
    MEDIA_BYTES_MAX,
    MEGABYTE,
    MIME_TYPES,
    OWN_POST,
    REACTIONS,
)
from connectors.interface import Call, Channel, Window
from connectors.shared.meta.drafts import Draft, attachment, chunks
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
from connectors.shared.meta.values import as_id
from connectors.shared.nearest import Abilities, template_words
from schemas.content import MediaContent, StickerContent, TemplateContent
from schemas.ids import derived_id
from schemas.media import is_stored
from schemas.outbound import OutboundMessage, Part, PartContent, ReactionContent

PartIds = tuple[str, ...]


def plan_message(message: OutboundMessage, window: Window, channel: Channel) -> tuple[Call, ...]:
    """Calls in order; total. No parts (all of them settled before) need no calls."""
    is_late = is_for_human_agent(message, window)
    drafts = marked_drafts(message, RENDERERS, LIMITS, Abilities(is_native, albums=True))
    quote = {"reply_to": {"mid": message.reply_to}} if message.reply_to else {}
    actions = unseen_actions(message) if drafts else []
    calls = [_call(SendBody(recipient={"id": message.peer}, sender_action=action), channel) for action in actions]
    for part_ids, draft in _with_albums(drafts):
        body = SendBody(recipient={"id": message.peer})
        is_action = ACTION in draft.body
        if is_late and not is_action:
            body |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        elif channel.first("page_id") and not is_action:
            # A page's Send API is Messenger's and wants the type; no sample of the Instagram login has one.
            body["messaging_type"] = "RESPONSE"
        body.update(draft.body)  # type: ignore[typeddict-item]
        if not is_action:
            body |= quote  # type: ignore[typeddict-item]
            quote = {}
        calls.append(_call(body, channel, part_ids=part_ids, changes=draft.changes))
    return tuple(calls)


def is_native(content: PartContent) -> bool:
    """Whether Instagram has a form for it; of reactions it sends only the heart."""
    if isinstance(content, ReactionContent):
        return not content.emoji or plain_emoji(content.emoji) in REACTIONS
    return type(content) in RENDERERS


def _reaction(content: ReactionContent, asked: Asked) -> list[Draft]:
    return asked.followed_by_buttons(reaction_draft(content, REACTIONS))


def _media(content: MediaContent, asked: Asked) -> list[Draft]:
    why = _unfit(content)
    return written_media(content, asked, why=why) if why else render_media(content, asked)


def _unfit(content: MediaContent) -> str | None:
    """Why Instagram would refuse it, as far as it is known before sending; None when nothing speaks against it."""
    if is_stored(content.url) and not content.media_id:
        # An id of an upload is accepted, but no way to make one is documented for Instagram's own API.
        return "Instagram takes media by link"
    bytes_max, mime_types = MEDIA_BYTES_MAX[content.kind], MIME_TYPES[content.kind]
    mime_type = (content.mime_type or "").partition(";")[0].strip().lower()
    if mime_type and mime_type not in mime_types:
        return "a type that Instagram does not take"
    if content.size_bytes is not None and content.size_bytes > bytes_max:
        return f"larger than {bytes_max // MEGABYTE} MB"
    return None


def _sticker(content: StickerContent, asked: Asked) -> list[Draft]:
    if content.sticker_id == HEART:
        return asked.followed_by_buttons(Draft({"message": {"attachment": {"type": HEART}}}))
    return render_sticker(content, asked)


def _template(content: TemplateContent, asked: Asked) -> list[Draft]:
    """The name of the own post's attachment, with its id in ``native``, shares that post; anything else is words."""
    post_id = as_id(content.native.get("id"))
    if content.name == OWN_POST and post_id:
        return asked.followed_by_buttons(attachment(OWN_POST, {"id": post_id}))
    words = template_words(content)
    return asked.texts(words, "template written as text: Instagram has no approved templates")


RENDERERS: Renderers = {
    **COMMON,
    MediaContent: _media,
    StickerContent: _sticker,
    TemplateContent: _template,
    ReactionContent: _reaction,
}


def _with_albums(drafts: Sequence[tuple[Part, Draft]]) -> list[tuple[PartIds, Draft]]:
    """Put pictures that follow each other into one message.

    Only parts that are one message take part, so that the album's mark, that of its last picture, is a plain part id.
    """
    messages_of = Counter(part.id for part, _ in drafts)

    def may_join(item: tuple[Part, Draft]) -> bool:
        return messages_of[item[0].id] == 1 and _is_lone_picture(item[1])

    runs = [(is_album, list(run)) for is_album, run in groupby(drafts, key=may_join)]
    groups = [group for is_album, run in runs for group in chunks(run, IMAGES_MAX if is_album else 1)]
    return [(tuple(part.id for part, _ in group), _album([draft for _, draft in group])) for group in groups]


def _is_lone_picture(draft: Draft) -> bool:
    """A message of one picture and nothing else that the person sees: quick replies keep theirs to themselves."""
    message = draft.body.get("message", {})
    return set(message) == {"attachment", "metadata"} and message["attachment"]["type"] == "image"


def _album(drafts: list[Draft]) -> Draft:
    """One message of all these pictures; a single message stays as it is."""
    if len(drafts) == 1:
        return drafts[0]
    messages = [draft.body["message"] for draft in drafts]
    pictures = [message["attachment"] for message in messages]
    body = {"message": {"attachments": pictures, "metadata": messages[-1]["metadata"]}}
    return Draft(body, tuple(change for draft in drafts for change in draft.changes))


def _call(body: SendBody, channel: Channel, *, part_ids: PartIds = (), changes: tuple[str, ...] = ()) -> Call:
    """Through the page where the channel names one, else through the account itself; without parts nobody sees it."""
    page_id = channel.first("page_id")
    base = (channel.api_base or (FACEBOOK_BASE if page_id else INSTAGRAM_BASE)).rstrip("/")
    version = channel.first("graph_version") or GRAPH_VERSION
    return Call(
        name=body.get("sender_action", "messages"),
        method="POST",
        url=f"{base}/{version}/{page_id or channel.first('instagram_id') or 'me'}/messages",
        headers={"Authorization": "Bearer {secret:access_token}"},
        body=body,
        part_ids=part_ids,
        is_visible=bool(part_ids),
        changes=changes,
        # The same reaction twice is one reaction.
        idempotency_key=derived_id(part_ids[0], "reaction") if part_ids and ACTION in body else None,
    )
