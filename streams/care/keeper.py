"""Asks every channel's platform how the channel is doing, once per installation, and tells when that changes.

Whoever holds partition 0 of a platform's outbound topic looks after its channels. Reads the last known states from
``iris.control``; writes that topic and ``channel_updated`` on the log. A failure here is logged and nothing more: it
must not hold up what this process is for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from connectors.care import Care, Health
from connectors.interface import Channel, Platform
from schemas import headers
from schemas.control import ChannelHealth, health_key
from schemas.registry import LATEST_VERSION, encode
from streams.care.health import health_event, is_news, next_record, stored_health
from streams.channels import without_secrets
from streams.engine.api import Headers, Output

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How soon it is noticed that this process looks after a platform now, or no longer does."""
AT_ONCE = 20
"""Channels of one platform that are asked at once; the others wait, so a round of many takes longer when that platform
hangs, and not all of its connections are taken."""
HEADERS: Headers = ((headers.SCHEMA, f"channel_health/{LATEST_VERSION}".encode()),)


class Sink(Protocol):
    """Where news goes; see ``streams.care.control.Publisher``."""

    async def write(self, output: Output) -> None:
        """A record of the log."""
        ...

    async def put(self, key: str, value: bytes | None, headers: Headers = ()) -> None:
        """A key of ``iris.control``."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What the keeper takes from outside: seconds since 1970, waiting, and whether this process is the one."""

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    holds: Callable[[str], bool]


class Keeper:
    """``known`` is the content of ``iris.control``, kept up to date by its reader; ``cares`` and ``platforms`` are by
    name, the former only for platforms that offer it."""

    def __init__(
        self,
        channels: Sequence[Channel],
        platforms: Mapping[str, Platform],
        cares: Mapping[str, Care],
        *,
        world: World,
        sink: Sink,
        known: Mapping[str, bytes],
        events_topic: str,
        interval_s: float,
    ) -> None:
        self._channels = [channel for channel in channels if channel.platform in cares]
        self._platforms = platforms
        self._cares = cares
        self._world = world
        self._sink = sink
        self._known = known
        self._events_topic = events_topic
        self._interval_s = interval_s
        self._due_s: dict[str, float] = {}
        self._gates = {name: asyncio.Semaphore(AT_ONCE) for name in cares}
        self._own: dict[str, ChannelHealth] = {}
        self._warned: dict[str, tuple[str, ...]] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.tick()
            await self._world.sleep(TICK_S)

    async def tick(self) -> None:
        """Ask the channels of every platform that is due here."""
        now = self._world.clock()
        due: list[Channel] = []
        for name in sorted({channel.platform for channel in self._channels}):
            mine = [channel for channel in self._channels if channel.platform == name]
            if not self._world.holds(name):
                self._let_go(name, mine)
            elif now >= self._due_s.get(name, 0.0):
                self._due_s[name] = now + self._interval_s
                due += mine
        await asyncio.gather(*(self._look(channel) for channel in due))

    def _let_go(self, platform: str, channels: Sequence[Channel]) -> None:
        """Another process looks after it: what this one wrote itself is no longer the newest."""
        if self._due_s.pop(platform, None) is None:
            return
        for channel in channels:
            self._own.pop(health_key(platform, channel.id), None)

    async def _look(self, channel: Channel) -> None:
        try:
            async with self._gates[channel.platform]:
                health = await self._cares[channel.platform].health(channel)
            health = _without_secrets(health, channel)
            self._warn(channel, health)
            await self._tell(channel, health)
        except Exception:
            log.exception("the health of %s/%s could not be told; trying again", channel.platform, channel.id)

    async def _tell(self, channel: Channel, health: Health) -> None:
        key = health_key(channel.platform, channel.id)
        # What was written a moment ago may not have been read back yet.
        before = self._own.get(key) or stored_health(self._known, channel)
        after = next_record(before, health, now_ms=int(self._world.clock() * 1000))
        if after is None:
            return
        if is_news(before, after):
            log.warning("channel %s of %s is %s: %s", channel.id, channel.platform, after.state, after.detail or "fine")
            prefix = self._platforms[channel.platform].prefix
            await self._sink.write(health_event(channel, prefix, before, after, topic=self._events_topic))
        # The log first: after a crash in between the same event is written again, and its first copy counts.
        await self._sink.put(key, encode(after), HEADERS)
        self._own[key] = after

    def _warn(self, channel: Channel, health: Health) -> None:
        place = health_key(channel.platform, channel.id)
        if health.warnings != self._warned.get(place, ()):
            self._warned[place] = health.warnings
            for warning in health.warnings:
                log.warning("channel %s of %s: %s", channel.id, channel.platform, warning)


def _without_secrets(health: Health, channel: Channel) -> Health:
    """What a platform says in its own words is kept and shown; it may quote a credential."""
    warnings = tuple(without_secrets(warning, channel) for warning in health.warnings)
    return replace(health, detail=without_secrets(health.detail, channel), warnings=warnings)
