"""Until when each version of the Graph API answers. Data, and a pure question about it.

Source: "Graph API Changelog: Versions", as of November 2026. A version lives about two years after its successor came;
a new row is added when Meta announces one.
"""

from collections.abc import Mapping
from datetime import date

ENDS: Mapping[str, date | None] = {
    "v19.0": date(2026, 5, 21),
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": None,
}
"""Last day by version; None while none is announced."""

WARNING_DAYS = 90
"""Ours: how long before its end a version is warned about."""


def version_warning(version: str, today: date) -> str:
    """What is to be known about this version now; empty when nothing is."""
    if version not in ENDS:
        return f"Graph {version} is none of {', '.join(ENDS)}: nothing is known about its end"
    ends = ENDS[version]
    if ends is None or (ends - today).days > WARNING_DAYS:
        return ""
    if ends < today:
        return f"Graph {version} ended on {ends}"
    return f"Graph {version} ends on {ends}, in {(ends - today).days} days"
