"""Splits an authentic WhatsApp body into one record per message, status, error and the like. Pure.

Reads webhook bytes, writes ``iris.inbound.whatsapp`` values: entry[] × changes[] × the items of the value's lists, in
the order of the body, each for the channel that owns its phone number. What has no such items is kept change by change.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from pydantic import JsonValue

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, InboundRecord
from connectors.shared.meta.values import as_dict, as_id, as_list, as_text
from connectors.shared.splitting import (
    SCALAR,
    UNREADABLE,
    MalformedJsonError,
    items_of,
    members_of,
    parse_slice,
    split_json,
    value_of,
)
from connectors.whatsapp.peers import ITEM_LISTS, contact_of, is_fixed, peer_of
from schemas.inbound import encode_raw, encode_whole

WEBHOOK_OBJECT = "whatsapp_business_account"

NUMBER_FIELD = "phone_number_id"
ACCOUNT_FIELD = "waba_id"
"""Channel fields that name what a channel owns."""

WHOLE_ENTRY = "entry"
WHOLE_CHANGE = "change"
WHOLE_MEMBER = "member"
"""In place of a list's name: the record is an entry without changes, a change without items, a member nobody knows."""

FRAME = {"messaging_product", "metadata", "contacts"}
"""Members of a value that belong to its items and are no news by themselves."""

Members = dict[str, msgspec.Raw]


class _Body(msgspec.Struct):
    entry: list[msgspec.Raw]
    object: str


class _Place(msgspec.Struct, frozen=True):
    """Where in the body a record stands, and who gets it."""

    owner: Channel
    enclosing: dict[str, JsonValue]

    def inside(self, **more: JsonValue) -> "_Place":
        """The same place, said more closely."""
        return _Place(self.owner, self.enclosing | more)


def split_changes(body: bytes, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """Records of a body; changes whose number or account nobody among ``channels`` owns are counted in ``refused``.

    Raises WebhookRejected (400) when the body is not JSON.
    """
    try:
        envelope = split_json(body, _Body)
    except MalformedJsonError as error:
        raise WebhookRejected(str(error), status=400) from error
    if envelope is None or envelope.object != WEBHOOK_OBJECT:
        return Accepted((InboundRecord(channel.id, "", encode_whole(body)),))
    known = (channel, *channels)
    records: list[InboundRecord] = []
    refused = 0
    for slice_ in envelope.entry:
        entry = members_of(slice_) or {}
        account, time = as_id(value_of(entry, "id")), value_of(entry, "time")
        enclosing: dict[str, JsonValue] = {"entry_id": account}
        if isinstance(time, SCALAR):
            enclosing["time"] = time
        changes = items_of(entry["changes"]) if "changes" in entry else None
        if changes is None:
            found = [_record_of_entry(slice_, enclosing, known)]
        else:
            found = [_records_of(change, enclosing, known) for change in changes]
        for owned in found:
            records += owned or ()
            refused += owned is None
    return Accepted(tuple(records), refused=refused)


def _record_of_entry(
    slice_: msgspec.Raw, enclosing: dict[str, JsonValue], known: Sequence[Channel]
) -> list[InboundRecord] | None:
    """An entry without changes, in one piece; None when nobody owns its account."""
    owner = _owner(str(enclosing["entry_id"]), ACCOUNT_FIELD, known)
    return None if owner is None else [_record(bytes(slice_), _Place(owner, enclosing | {"container": WHOLE_ENTRY}))]


def _records_of(
    change: msgspec.Raw, enclosing: dict[str, JsonValue], known: Sequence[Channel]
) -> list[InboundRecord] | None:
    """Records of one change; None when nobody owns it."""
    members = members_of(change) or {}
    value = members_of(members["value"]) if "value" in members else None
    metadata = as_dict(value_of(value or {}, "metadata"))
    number = as_id(metadata.get(NUMBER_FIELD))
    # News of the account names no number, or only the one that can be dialled.
    owner = _owner(number, NUMBER_FIELD, known) if number else _owner(str(enclosing["entry_id"]), ACCOUNT_FIELD, known)
    if owner is None:
        return None
    field = as_text(value_of(members, "field")) or ""
    place = _Place(owner, enclosing | {"field": field, NUMBER_FIELD: number})
    # Without a number its items may be another channel's, so none of them goes to a conversation.
    is_foreign = not number and bool(owner.all(NUMBER_FIELD))
    found = [] if value is None or is_foreign else list(_items(value, place))
    return found or [_record(bytes(change), place.inside(container=WHOLE_CHANGE))]


def _owner(id: str, field: str, known: Sequence[Channel]) -> Channel | None:
    """Whoever has this id, the URL's own channel first; that one also takes what it has no id of its own to compare
    with, and what names none."""
    for candidate in known:
        if id in candidate.all(field):
            return candidate
    return known[0] if not id or not known[0].all(field) else None


def _items(value: Members, place: _Place) -> Iterator[InboundRecord]:
    """One record per item, and per member that is neither a list of items nor their frame; none when there are no
    lists at all: then the change is to be kept in one piece."""
    lists = {name: items_of(value[name]) for name in value if name in ITEM_LISTS}
    if not any(lists.values()):
        return
    # Each record carries its own person's entry, so that it can be read without its neighbours.
    contacts = [as_dict(contact) for contact in as_list(value_of(value, "contacts"))]
    for name, slice_ in value.items():
        items = lists.get(name)
        if items is not None:
            for item in items:
                yield _item(bytes(item), name, contacts=contacts, place=place)
        elif name not in FRAME:
            yield _record(bytes(slice_), place.inside(container=WHOLE_MEMBER, member=name))


def _item(slice_: bytes, container: str, *, contacts: Sequence[dict[str, Any]], place: _Place) -> InboundRecord:
    event = parse_slice(slice_)
    if event is UNREADABLE:
        return InboundRecord(place.owner.id, "", encode_whole(slice_))
    item = as_dict(event)
    contact = contact_of(container, item, contacts)
    enclosing = place.enclosing | {"container": container}
    if contact:
        enclosing["contact"] = contact
    peer = peer_of(container, item, contact)
    value = encode_raw(slice_, enclosing=enclosing, peer=peer)
    return InboundRecord(place.owner.id, peer, value, is_fixed(container, item))


def _record(slice_: bytes, place: _Place) -> InboundRecord:
    if parse_slice(slice_) is UNREADABLE:
        return InboundRecord(place.owner.id, "", encode_whole(slice_))
    return InboundRecord(place.owner.id, "", encode_raw(slice_, enclosing=place.enclosing, peer=""))
