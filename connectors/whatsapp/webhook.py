"""WhatsApp's webhook: untrusted bytes to raw records, raw records to events. Pure.

Reads bodies of ``object: whatsapp_business_account`` and ``iris.inbound.whatsapp`` records; total over all JSON.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
from pydantic import ValidationError

from connectors.interface import Accepted, Challenge, Channel, Unprocessable, WebhookRequest
from connectors.shared.meta.webhook import accept_signed
from connectors.whatsapp.entries import WEBHOOK_OBJECT, WHOLE_CHANGE, WHOLE_MEMBER, split_changes
from connectors.whatsapp.item import WhatsAppItem
from connectors.whatsapp.messages import read_echo, read_message
from connectors.whatsapp.notices import read_change, read_error, read_group, read_preference, read_status
from connectors.whatsapp.peers import ECHOES, ERRORS, GROUPS, MESSAGES, PREFERENCES, STATUSES
from schemas.envelope import AnyEvent
from schemas.events import InputIgnored
from schemas.inbound import RawEvent

STANDBY = "standby"
"""Field of what people write while another app holds the thread; sending would take it over, so it gets no answer
("Messaging handovers")."""

SYSTEM = "system"
"""Type of facts about the person, which count whoever holds the thread."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the items of one list are read. ``peer_is``: who is missing when they cannot belong to a conversation."""

    read: Callable[[WhatsAppItem], None]
    peer_is: str | None = None


KINDS: dict[str, Kind] = {
    MESSAGES: Kind(read_message, peer_is="sender"),
    ECHOES: Kind(read_echo, peer_is="recipient"),
    STATUSES: Kind(read_status),
    ERRORS: Kind(read_error),
    PREFERENCES: Kind(read_preference),
    GROUPS: Kind(read_group),
    WHOLE_CHANGE: Kind(read_change),
}
"""By list of the value, in place of which ``entries`` puts WHOLE_CHANGE. A status that names nobody belongs to the
channel's own key: the message that it is about is known to some conversation, and only the log can tell to which."""


def accept_request(request: WebhookRequest, channel: Channel, channels: Sequence[Channel]) -> Accepted | Challenge:
    """Answer the URL check, or prove the signature and split. Raises WebhookRejected."""
    return accept_signed(request, channel, channels, split=split_changes)


def normalise_raw(raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events in order. Never raises."""
    if raw.body is not None:
        return Unprocessable(f"the webhook body is no {WEBHOOK_OBJECT} event that could be split")
    try:
        item = WhatsAppItem(raw)
        reason = _read(item)
    except (ValidationError, orjson.JSONEncodeError) as error:
        # Intake caps the depth of a body; a record from elsewhere may hold what no envelope can carry.
        return Unprocessable(f"the event does not fit into an envelope: {str(error)[:200]}")
    return Unprocessable(reason) if reason else tuple(item.events)


def _read(item: WhatsAppItem) -> str | None:
    """Fill ``item.events``; a reason when the item can belong to no conversation: what people say is never put into a
    conversation by guess."""
    kind = KINDS.get(item.container)
    if kind is None:
        # An entry without changes, or a member of a value that did not exist when this was written.
        member = str(item.enclosing.get("member")) if item.container == WHOLE_MEMBER else item.container
        item.add_unrecognised(member or "entry")
        return None
    if not isinstance(item.native, dict):
        return f"the {item.container} event is {type(item.native).__name__}, not an object"
    if kind.peer_is and not item.peer:
        return f"{item.kind or item.container} without {kind.peer_is}"
    if item.field == STANDBY and item.container == MESSAGES and item.kind != SYSTEM:
        _ignore(item)
    else:
        kind.read(item)
    return None


def _ignore(item: WhatsAppItem) -> None:
    """The other app answers; what was said stays in the raw record, and the log says that it was left to that one."""
    metadata = {"sender_id": item.sender} | ({"message_id": item.id} if item.id else {})
    ignored = InputIgnored(reason="standby", native_kind=item.kind or "message", metadata=metadata)
    item.add(ignored, native_key=item.id or item.digest())
