"""Reads the member ``message`` of an item: messages, quick-reply taps, unsends and echoes.

An echo is a message of the business's own side. It is ours when it carries our mark or our app id.
"""

from typing import Any

from connectors.shared.messages import message_received
from connectors.shared.meta.contents import contents_of
from connectors.shared.meta.item import Item
from connectors.shared.meta.signals import read_referral
from connectors.shared.meta.values import as_dict, as_id, as_text
from schemas.content import ChoiceContent
from schemas.events import ChoiceMade, MessageDeleted, MessageEchoed

OWN_MARK = "iris:"
"""Starts the ``metadata`` of everything that we send; Meta returns it in the echo ("Webhook: message echoes")."""

PAGE_INBOX_APP_ID = "26390203743090"
"""The app id of echoes that a person typed in the Page inbox ("Webhook: message echoes")."""


def is_echo(event: dict[str, Any]) -> bool:
    """The item tells of a message that the account itself sent."""
    message = event.get("message")
    return isinstance(message, dict) and message.get("is_echo") is True


def read_message(item: Item, value: Any) -> None:
    """Add what a message says; several contents of one message become several events with one message id."""
    message: dict[str, Any] = value if isinstance(value, dict) else {}
    mid = as_id(message.get("mid"))
    if not mid:
        item.add_unrecognised("message")
    elif message.get("is_deleted") is True:
        # Before the echo: an account that takes its own message back is told of as an echo of that message.
        item.add(MessageDeleted(message_id=mid, sender_id=item.sender or item.peer), native_key=f"{mid}:deleted")
    elif message.get("is_echo") is True:
        _read_echo(item, message, mid)
    else:
        # The advertisement comes first: it is what the message answers.
        if message.get("referral"):
            read_referral(item, message["referral"], native_key=mid)
        _read_inbound(item, message, mid)


def _read_inbound(item: Item, message: dict[str, Any], mid: str) -> None:
    sender, recipient = item.sender or item.peer, item.recipient
    reply_to, metadata = _answered(message["reply_to"]) if "reply_to" in message else (None, {})
    tap = message.get("quick_reply")
    if isinstance(tap, dict):
        title = as_text(message.get("text"))
        choice = ChoiceMade(
            message_id=mid,
            sender_id=sender,
            recipient_id=recipient,
            content=ChoiceContent(data=as_text(tap.get("payload")) or title or "", title=title, source="quick_reply"),
            reply_to=reply_to,
            metadata=metadata,
        )
        item.add(choice, native_key=mid)
        message = {name: value for name, value in message.items() if name != "text"}
        if not message.get("attachments"):
            return
    for content in contents_of(message):
        received = message_received(
            content,
            message_id=mid,
            sender_id=sender,
            recipient_id=recipient,
            reply_to=reply_to,
            metadata=metadata,
        )
        item.add(received, native_key=mid)


def _answered(value: Any) -> tuple[str | None, dict[str, Any]]:
    """The message that is answered, and what is to be told beside it."""
    answered = as_dict(value)
    return as_id(answered.get("mid")) or None, (
        {"is_self_reply": True} if answered.get("is_self_reply") is True else {}
    )


def _read_echo(item: Item, message: dict[str, Any], mid: str) -> None:
    is_ours = sent_by_us(message, item.own_app_ids)
    for content in contents_of(message):
        echo = MessageEchoed(
            message_id=mid,
            sender_id=item.sender or item.account,
            recipient_id=item.peer,
            content=content,
            tag=as_text(message.get("metadata")),
            app_id=as_id(message.get("app_id")) or None,
            is_ours=is_ours,
        )
        item.add(echo, native_key=mid)


def sent_by_us(message: dict[str, Any], own_app_ids: frozenset[str]) -> bool | None:
    """Whether an echo is of our own sending; None when neither mark nor app id can tell."""
    tag, app_id = as_text(message.get("metadata")) or "", as_id(message.get("app_id"))
    if tag.startswith(OWN_MARK) or app_id in own_app_ids:
        return True
    if not app_id or not (own_app_ids or app_id == PAGE_INBOX_APP_ID):
        return None
    return False
