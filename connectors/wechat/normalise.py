"""WeChat messages and events → events of the conversation. Pure and total: what is not understood is ``unrecognised``.

Identity: ``MsgId``, which a repetition keeps. Events have none: sender, second, event, its key and the number of what
was sent make one ("Receive event pushes", 接收事件推送).
"""

import hashlib

from connectors.interface import Unprocessable
from connectors.shared.envelope import enveloped
from connectors.wechat.happenings import HAPPENINGS
from connectors.wechat.messages import MESSAGES
from connectors.wechat.webhook import OF_THE_CHANNEL
from connectors.wechat.wire import MalformedXmlError, Members, parse, text_of
from schemas import events as facts
from schemas.content import UnsupportedContent
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent

PREFIX = "wx_"

TIME_S_MAX = 253_402_300_799
"""End of the year 9999, the last that RFC 3339 can write."""

KEY_MEMBERS = ("FromUserName", "CreateTime", "Event", "EventKey", "MsgID")
READERS = MESSAGES | {f"event/{name}": reader for name, reader in HAPPENINGS.items()}


def normalise(raw: RawEvent) -> tuple[AnyEvent, ...] | Unprocessable:
    """Events of one raw event: two for a follower who came by a QR code, otherwise one."""
    if raw.body is not None or not isinstance(raw.event, str):
        return Unprocessable("the record holds no XML text")
    try:
        members = parse(raw.event)
    except MalformedXmlError as error:
        return Unprocessable(str(error))
    kind = _kind(members)
    reader = READERS.get(kind)
    if reader is not None and not raw.peer and kind.removeprefix("event/") not in OF_THE_CHANNEL:
        return Unprocessable(f"{kind} without a FromUserName")
    try:
        found = list(reader(members, raw)) if reader else []
    except ValueError:
        # A member is not of the documented form (pydantic's errors are ValueErrors): kept as it came.
        found = []
    key = _native_key(members, raw.event, is_known=bool(found))
    made = found or [_unrecognised(raw.event, kind)]
    return tuple(_event(fact, raw, members, key=key, ordinal=ordinal) for ordinal, fact in enumerate(made))


def _event(fact: facts.EventData, raw: RawEvent, members: Members, *, key: str, ordinal: int) -> AnyEvent:
    """The envelope around a fact. ``ordinal`` tells apart what one native event says several times of."""
    at = _occurred_at(members, raw)
    return enveloped(fact, raw, prefix=PREFIX, native_key=key, ordinal=ordinal, occurred_at=at)


def _kind(members: Members) -> str:
    """``text``, ``event/subscribe`` …: WeChat writes some events in capitals and some not."""
    kind = (text_of(members, "MsgType") or "").lower()
    return f"event/{(text_of(members, 'Event') or '').lower()}" if kind == "event" else kind


def _native_key(members: Members, text: str, *, is_known: bool) -> str:
    number = text_of(members, "MsgId")
    if number:
        return number
    if not is_known:
        # Nobody knows what tells two of them apart.
        return hashlib.sha256(text.encode()).hexdigest()
    return "|".join(text_of(members, name) or "" for name in KEY_MEMBERS)


def _occurred_at(members: Members, raw: RawEvent) -> int:
    """WeChat's clock, seconds made milliseconds; our own where WeChat gives none that makes sense."""
    value = text_of(members, "CreateTime") or ""
    seconds = int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(TIME_S_MAX)) else 0
    return seconds * 1000 if 0 < seconds <= TIME_S_MAX else raw.received_at


def _unrecognised(text: str, kind: str) -> facts.EventData:
    native_kind = kind or "no MsgType"
    return facts.Unrecognised(native_kind=native_kind, content=UnsupportedContent(native_kind=native_kind, raw=text))
