"""A raw update becomes conversation events. Pure; total; one small function per kind of update.

Event ids rest on the ``update_id``, joined with the message id where there is one: the former starts again at random
after a quiet week ("Telegram Bot API", section "Update"). An update without one is known by the hash of what it says.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from pydantic import ValidationError

from connectors.interface import Unprocessable
from connectors.shared.envelope import enveloped
from connectors.telegram import happenings, messages
from connectors.telegram.draft import Draft, Nobody, Update
from connectors.telegram.update import kind_and_item
from connectors.telegram.wire import ident
from schemas.content import UnsupportedContent
from schemas.envelope import AnyEvent
from schemas.events import Unrecognised
from schemas.inbound import RawEvent

PREFIX = "tg_"
"""Starts every conversation id of this platform."""


def normalise(raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events of one update, in order; ``Unprocessable`` where nobody can be told or where it is no update at all."""
    native: Any = raw.event
    if not isinstance(native, dict):
        return Unprocessable("the body is no update: expected a JSON object with update_id and one more member")
    bot_id, bot_username = raw.enclosing.get("bot_id"), raw.enclosing.get("bot_username")
    kind, item = kind_and_item(native)
    update = Update(
        kind=kind,
        item=item,
        native=native,
        bot_id=bot_id if isinstance(bot_id, str) else "",
        bot_username=bot_username if isinstance(bot_username, str) else "",
    )
    try:
        drafts = HANDLERS.get(update.kind, _unrecognised)(update)
        key = _native_key(update)
    except Nobody as missing:
        return Unprocessable(f"{update.kind} {missing}")
    except (ValidationError, orjson.JSONEncodeError):
        # Intake lets nothing that deep through; a record that somebody else put onto the topic may be so.
        return Unprocessable(f"{update.kind} is nested too deep to be kept")
    return tuple([_event(draft, raw, key=key, ordinal=ordinal) for ordinal, draft in enumerate(drafts)])


def _event(draft: Draft, raw: RawEvent, *, key: str, ordinal: int) -> AnyEvent:
    return enveloped(
        draft.data,
        raw,
        prefix=PREFIX,
        native_key=draft.key or key,
        ordinal=ordinal,
        occurred_at=raw.received_at if draft.at_ms is None else draft.at_ms,
    )


def _native_key(update: Update) -> str:
    """What makes this update the same one when it comes again; raises orjson.JSONEncodeError beyond its depth."""
    number = ident(update.native, "update_id")
    if not number:
        return hashlib.sha256(orjson.dumps(update.native, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f"{number}:{ident(update.item, 'message_id')}"


def _unrecognised(update: Update) -> list[Draft]:
    content = UnsupportedContent(native_kind=update.kind, raw=update.native)
    return [Draft(Unrecognised(native_kind=update.kind, content=content))]


HANDLERS: dict[str, Callable[[Update], list[Draft]]] = {
    "message": messages.received,
    "channel_post": messages.received,
    "business_message": messages.received,
    "edited_message": messages.edited,
    "edited_channel_post": messages.edited,
    "edited_business_message": messages.edited,
    "deleted_business_messages": happenings.business_deleted,
    "business_connection": happenings.business_connected,
    "callback_query": happenings.tapped,
    "message_reaction": happenings.reacted,
    "message_reaction_count": happenings.reactions_counted,
    "my_chat_member": happenings.bot_moved,
    "chat_member": happenings.member_moved,
    "chat_join_request": happenings.join_requested,
    "chat_boost": happenings.boosted,
    "removed_chat_boost": happenings.boosted,
}
"""Kind of update → its reader. The other kinds (polls, inline mode, payments, what is new) are kept unrecognised."""
