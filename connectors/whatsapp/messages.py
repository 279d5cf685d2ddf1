"""Reads messages of both sides: what people write and tap, and what the business types in its phone app. Pure.

Each function adds the events of one item, or keeps it as unrecognised. Native keys are message ids: an edit, a
revocation and a reaction have ids of their own beside that of the message they change.
"""

from collections.abc import Callable
from typing import Any

from connectors.shared.messages import message_received
from connectors.shared.meta.values import as_dict, as_id, as_int, as_text
from connectors.whatsapp.contents import contents_of, is_known
from connectors.whatsapp.item import WhatsAppItem
from connectors.whatsapp.taps import choice_of
from schemas.content import ChoiceContent
from schemas.events import (
    ChannelUpdated,
    ChoiceMade,
    IdentityChanged,
    MessageDeleted,
    MessageEchoed,
    MessageEdited,
    ReactionChanged,
    ReferralReceived,
)

NUMBER_CHANGES = {"user_changed_number", "customer_changed_number"}
USER_ID_CHANGE = "user_changed_user_id"
KEY_CHANGE = "customer_identity_changed"
"""Types of "messages webhook reference: system"; ``user_id_update`` is no field that could be subscribed to."""


def read_message(item: WhatsAppItem) -> None:
    """A message of a person, after the advertisement that it answers."""
    reader = READERS.get(item.kind)
    # Without an id it could not be told from its own redelivery by anything that follows.
    if not item.id or (reader is None and not is_known(item.kind)):
        return item.add_unrecognised(item.kind or "message")
    if item.part("referral"):
        _read_referral(item)
    return reader(item) if reader else _read_contents(item)


def read_echo(item: WhatsAppItem) -> None:
    """What a person of the business typed, changed or took back in the phone app; never our own sending, which is
    reported by statuses ("Coexistence": smb_message_echoes)."""
    item.sender = item.number
    if not item.id:
        return item.add_unrecognised("message_echo")
    if item.kind in ECHO_READERS:
        return ECHO_READERS[item.kind](item)
    # Whatever it is, a person of the business has answered: the bot is to be silent also for what we cannot read.
    for content in contents_of(item.event):
        echo = MessageEchoed(
            message_id=item.id, sender_id=item.number, recipient_id=item.peer, content=content, is_ours=False
        )
        item.add(echo, native_key=item.id)
    return None


def _read_contents(item: WhatsAppItem) -> None:
    """Several contents of one message become several events with one message id."""
    context = item.part("context")
    is_forwarded = context.get("forwarded") is True or context.get("frequently_forwarded") is True
    metadata = _metadata(item)
    for content in contents_of(item.event):
        received = message_received(
            content,
            message_id=item.id,
            sender_id=item.sender,
            recipient_id=item.recipient,
            reply_to=as_id(context.get("id")) or None,
            is_forwarded=is_forwarded,
            metadata=metadata,
        )
        item.add(received, native_key=item.id)


def _reply_to(item: WhatsAppItem) -> str | None:
    """The message that is quoted, or that had the button; forwarded messages have a context without an id."""
    return as_id(item.part("context").get("id")) or None


def _metadata(item: WhatsAppItem) -> dict[str, Any]:
    """The profile, which has no API of its own, the phone number beside the BSUID, and where the message belongs."""
    profile = as_dict(item.contact.get("profile"))
    errors, group_id = item.event.get("errors"), as_id(item.event.get("group_id")) or None
    context = item.part("context")
    metadata = {
        "name": as_text(profile.get("name")),
        "username": as_text(profile.get("username")),
        "wa_id": item.person.phone or None,
        "parent_user_id": as_id(item.event.get("from_parent_user_id")) or None,
        "aliases": _aliases(item),
        "group_id": group_id,
        "in_group": True if group_id else None,
        "referred_product": as_dict(context.get("referred_product")) or None,
        "is_frequently_forwarded": context.get("frequently_forwarded") is True or None,
        "is_animated": item.part("sticker").get("animated") is True or None,
        "place_url": as_text(item.part("location").get("url")),
        "errors": errors if isinstance(errors, list) and errors else None,
    }
    return {name: value for name, value in metadata.items() if value is not None}


def _aliases(item: WhatsAppItem) -> list[str] | None:
    """The phone number, where it may lead to the conversation that is named by the BSUID beside it; not in a group."""
    person = item.person
    return [person.phone] if person.phone and person.user_id and person.user_id == item.peer else None


def _read_referral(item: WhatsAppItem) -> None:
    """The advertisement or post that was clicked; its own words are not the person's and stay in ``metadata``."""
    referral = item.part("referral")
    source, source_id = as_text(referral.get("source_type")), as_id(referral.get("source_id")) or None
    received = ReferralReceived(
        sender_id=item.sender,
        ref=as_text(referral.get("ctwa_clid")),
        source=source,
        ad_id=source_id if source == "ad" else None,
        metadata={name: value for name, value in referral.items() if name not in {"ctwa_clid", "source_type"}},
    )
    item.add(received, native_key=item.id)


def _read_tap(item: WhatsAppItem) -> None:
    _choose(item, choice_of(item.kind, item.part(item.kind)))


def _choose(item: WhatsAppItem, content: ChoiceContent | None) -> None:
    """A tap that carries nothing is kept, but there is nothing to answer to."""
    if content is None:
        return item.add_unrecognised(item.kind)
    made = ChoiceMade(
        message_id=item.id,
        sender_id=item.sender,
        recipient_id=item.recipient,
        content=content,
        reply_to=_reply_to(item),
        metadata=_metadata(item),
    )
    return item.add(made, native_key=item.id)


def _read_reaction(item: WhatsAppItem) -> None:
    """Set, or removed: then the emoji is missing or empty."""
    reaction = item.part("reaction")
    target, emoji = as_id(reaction.get("message_id")), as_text(reaction.get("emoji")) or ""
    if not target:
        return item.add_unrecognised("reaction")
    changed = ReactionChanged(message_id=target, sender_id=item.sender, is_removed=not emoji, emoji=emoji)
    return item.add(changed, native_key=item.id)


def _read_edit(item: WhatsAppItem) -> None:
    """A later form of a message. Edits have no number and come in any order, so that their time tells which is last."""
    edit = item.part("edit")
    target, message = as_id(edit.get("original_message_id")), as_dict(edit.get("message"))
    if not target or not message:
        return item.add_unrecognised("edit")
    edited = MessageEdited(
        message_id=target,
        sender_id=item.sender,
        content=contents_of(message)[0],
        revision=as_int(item.event.get("timestamp")) or 0,
        metadata=_side(item),
    )
    return item.add(edited, native_key=item.id)


def _read_revoke(item: WhatsAppItem) -> None:
    """The message is taken back by its writer."""
    target = as_id(item.part("revoke").get("original_message_id"))
    if not target:
        return item.add_unrecognised("revoke")
    deleted = MessageDeleted(message_id=target, sender_id=item.sender, metadata=_side(item))
    return item.add(deleted, native_key=item.id)


def _side(item: WhatsAppItem) -> dict[str, Any]:
    """The business's own messages are marked, as on every platform."""
    return {"is_echo": True} if item.sender == item.number else {}


def _read_system(item: WhatsAppItem) -> None:
    """A person got another number or user id, or another phone; logged in the conversation of the old identity."""
    system = item.part("system")
    kind = as_text(system.get("type")) or "unknown"
    # The body's words are WhatsApp's own and say no more than the members.
    if kind in NUMBER_CHANGES:
        old = as_id(item.event.get("from")) or item.peer
        new = as_id(system.get("wa_id")) or as_id(system.get("new_wa_id"))
    elif kind == USER_ID_CHANGE:
        old, new = as_id(system.get("previous_user_id")) or item.peer, as_id(system.get("user_id"))
    elif kind == KEY_CHANGE:
        facts = {name: value for name, value in system.items() if name not in {"body", "type"}}
        changed = ChannelUpdated(subject="customer_identity", change="changed", metadata=facts)
        return item.add(changed, native_key=item.id)
    else:
        return item.add_unrecognised(f"system.{kind}")
    if not new:
        return item.add_unrecognised(f"system.{kind}")
    return item.add(IdentityChanged(old_identity=old, new_identity=new, cause=kind), native_key=item.id)


ECHO_READERS: dict[str, Callable[[WhatsAppItem], None]] = {
    "reaction": _read_reaction,
    "edit": _read_edit,
    "revoke": _read_revoke,
}

READERS: dict[str, Callable[[WhatsAppItem], None]] = ECHO_READERS | {
    "button": _read_tap,
    "interactive": _read_tap,
    "system": _read_system,
}
"""By message type; all others are contents."""
