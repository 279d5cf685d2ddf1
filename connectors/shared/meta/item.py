"""One item of a messaging webhook while it is being read: safe views of its members, and the events made so far.

Reads a raw record, writes envelopes; ids and times follow design.md "Event envelope".
"""

import hashlib
from dataclasses import dataclass

import orjson

from connectors.shared.envelope import enveloped
from connectors.shared.meta.values import as_dict, as_id, as_list, as_time_ms, id_in
from schemas.content import UnsupportedContent
from schemas.envelope import AnyEvent
from schemas.events import EventData, Unrecognised
from schemas.inbound import RawEvent


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the platforms that speak this form: ``webhook_object`` names the bodies' ``object``,
    ``account_field`` the channel field that holds the account's own id."""

    name: str
    prefix: str
    webhook_object: str
    account_field: str


class Item:
    """``peer`` is the user's side, empty when none can be told; ``occurred_at`` is the platform's clock in ms."""

    def __init__(self, raw: RawEvent, dialect: Dialect) -> None:
        event, enclosing = as_dict(raw.event), raw.enclosing
        self.event = event
        self.enclosing = enclosing
        self.peer = as_id(raw.peer)
        self.account = as_id(enclosing.get("entry_id"))
        self.sender = id_in(event.get("sender"))
        self.recipient = id_in(event.get("recipient")) or self.account
        self.timestamp = as_time_ms(event.get("timestamp"))
        self.occurred_at = self.timestamp or as_time_ms(enclosing.get("time")) or raw.received_at
        self.events: list[AnyEvent] = []
        self._raw = raw
        self._dialect = dialect

    @property
    def own_app_ids(self) -> frozenset[str]:
        """The channel's own app ids, which intake put beside the item."""
        return frozenset(map(as_id, as_list(self.enclosing.get("app_ids")))) - {""}

    @property
    def is_to_itself(self) -> bool:
        """The account wrote to itself, which Instagram allows."""
        if self.account and self.peer == self.account:
            return True
        message = self.event.get("message")
        return isinstance(message, dict) and message.get("is_self") is True

    def add(self, data: EventData, *, native_key: str) -> None:
        """One more event of this item; its id follows from the native key and its place among the item's events."""
        event = enveloped(
            data,
            self._raw,
            prefix=self._dialect.prefix,
            native_key=native_key,
            ordinal=len(self.events),
            occurred_at=self.occurred_at,
        )
        self.events.append(event)

    def add_unrecognised(self, native_kind: str) -> None:
        """Keep the whole item under this name."""
        content = UnsupportedContent(native_kind=native_kind, raw=self.event)
        self.add(Unrecognised(native_kind=native_kind, content=content), native_key=self.digest())

    def moment_key(self, *parts: str) -> str:
        """A composed native key for what has no id of its own: the parts, the person and the item's time."""
        return ":".join((*parts, self.peer, str(self.timestamp or self.digest())))

    def digest(self) -> str:
        """A native key from the item's content: equal for a redelivery, different for anything else."""
        return hashlib.sha256(orjson.dumps(self.event, option=orjson.OPT_SORT_KEYS)).hexdigest()
