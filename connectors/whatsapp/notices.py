"""Reads everything but messages: statuses of what we sent, errors, preferences, groups and news of the account. Pure.

Sources: "status messages webhook reference", "errors webhook", and one page per webhook field.
"""

from typing import Any, get_args

from connectors.shared.meta.values import as_dict, as_id, as_int, as_list, as_text
from connectors.whatsapp.item import WhatsAppItem
from connectors.whatsapp.peers import read_opaque
from schemas.events import ChannelUpdated, DeliveryReported

STATUSES = frozenset(get_args(DeliveryReported.model_fields["status"].annotation))
"""Older numbers also send ``deleted`` and ``warning``, which tell nothing about the delivery."""

PRICE_MEMBERS = ("pricing", "conversation", "recipient_type")
"""Told beside the status; the rest of it has fields of its own."""

ACCOUNT_FIELDS = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "business_username_updates",
        "flows",
        "message_template_components_update",
        "message_template_quality_update",
        "message_template_status_update",
        "messaging_handovers",
        "phone_number_name_update",
        "phone_number_quality_update",
        "security",
        "template_category_update",
    }
)
"""Webhook fields with news of the account. Others are kept as they came: they may hold people's words (history)."""

CHANGE_MEMBERS = (
    "event",
    "decision",
    "new_quality_score",
    "new_category",
    "alert_type",
    "alert_status",
    "type",
    "action",
    "status",
)
"""Where those fields say what has changed, the telling ones first."""


def read_status(item: WhatsAppItem) -> None:
    """What became of a message. Four statuses share its id, and in groups each participant has own ones: the key is
    (id, status, participant). The tag that we sent along names the part."""
    status = as_text(item.event.get("status")) or ""
    if not item.id or status not in STATUSES:
        return item.add_unrecognised(f"status.{status or 'unknown'}")
    # In a group the message is read by each participant for himself.
    participant = as_id(item.event.get("recipient_participant_user_id")) or as_id(
        item.event.get("recipient_participant_id")
    )
    tag, _ = read_opaque(item.event.get("biz_opaque_callback_data"))
    report = DeliveryReported(
        status=status,
        message_id=item.id,
        recipient_id=participant or item.person.id or item.peer or None,
        tag=tag,
        errors=tuple(filter(None, map(as_dict, as_list(item.event.get("errors"))))),
        metadata={name: item.event[name] for name in PRICE_MEMBERS if item.event.get(name)},
    )
    return item.add(report, native_key=f"{item.id}|{status}|{participant}")


def read_error(item: WhatsAppItem) -> None:
    """Something went wrong outside of any message."""
    # The code is one of "Error codes"; the rest is for a person to read.
    change = str(as_int(item.event.get("code")) or "unknown")
    item.add(ChannelUpdated(subject="error", change=change, metadata=item.event), native_key=item.digest())


def read_preference(item: WhatsAppItem) -> None:
    """Somebody stopped or resumed marketing messages; told in that person's own conversation, because templates of
    that category are refused from then on (131050)."""
    change = as_text(item.event.get("value")) or "unknown"
    item.add(ChannelUpdated(subject="opt_in", change=change, metadata=item.event), native_key=item.digest())


def read_group(item: WhatsAppItem) -> None:
    """A group was made, changed or ended, or its members did."""
    change = as_text(item.event.get("type")) or "updated"
    subject = item.field or "group"
    item.add(ChannelUpdated(subject=subject, change=change, metadata=item.event), native_key=item.digest())


def read_change(item: WhatsAppItem) -> None:
    """A change without items: news of the account, or kept as it came."""
    value = as_dict(item.event.get("value"))
    if item.field not in ACCOUNT_FIELDS or not value:
        return item.add_unrecognised(f"changes.{item.field or 'unknown'}")
    updated = ChannelUpdated(subject=item.field, change=_change_of(value), metadata=value)
    return item.add(updated, native_key=item.digest())


def _change_of(value: dict[str, Any]) -> str:
    """One word for what has changed; alerts have theirs one level deeper."""
    said = as_dict(value.get("alert_info")) | value
    return next(filter(None, (as_text(said.get(name)) for name in CHANGE_MEMBERS)), "updated")
