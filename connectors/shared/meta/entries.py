"""Splits an authentic messaging body into one record per event, each for the channel that owns its entry. Pure.

Reads webhook bytes, writes ``iris.inbound.<platform>`` values: entry[] × (messaging | standby | changes)[] × item, in
the order of the body. What is not of this form is kept whole under the channel's own key.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from pydantic import JsonValue

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Channel, InboundRecord
from connectors.shared.meta.item import Dialect
from connectors.shared.meta.messages import is_echo
from connectors.shared.meta.values import ID_LENGTH_MAX, YEAR_10000_MS, as_id, id_in
from connectors.shared.meta.webhook import APP_ID
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
from schemas.inbound import encode_raw, encode_whole

MESSAGING = "messaging"
STANDBY = "standby"
"""Another app holds the thread: the same items, not to be answered ("Handover Protocol")."""
CHANGES = "changes"
CONTAINERS = frozenset({MESSAGING, STANDBY, CHANGES})
WITH_PEER = frozenset({MESSAGING, STANDBY})

WHOLE_ENTRY = "entry"
"""In place of a container: the record is an entry that holds none."""

Members = dict[str, msgspec.Raw]


class _Body(msgspec.Struct):
    entry: list[msgspec.Raw]
    object: str


class _OrdinaryEntry(msgspec.Struct, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
    time: Annotated[int, msgspec.Meta(ge=0, lt=YEAR_10000_MS)]
    messaging: list[msgspec.Raw]


class _OrdinaryBody(msgspec.Struct):
    """What nearly every body is: read in one step. Anything odd is read member by member, to the same records."""

    entry: list[_OrdinaryEntry]
    object: str


def split_messaging(body: bytes, dialect: Dialect, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    """Records of a body; an entry whose account nobody among ``channels`` owns is counted in ``refused``.

    Raises WebhookRejected (400) when the body is not JSON.
    """
    try:
        envelope = split_json(body, _OrdinaryBody, _Body)
    except MalformedJsonError as error:
        raise WebhookRejected(str(error), status=400) from error
    if envelope is None or envelope.object != dialect.webhook_object:
        return Accepted((InboundRecord(channel.id, "", encode_whole(body)),))
    if isinstance(envelope, _OrdinaryBody):
        return _ordinary(envelope, dialect.account_field, channel, channels)
    records: list[InboundRecord] = []
    refused = 0
    for slice_ in envelope.entry:
        members = members_of(slice_) or {}
        account = as_id(value_of(members, "id"))
        owner = _owner(account, dialect.account_field, channel, channels)
        if not account and channel.all(dialect.account_field):
            # Its items may be another account's, so none of them goes to a conversation.
            members = {}
        if owner is None:
            refused += 1
        else:
            records += _records(slice_, members, account, owner)
    return Accepted(tuple(records), refused=refused)


def _ordinary(body: _OrdinaryBody, field: str, channel: Channel, channels: Sequence[Channel]) -> Accepted:
    records: list[InboundRecord] = []
    refused = 0
    for entry in body.entry:
        owner = _owner(entry.id, field, channel, channels)
        if owner is None:
            refused += 1
            continue
        enclosing = _enclosing(entry.id, owner)
        enclosing["time"] = entry.time
        enclosing["container"] = MESSAGING
        records += [_record(bytes(item), owner, enclosing) for item in entry.messaging]
    return Accepted(tuple(records), refused=refused)


def _enclosing(account: str, owner: Channel) -> dict[str, JsonValue]:
    return {"entry_id": account, "app_ids": list(owner.all(APP_ID.name))}


def _owner(account: str, field: str, channel: Channel, channels: Sequence[Channel]) -> Channel | None:
    """Who owns this account, the URL's own channel first; an entry without an account id stays where it was sent."""
    own = channel.all(field)
    if account in own:
        return channel
    for candidate in channels:
        if account in candidate.all(field):
            return candidate
    return None if account and own else channel


def _records(slice_: msgspec.Raw, members: Members, account: str, owner: Channel) -> list[InboundRecord]:
    enclosing = _enclosing(account, owner)
    time = value_of(members, "time")
    if isinstance(time, SCALAR):
        enclosing["time"] = time
    if CONTAINERS.isdisjoint(members):
        return [_record(bytes(slice_), owner, enclosing | {"container": WHOLE_ENTRY})]
    records: list[InboundRecord] = []
    for name, value in members.items():
        if name in CONTAINERS:
            items = items_of(value)
            enclosing["container"] = WHOLE_ENTRY if items is None else name
            records += [_record(bytes(item), owner, enclosing) for item in ([value] if items is None else items)]
    return records


def _record(slice_: bytes, owner: Channel, enclosing: dict[str, JsonValue]) -> InboundRecord:
    event = parse_slice(slice_)
    if event is UNREADABLE:
        return InboundRecord(owner.id, "", encode_whole(slice_))
    has_peer = enclosing["container"] in WITH_PEER
    peer = peer_of(event, enclosing["entry_id"]) if has_peer else ""
    return InboundRecord(owner.id, peer, encode_raw(slice_, enclosing=enclosing, peer=peer))


def peer_of(event: Any, account: JsonValue) -> str:
    """The user's side of an item: who is not the account; empty when the item does not say."""
    if not isinstance(event, dict):
        return ""
    sender = id_in(event.get("sender"))
    if is_echo(event) or (sender and sender == account):
        return id_in(event.get("recipient"))
    return sender
