"""Fault switches of the fakes: which request or delivery goes wrong, how, and how often.

Seeded, so that a drill can be repeated; each switch counts its hits, because a drill judges by faults seen.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

REFUSING = frozenset({"rate", "error", "hang", "reset", "permanent", "blocked", "token"})
"""The platform does nothing: the user sees no message."""
ACCEPTING = frozenset({"accept_then_reset", "accept_then_error", "accept_then_hang"})
"""The user sees the message, but the caller does not learn it."""
WEBHOOK = frozenset({"duplicate_webhook", "reorder_webhook", "late_receipts"})
"""On our way in."""


@dataclass
class Fault:
    """One switch. ``left`` is how often it still strikes (None: without end); ``share`` strikes at random."""

    kind: str
    left: int | None = None
    share: float | None = None
    user: str | None = None
    path: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    hits: int = 0

    def matches(self, kinds: Collection[str], user: str | None, path: str | None) -> bool:
        """Kind, user and path fit and it is not used up; ``path`` is compared as a substring."""
        return (
            self.kind in kinds
            and self.left != 0
            and (self.user is None or self.user == user)
            and (self.path is None or self.path in (path or ""))
        )


class Faults:
    """All switches of one fake; the first that matches strikes."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.switches: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        times: int | None = None,
        share: float | None = None,
        user: str | None = None,
        path: str | None = None,
        **options: Any,
    ) -> Fault:
        """Switch a fault on: the next ``times`` matching requests, a random ``share`` of them, or all of them.

        Options: ``seconds`` for hangs, ``retry_after_s`` for rates, ``status`` for errors, ``code`` where a platform
        has several. Raises ValueError for an unknown kind.
        """
        if kind not in REFUSING | ACCEPTING | WEBHOOK:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(sorted(REFUSING | ACCEPTING | WEBHOOK))}")
        fault = Fault(kind, left=times, share=share, user=user, path=path, options=options)
        self.switches.append(fault)
        return fault

    def take(self, kinds: Collection[str], *, user: str | None = None, path: str | None = None) -> Fault | None:
        """The fault that strikes now, counted, or None."""
        for fault in self.switches:
            if fault.matches(kinds, user, path) and (fault.share is None or self._random.random() < fault.share):
                fault.hits += 1
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def seen(self, kind: str) -> int:
        """How often faults of this kind have struck."""
        return sum(fault.hits for fault in self.switches if fault.kind == kind)

    def clear(self) -> None:
        """Switch everything off; the counts go too."""
        self.switches.clear()
