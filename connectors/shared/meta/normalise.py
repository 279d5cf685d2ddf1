"""One raw messaging record to events: a table of the members that an item can have, and the rules around it.

Reads ``iris.inbound.<platform>`` records that ``entries`` made; total over all JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from pydantic import ValidationError

from connectors.interface import Unprocessable
from connectors.shared.meta import signals
from connectors.shared.meta.entries import CHANGES, STANDBY, WHOLE_ENTRY
from connectors.shared.meta.item import Dialect, Item
from connectors.shared.meta.messages import is_echo, read_message, sent_by_us
from connectors.shared.meta.values import as_dict, as_id, as_text
from schemas.envelope import AnyEvent
from schemas.events import InputIgnored
from schemas.inbound import RawEvent


@dataclass(frozen=True, slots=True)
class Kind:
    """How one member is read. ``needs_peer``: without a person it belongs to no conversation. ``is_input``: the bot may
    answer it or be paused by it, so that it has no effect while another app holds the thread."""

    read: Callable[[Item, Any], None]
    needs_peer: bool = True
    is_input: bool = True


def _control(change: str) -> Kind:
    return Kind(partial(signals.read_control, change=change), needs_peer=False, is_input=False)


KINDS: dict[str, Kind] = {
    "message": Kind(read_message),
    "message_edit": Kind(signals.read_edit),
    "reaction": Kind(signals.read_reaction),
    "delivery": Kind(signals.read_delivery, is_input=False),
    "read": Kind(signals.read_read, is_input=False),
    "postback": Kind(signals.read_postback),
    "referral": Kind(signals.read_referral),
    "optin": Kind(signals.read_optin, needs_peer=False),
    "policy_enforcement": Kind(signals.read_policy, needs_peer=False, is_input=False),
    "pass_thread_control": _control("passed"),
    "take_thread_control": _control("taken"),
    "request_thread_control": _control("requested"),
    "app_roles": _control("roles"),
    "account_linking": Kind(signals.read_account_linking),
    "messaging_feedback": Kind(signals.read_survey),
    "response_feedback": Kind(signals.read_response_feedback),
}
"""By member of the item, as in "Webhook events reference"; an item should have one of them, and every one is read."""

FRAME = {"sender", "recipient", "timestamp"}
"""Members that every item has beside its own."""


def normalise_messaging(raw: RawEvent, dialect: Dialect) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events in order; unknown members become one ``unrecognised``. Never raises."""
    if raw.body is not None:
        return Unprocessable(f"the webhook body is no {dialect.webhook_object} event that could be split")
    if not isinstance(raw.event, dict):
        return Unprocessable(f"the event is {type(raw.event).__name__}, not an object")
    item = Item(raw, dialect)
    try:
        reason = _read(item)
    except (ValidationError, orjson.JSONEncodeError) as error:
        # Intake caps the depth of a body; a record from elsewhere may hold what no envelope can carry.
        return Unprocessable(f"the event does not fit into an envelope: {str(error)[:200]}")
    return Unprocessable(reason) if reason else tuple(item.events)


def _read(item: Item) -> str | None:
    """Fill ``item.events``; a reason when the item can belong to no conversation."""
    container = item.enclosing.get("container")
    if container == WHOLE_ENTRY:
        # Instagram before Graph v24 put a change's field and value on the entry itself.
        field = as_text(item.event.get("field"))
        item.add_unrecognised(f"changes.{field}" if field else "entry")
        return None
    if container == CHANGES:
        item.add_unrecognised(f"changes.{as_text(item.event.get('field')) or 'unknown'}")
        return None
    members = [name for name in item.event if name in KINDS]
    if len(members) > 1:
        members.sort(key=list(KINDS).index)
    for name in members:
        kind = KINDS[name]
        if kind.needs_peer and not item.peer:
            return f"{name} without {'recipient' if is_echo(item.event) else 'sender'}"
        if container == STANDBY and kind.is_input and not _is_own_echo(item):
            _ignore(item, name, reason="standby")
        elif kind.is_input and item.is_to_itself:
            # Answered, it would be a conversation of the bot with itself that never ends.
            _ignore(item, name, reason="self")
        else:
            kind.read(item, item.event[name])
    if not members:
        item.add_unrecognised(next((name for name in item.event if name not in FRAME), "item"))
    return None


def _is_own_echo(item: Item) -> bool:
    """An echo of our own sending is evidence of it, whoever holds the thread by now."""
    return is_echo(item.event) and sent_by_us(as_dict(item.event.get("message")), item.own_app_ids) is True


def _ignore(item: Item, native_kind: str, *, reason: str) -> None:
    """Understood and not to be answered: another app holds the thread ("Handover Protocol"), or the account wrote to
    itself. What was said stays in the raw record."""
    mid = as_id(as_dict(item.event[native_kind]).get("mid"))
    metadata = {"sender_id": item.sender} | ({"message_id": mid} if mid else {})
    ignored = InputIgnored(reason=reason, native_kind=native_kind, metadata=metadata)
    item.add(ignored, native_key=item.digest())
