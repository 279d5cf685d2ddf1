"""Every topic as data; nothing else in the product names one.

``Topics`` is built from the settings' prefix and the discovered platforms, so that a new platform brings its own two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

DAY_MS = 86_400_000
CHANGELOG_COMPACTION_LAG_MS = 3_600_000
"""A stale record of a stopped writer cannot push out a newer one within this time."""


@dataclass(frozen=True, slots=True)
class Topic:
    """``retention_ms`` None: compacted. ``partitions`` None: the common number of all co-partitioned topics."""

    name: str
    retention_ms: int | None
    partitions: int | None = None
    config: tuple[tuple[str, str], ...] = field(default=())


class Topics:
    """The registry: names by role, and the whole list for ``iris topics``."""

    def __init__(self, prefix: str, platforms: Iterable[str], *, log_retention_days: int = 365) -> None:
        self.prefix = prefix
        self.platforms = tuple(sorted(platforms))
        self.events = f"{prefix}conversation.events"
        self.ai_requests = f"{prefix}ai.requests"
        self.fetch = f"{prefix}fetch"
        self.dead_letters = f"{prefix}dead.letters"
        self.identities = f"{prefix}identities"
        self.control = f"{prefix}control"
        self._log_retention_ms = -1 if log_retention_days < 0 else log_retention_days * DAY_MS

    def inbound(self, platform: str) -> str:
        """Raw events of one platform."""
        return f"{self.prefix}inbound.{platform}"

    def outbound(self, platform: str) -> str:
        """Messages to be sent on one platform."""
        return f"{self.prefix}outbound.{platform}"

    def changelog(self, stage: str) -> str:
        """The changelog of a stage's table, under the name that Faust gives it."""
        return f"{self.prefix}{stage}-{stage}-changelog"

    def all(self, *, stages_with_table: Iterable[str]) -> tuple[Topic, ...]:
        """Every topic with its retention and configuration."""
        log = (("message.timestamp.type", "LogAppendTime"),)
        compaction_lag = (("min.compaction.lag.ms", str(CHANGELOG_COMPACTION_LAG_MS)),)
        return (
            *(Topic(self.inbound(name), 30 * DAY_MS) for name in self.platforms),
            Topic(self.events, self._log_retention_ms, config=log),
            Topic(self.ai_requests, DAY_MS),
            *(Topic(self.outbound(name), 7 * DAY_MS) for name in self.platforms),
            Topic(self.fetch, DAY_MS),
            Topic(self.dead_letters, 30 * DAY_MS),
            Topic(self.identities, None),
            Topic(self.control, None, partitions=1),
            *(Topic(self.changelog(name), None, config=compaction_lag) for name in stages_with_table),
        )
