"""Reads all members of an item but ``message``: taps, reactions, edits, receipts, referrals, control of the thread.

Each function adds the events of one member, or keeps the item as unrecognised when the member lacks its own id.
Receipts name a watermark: everything sent at or before it is delivered or read.
"""

from typing import Any

from connectors.shared.meta.item import Item
from connectors.shared.meta.values import as_dict, as_id, as_int, as_list, as_text, as_time_ms
from schemas.content import ChoiceContent, TextContent
from schemas.events import (
    ChannelUpdated,
    ChoiceMade,
    DeliveryReported,
    InputIgnored,
    MessageEdited,
    MessageRead,
    ReactionChanged,
    ReferralReceived,
)

EMOJI = {
    "smile": "😆",
    "angry": "😠",
    "sad": "😢",
    "wow": "😮",
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
}
"""For reactions that come without their emoji ("Webhook event reference: message_reactions")."""


def read_postback(item: Item, value: Any) -> None:
    """A tap on a button; ``payload`` is missing for every app but the one that sent the button."""
    postback = as_dict(value)
    mid = as_id(postback.get("mid"))
    payload = as_text(postback.get("payload")) or ""
    key = mid or item.moment_key("postback", payload)
    if postback.get("referral"):
        read_referral(item, postback["referral"], native_key=key)
    choice = ChoiceContent(data=payload, title=as_text(postback.get("title")), source="postback")
    sender, recipient = item.sender or item.peer, item.recipient
    made = ChoiceMade(message_id=mid or None, sender_id=sender, recipient_id=recipient, content=choice)
    item.add(made, native_key=key)


def read_edit(item: Item, value: Any) -> None:
    """New text of an earlier message; at most five edits each."""
    edit = as_dict(value)
    mid, text = as_id(edit.get("mid")), edit.get("text")
    if not mid or not isinstance(text, str):
        return item.add_unrecognised("message_edit")
    revision = as_int(edit.get("num_edit")) or 0
    # Without a revision the time tells two edits apart.
    key = f"{mid}:{revision}" if revision else item.moment_key(mid)
    sender = item.sender or item.peer
    edited = MessageEdited(message_id=mid, sender_id=sender, content=TextContent(text=text), revision=revision)
    return item.add(edited, native_key=key)


def read_reaction(item: Item, value: Any) -> None:
    """A reaction to a message, or its removal (then name and emoji are missing)."""
    reaction = as_dict(value)
    mid, action = as_id(reaction.get("mid")), as_text(reaction.get("action")) or "react"
    if not mid:
        return item.add_unrecognised("reaction")
    is_removed = action == "unreact"
    name = as_text(reaction.get("reaction"))
    emoji = as_text(reaction.get("emoji")) or EMOJI.get(name or "", "")
    changed = ReactionChanged(
        message_id=mid,
        sender_id=item.sender or item.peer,
        is_removed=is_removed,
        emoji="" if is_removed else emoji,
        metadata={"reaction": name} if name else {},
    )
    # The name too, for two reactions within one millisecond.
    return item.add(changed, native_key=item.moment_key(mid, action, name or ""))


def read_delivery(item: Item, value: Any) -> None:
    """One report for each message that is named and one for the watermark; either may be missing."""
    delivery = as_dict(value)
    mids = [mid for mid in map(as_id, as_list(delivery.get("mids"))) if mid]
    watermark = as_time_ms(delivery.get("watermark"))
    for mid in mids:
        report = DeliveryReported(status="delivered", message_id=mid, recipient_id=item.peer)
        item.add(report, native_key=f"{mid}:delivered")
    if watermark is not None:
        report = DeliveryReported(status="delivered", watermark=watermark, recipient_id=item.peer)
        item.add(report, native_key=f"delivered:{item.peer}:{watermark}")
    if not mids and watermark is None:
        item.add_unrecognised("delivery")


def read_read(item: Item, value: Any) -> None:
    """Read up to a watermark (Messenger) or one message (Instagram)."""
    read = as_dict(value)
    mid, watermark = as_id(read.get("mid")) or None, as_time_ms(read.get("watermark"))
    if mid is None and watermark is None:
        return item.add_unrecognised("read")
    seen = MessageRead(reader_id=item.peer, message_id=mid, watermark=watermark)
    return item.add(seen, native_key=f"read:{item.peer}:{mid or watermark}")


def read_referral(item: Item, value: Any, *, native_key: str | None = None) -> None:
    """The link or advertisement that brought the person here; inside a message or postback it has that one's key."""
    referral = as_dict(value)
    ref = as_text(referral.get("ref"))
    rest = {name: entry for name, entry in referral.items() if name not in {"ref", "source", "ad_id"}}
    received = ReferralReceived(
        sender_id=item.sender or item.peer,
        ref=ref,
        source=as_text(referral.get("source")),
        ad_id=as_id(referral.get("ad_id")) or None,
        metadata=rest,
    )
    item.add(received, native_key=native_key or item.moment_key("referral", ref or ""))


def read_optin(item: Item, value: Any) -> None:
    """Consent to notifications; its token in ``metadata`` is what they are sent with. The checkbox plugin knows only a
    ``user_ref`` in place of the person, so that its consent belongs to the channel."""
    optin = as_dict(value)
    sender = as_dict(item.event.get("sender"))
    metadata = optin | {name: sender[name] for name in ("user_ref",) if name in sender}
    change = as_text(optin.get("type")) or "given"
    item.add(ChannelUpdated(subject="opt_in", change=change, metadata=metadata), native_key=item.digest())


def read_policy(item: Item, value: Any) -> None:
    """Meta warned, blocked or unblocked the account."""
    policy = as_dict(value)
    change = as_text(policy.get("action")) or "unknown"
    item.add(ChannelUpdated(subject="policy_enforcement", change=change, metadata=policy), native_key=item.digest())


def read_control(item: Item, value: Any, *, change: str) -> None:
    """Another app got, took or wants the thread ("Handover Protocol"); ``metadata`` has the apps' ids."""
    updated = ChannelUpdated(subject="thread_control", change=change, metadata=as_dict(value))
    item.add(updated, native_key=f"{change}:{item.digest()}")


def read_account_linking(item: Item, value: Any) -> None:
    """The person linked or unlinked an account of the business's own."""
    linking = as_dict(value)
    change = as_text(linking.get("status")) or "unknown"
    item.add(ChannelUpdated(subject="account_linking", change=change, metadata=linking), native_key=item.digest())


def read_survey(item: Item, value: Any) -> None:
    """A filled-in feedback form; the answers are content."""
    choice = ChoiceContent(data="messaging_feedback", source="form", values=as_dict(value))
    made = ChoiceMade(sender_id=item.sender or item.peer, recipient_id=item.recipient, content=choice)
    item.add(made, native_key=item.digest())


def read_response_feedback(item: Item, value: Any) -> None:
    """Thumbs for one of our answers: kept for the books, and nothing to reply to."""
    ignored = InputIgnored(reason="feedback", native_kind="response_feedback", metadata=as_dict(value))
    item.add(ignored, native_key=item.digest())
