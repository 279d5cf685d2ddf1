"""What a WhatsApp contact card tells beyond name, numbers and e-mail addresses, as a vCard. Pure.

Source: WhatsApp Business Platform "Contacts messages webhook reference"; RFC 2426 (vCard 3.0), sections 3 and 4.
"""

from collections.abc import Iterator
from typing import Any

from connectors.shared.meta.values import as_dict, as_id, as_list, as_text

Json = dict[str, Any]

ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})
"""Of text values (RFC 2426, section 5)."""

ADDRESS = ("street", "city", "state", "zip", "country")
"""In the order of ADR, after post office box and extended address, which WhatsApp has not."""


def vcard_of(card: Json) -> str | None:
    """The vCard that came along, else one of all that the card tells; None when that stands in the content anyway."""
    given = as_text(card.get("vcard"))
    more = list(_more(card))
    if given or not more:
        return given
    name = as_dict(card.get("name"))
    names = ";".join(
        _escaped(name.get(part)) for part in ("last_name", "first_name", "middle_name", "prefix", "suffix")
    )
    known = [("TEL", as_id(as_dict(phone).get("phone"))) for phone in as_list(card.get("phones"))]
    known += [("EMAIL", _escaped(as_dict(email).get("email"))) for email in as_list(card.get("emails"))]
    lines = [("VERSION", "3.0"), ("N", names), ("FN", _escaped(name.get("formatted_name"))), *known, *more]
    return "\r\n".join(["BEGIN:VCARD", *(f"{key}:{value}" for key, value in lines if value), "END:VCARD"])


def _more(card: Json) -> Iterator[tuple[str, str]]:
    org = as_dict(card.get("org"))
    place = [_escaped(org.get("company")), _escaped(org.get("department"))]
    if any(place):
        yield "ORG", ";".join(place)
    if title := _escaped(org.get("title")):
        yield "TITLE", title
    for address in as_list(card.get("addresses")):
        lines = [_escaped(as_dict(address).get(line)) for line in ADDRESS]
        if any(lines):
            yield "ADR", ";".join(["", "", *lines])
    for link in as_list(card.get("urls")):
        if url := as_text(as_dict(link).get("url")):
            yield "URL", _escaped(url)
    if birthday := as_text(card.get("birthday")):
        yield "BDAY", _escaped(birthday)


def _escaped(value: Any) -> str:
    return (as_text(value) or "").translate(ESCAPES)
