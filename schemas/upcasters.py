"""Old records to the newest version: one pure function per step, applied before validation.

An upcaster takes the whole record as a dict (it may change it) and returns it in the next version.
"""

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
Upcaster = Callable[[Record], Record]

UPCASTERS: dict[tuple[str, int], Upcaster] = {}


def upcaster(kind: str, version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the step that lifts ``kind`` from ``version`` to ``version + 1``."""

    def register(function: Upcaster) -> Upcaster:
        if (kind, version) in UPCASTERS:
            raise ValueError(f"there is already an upcaster of {kind}/{version}")
        UPCASTERS[kind, version] = function
        return function

    return register


def lift(kind: str, record: Record) -> Record:
    """Apply every step that exists from the record's own version on."""
    while (step := UPCASTERS.get((kind, record.get("version", 1)))) is not None:
        version = record.get("version", 1)
        record = step(record)
        record["version"] = version + 1
    return record


@upcaster("contact_joined", 0)
def _contact_joined_0(record: Record) -> Record:
    """Version 0 had ``is_unblocked`` where version 1 says ``how``."""
    data = dict(record["data"])
    data["how"] = "unblock" if data.pop("is_unblocked", False) else "follow"
    return {**record, "data": data}
