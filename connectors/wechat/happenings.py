"""What followers do and what WeChat reports: one function per Event ("Receive event pushes", 接收事件推送). Pure.

Each yields the facts that an event tells, and raises ValueError when a member is not as documented.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.wechat.messages import Reader, account_of, needed, without_gaps
from connectors.wechat.wire import Members, text_of
from schemas import events as facts
from schemas.content import ChoiceContent
from schemas.inbound import RawEvent

SCENE = "qrscene_"
"""Starts the EventKey of somebody who followed by a QR code; a follower's own scan has the bare value."""


def _subscribe(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """Somebody follows; by a QR code of ours, whose scene says where it hung, it is a referral as well."""
    key = text_of(members, "EventKey") or ""
    if key.startswith(SCENE):
        yield _referral(members, raw, key.removeprefix(SCENE))
    # After a payment the key is the number of the order (last_trade_no_…), which leads nowhere here.
    yield facts.ContactJoined(contact_id=raw.peer, how="follow")


def _unsubscribe(_members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """Somebody stopped following: nothing can be sent any more."""
    yield facts.ContactLeft(contact_id=raw.peer, how="unfollow")


def _scan(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A follower scanned a QR code of ours."""
    yield _referral(members, raw, needed(members, "EventKey"))


def _referral(members: Members, raw: RawEvent, scene: str) -> facts.EventData:
    metadata = without_gaps(ticket=text_of(members, "Ticket"))
    return facts.ReferralReceived(sender_id=raw.peer, ref=scene, source="qr_code", metadata=metadata)


def _click(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A tap on an entry of the account's menu; some entries open the camera and tell what it saw."""
    scanned = members.get("ScanCodeInfo")
    yield facts.ChoiceMade(
        sender_id=raw.peer,
        recipient_id=account_of(members, raw),
        content=ChoiceContent(
            data=needed(members, "EventKey"),
            source="menu",
            values=dict(scanned) if isinstance(scanned, Mapping) else {},
        ),
    )


def _ignored(reason: str) -> Reader:
    """Understood, without effect: nothing was said, and an answer would be refused, for no window opens by it."""

    def read(members: Members, _raw: RawEvent) -> Iterator[facts.EventData]:
        metadata = without_gaps(event_key=text_of(members, "EventKey"), menu_id=text_of(members, "MenuId"))
        yield facts.InputIgnored(reason=reason, native_kind=needed(members, "Event"), metadata=metadata)

    return read


def _template_sent(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """What became of a template message: ``success``, or why not."""
    status = needed(members, "Status")
    is_delivered = status.lower() == "success"
    yield facts.DeliveryReported(
        status="delivered" if is_delivered else "failed",
        message_id=needed(members, "MsgID"),
        recipient_id=raw.peer,
        errors=() if is_delivered else ({"message": status},),
    )


def _mass_sent(members: Members, raw: RawEvent) -> Iterator[facts.EventData]:
    """A mass sending of the console is over."""
    metadata: dict[str, Any] = without_gaps(
        message_id=text_of(members, "MsgID"),
        status=needed(members, "Status"),
        total=text_of(members, "TotalCount"),
        filtered=text_of(members, "FilterCount"),
        sent=text_of(members, "SentCount"),
        failed=text_of(members, "ErrorCount"),
    )
    yield facts.ChannelUpdated(subject=account_of(members, raw), change="mass_send_finished", metadata=metadata)


HAPPENINGS: dict[str, Reader] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "scan": _scan,
    "click": _click,
    "scancode_push": _click,
    "scancode_waitmsg": _click,
    "view": _ignored("link_opened"),
    "view_miniprogram": _ignored("link_opened"),
    # What was chosen follows as a message of its own.
    "pic_sysphoto": _ignored("message_follows"),
    "pic_photo_or_album": _ignored("message_follows"),
    "pic_weixin": _ignored("message_follows"),
    "location_select": _ignored("message_follows"),
    # Sent by the app on opening the chat, or every five seconds: where a person is stays in the raw record only.
    "location": _ignored("position_report"),
    "templatesendjobfinish": _template_sent,
    "masssendjobfinish": _mass_sent,
}
"""Event, in lower case → its reader."""
