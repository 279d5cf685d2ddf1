"""One item of a WhatsApp webhook while it is being read: who it is about, and the events made so far.

Reads a raw record that ``entries`` made; ids and times are those of Meta's other platforms (``shared.meta.item``).
"""

import hashlib
from typing import Any

import orjson

from connectors.shared.meta.item import Dialect, Item
from connectors.shared.meta.values import as_dict, as_id, as_text
from connectors.whatsapp.entries import NUMBER_FIELD, WEBHOOK_OBJECT
from connectors.whatsapp.peers import Person, person_of
from schemas.content import UnsupportedContent
from schemas.events import Unrecognised
from schemas.inbound import RawEvent

DIALECT = Dialect(name="whatsapp", prefix="wa_", webhook_object=WEBHOOK_OBJECT, account_field=NUMBER_FIELD)


class WhatsAppItem(Item):
    """``sender`` is the person's BSUID or phone, whatever group it is in; ``recipient`` our phone number's id.

    ``native`` is the event as parsed; it is ``event`` wherever it is an object.
    """

    def __init__(self, raw: RawEvent) -> None:
        super().__init__(raw, DIALECT)
        self.native = raw.event
        self.container = as_text(raw.enclosing.get("container")) or ""
        self.field = as_text(raw.enclosing.get("field")) or ""
        self.contact = as_dict(raw.enclosing.get("contact"))
        self.person: Person = person_of(self.container, self.event, self.contact)
        self.number = as_id(raw.enclosing.get(NUMBER_FIELD))
        self.sender = self.person.id or self.peer
        self.recipient = self.number
        self.id = as_id(self.event.get("id"))
        self.kind = as_text(self.event.get("type")) or ""

    def part(self, name: str) -> dict[str, Any]:
        """A member that should be an object; empty when it is none."""
        return as_dict(self.event.get(name))

    def add_unrecognised(self, native_kind: str) -> None:
        """Keep the whole item, whatever it is, under this name."""
        content = UnsupportedContent(native_kind=native_kind, raw=self.native)
        self.add(Unrecognised(native_kind=native_kind, content=content), native_key=self.digest())

    def digest(self) -> str:
        """As for every item, of whatever JSON it is; the entry's time tells equal news of an account apart."""
        time = str(self.enclosing.get("time") or "")
        value = orjson.dumps(self.native, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(time.encode("utf-8", "surrogatepass") + value).hexdigest()
