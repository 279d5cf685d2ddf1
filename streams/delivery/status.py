"""How far a part has come: a rank, so that no report can take it backwards, in whatever order reports arrive."""

from collections.abc import Iterable
from typing import Literal

Status = Literal["planned", "suppressed", "started", "unknown", "failed", "sent", "delivered", "read", "played"]

ORDER: tuple[Status, ...] = (
    "planned",
    "suppressed",
    "started",
    "unknown",
    "sent",
    "failed",
    "delivered",
    "read",
    "played",
)
"""Later beats earlier. Whatever proves that the user has the part beats ``failed``, before or after it; ``failed``
beats ``sent``, which says only that the platform took it, and ``unknown``, because it is evidence; ``unknown`` beats
``started`` because a start alone settles nothing."""

RANK = {status: rank for rank, status in enumerate(ORDER)}

SETTLED: frozenset[Status] = frozenset(ORDER) - {"planned", "started"}
"""From here on `send` does nothing more for the part."""


def furthest(statuses: Iterable[Status]) -> Status:
    """The status that a set of reports adds up to: the maximum of the rank; nothing reported is ``planned``."""
    return max(statuses, key=RANK.__getitem__, default="planned")
