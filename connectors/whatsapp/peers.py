"""Who an item of WhatsApp's webhook is about, and the text that leads a report back to its conversation. Pure.

Peers are business-scoped user ids (BSUID) wherever one is known, else phone numbers, and groups' ids: a person with a
username has no phone number in webhooks at all. Source: WhatsApp Business Platform "Business-scoped user IDs".
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.shared.meta.messages import OWN_MARK
from connectors.shared.meta.values import as_dict, as_id, as_text
from connectors.whatsapp.api import OPAQUE_MAX

Json = dict[str, Any]

MESSAGES = "messages"
STATUSES = "statuses"
ERRORS = "errors"
ECHOES = "message_echoes"
PREFERENCES = "user_preferences"
GROUPS = "groups"
ITEM_LISTS = (MESSAGES, STATUSES, ERRORS, ECHOES, PREFERENCES, GROUPS)
"""Members of a change's value whose items are events of their own."""

BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[0-9A-Za-z]{1,128}")
"""Country, a dot, up to 128 letters and digits; parent ids have ``ENT`` between ("Business-scoped user IDs")."""

_ID_MEMBERS: dict[str, tuple[str, str]] = {
    MESSAGES: ("from_user_id", "from"),
    STATUSES: ("recipient_user_id", "recipient_id"),
    ECHOES: ("to_user_id", "to"),
    PREFERENCES: ("user_id", "wa_id"),
}
"""Where each kind of item names its person: the BSUID's member, then the phone number's."""


class Person(msgspec.Struct, frozen=True):
    """Both ids of a person, each empty when it is not known."""

    user_id: str = ""
    phone: str = ""

    @property
    def id(self) -> str:
        """The one that a conversation is named by."""
        return self.user_id or self.phone


def is_bsuid(peer: str) -> bool:
    """Whether the peer is to be written to as ``recipient``."""
    return BSUID.fullmatch(peer) is not None


def is_group(peer: str) -> bool:
    """Whether the peer is a group: neither a phone number nor a BSUID."""
    return not (peer.isascii() and peer.isdigit()) and not is_bsuid(peer)


def contact_of(container: str, item: Json, contacts: Sequence[Json]) -> Json:
    """The entry of ``contacts`` that is this item's person; empty when none can be told.

    One that shares an id, else the only one there is, unless its ids are somebody else's.
    """
    named = _named(container, item)
    for contact in contacts:
        known = _ids_of(contact)
        if (named.user_id and named.user_id == known.user_id) or (named.phone and named.phone == known.phone):
            return contact
    if len(contacts) != 1:
        return {}
    known = _ids_of(contacts[0])
    is_other = (named.user_id and known.user_id) or (named.phone and known.phone)
    return {} if is_other else contacts[0]


def person_of(container: str, item: Json, contact: Json) -> Person:
    """The item's person; what the item itself does not say stands in its contact."""
    named, known = _named(container, item), _ids_of(contact)
    return Person(named.user_id or known.user_id, named.phone or known.phone)


def peer_of(container: str, item: Json, contact: Json) -> str:
    """Whose conversation the item belongs to; empty when it does not say.

    A report goes where we sent from, by what we sent along, before any id is looked at: a failure may name a phone
    number only, while the conversation is named by the BSUID.
    """
    if container == STATUSES:
        _, sent_to = read_opaque(item.get("biz_opaque_callback_data"))
        if sent_to:
            return sent_to
        if item.get("recipient_type") == "group":
            return as_id(item.get("recipient_id"))
    group = as_id(item.get("group_id")) if "group_id" in item else ""
    if group or container in (ERRORS, GROUPS):
        return group
    # A changed user id is a fact of the conversation that has the old one.
    previous = as_id(as_dict(item.get("system")).get("previous_user_id")) if "system" in item else ""
    return previous or person_of(container, item, contact).id


def is_fixed(container: str, item: Json) -> bool:
    """Whether the item is about the very conversation that it names: what became of something that we sent from there,
    or that its person has another user id. A new number is none: conversations that have a BSUID keep it."""
    if container == STATUSES:
        return bool(read_opaque(item.get("biz_opaque_callback_data"))[1])
    return "system" in item and bool(as_id(as_dict(item["system"]).get("previous_user_id")))


def opaque_of(mark: str, peer: str) -> str:
    """What is sent along with a message and comes back in its reports: whose part it is, and whose conversation."""
    whole = f"{OWN_MARK}{mark}:{peer}"
    return whole if len(whole) <= OPAQUE_MAX else f"{OWN_MARK}{mark}"[:OPAQUE_MAX]


def read_opaque(value: Any) -> tuple[str | None, str]:
    """(tag, peer) of a report's ``biz_opaque_callback_data``; other senders' texts are a tag without a peer."""
    text = as_text(value)
    if text is None or not text.startswith(OWN_MARK):
        return text, ""
    mark, _, peer = text.removeprefix(OWN_MARK).partition(":")
    return OWN_MARK + mark, as_id(peer)


def _named(container: str, item: Json) -> Person:
    if container not in _ID_MEMBERS:
        return Person()
    user_id, phone = _ID_MEMBERS[container]
    return Person(as_id(item.get(user_id)), as_id(item.get(phone)))


def _ids_of(contact: Json) -> Person:
    return Person(as_id(contact.get("user_id")), as_id(contact.get("wa_id")))
