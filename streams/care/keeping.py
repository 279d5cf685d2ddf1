"""Puts the care of channels together for the process of ``send``: one task beside the stage. Wires only.

Reads ``iris.control``; what its parts read and write beside that stands in ``streams.care.keeper`` and
``streams.care.templates``.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

from connectors.care import Care, Templates
from connectors.registry import care_class, platforms
from schemas.ids import conversation_id
from streams.care.control import Control, Publisher
from streams.care.keeper import Keeper, World
from streams.care.news import News
from streams.care.templates import TemplateWatch
from streams.channels import Channels
from streams.delivery.approval import Approvals
from streams.settings import Settings
from streams.topics import Topics


class Keeping:
    """``holds`` says whether this process looks after a platform: whether it has partition 0 of its outbound topic.
    ``approvals`` learns what is known about templates, in every process."""

    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        channels: Channels,
        *,
        approvals: Approvals,
        holds: Callable[[str], bool],
    ) -> None:
        names = sorted({channel.platform for channel in channels.all})
        self._cares: dict[str, Care] = {name: make() for name in names if (make := care_class(name)) is not None}
        self._keepers = keepers = approvals.keepers
        self._control = Control(settings.kafka_url, topics.control, on_change=approvals.learn)
        self._publisher = Publisher(settings.kafka_url, topics.control, partitions=settings.partitions)
        world = World(time.time, asyncio.sleep, holds)
        known = self._control.values
        self._health = Keeper(
            channels.all,
            platforms(),
            self._cares,
            world=world,
            sink=self._publisher,
            known=known,
            events_topic=topics.events,
            interval_s=settings.health_interval_s,
        )
        self._templates = TemplateWatch(channels.all, keepers, world=world, sink=self._publisher, known=known)
        self._news = News(
            settings.kafka_url,
            topics.events,
            keys=_own_keys(channels, keepers),
            partitions=settings.partitions,
            is_wanted=lambda: any(holds(name) for name in keepers),
            tell=self._templates.hear,
        )

    async def run(self) -> None:
        """Until it is cancelled; then disconnects."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._control.follow())
                # Without the states before, every start would tell the log what it knows already.
                await self._control.is_read.wait()
                tasks.create_task(self._health.run())
                if self._keepers:
                    tasks.create_task(self._news.run())
                    tasks.create_task(self._templates.run())
        finally:
            await self._publisher.close()
            await asyncio.gather(*(care.close() for care in self._cares.values()))
            await asyncio.gather(*(keeper.close() for keeper in self._keepers.values()))


def _own_keys(channels: Channels, keepers: Mapping[str, Templates]) -> list[str]:
    """Under which keys the log tells about the channels themselves."""
    known = platforms()
    return [conversation_id(known[one.platform].prefix, one.id, "") for one in channels.all if one.platform in keepers]
