"""Puts the care of channels together for the process of ``send``: one task beside the stage. Wires only.

Reads ``iris.control``; what its parts write stands in ``streams.care.keeper``.
"""

import asyncio
import time
from collections.abc import Callable

from connectors.care import Care
from connectors.registry import care_class, platforms
from streams.care.control import Control, Publisher
from streams.care.keeper import Keeper, World
from streams.channels import Channels
from streams.settings import Settings
from streams.topics import Topics


class Keeping:
    """``holds`` says whether this process looks after a platform: whether it has partition 0 of its outbound topic."""

    def __init__(self, settings: Settings, topics: Topics, channels: Channels, *, holds: Callable[[str], bool]) -> None:
        names = sorted({channel.platform for channel in channels.all})
        self._cares: dict[str, Care] = {name: make() for name in names if (make := care_class(name)) is not None}
        self._control = Control(settings.kafka_url, topics.control)
        self._publisher = Publisher(settings.kafka_url, topics.control, partitions=settings.partitions)
        self._keeper = Keeper(
            channels.all,
            platforms(),
            self._cares,
            world=World(time.time, asyncio.sleep, holds),
            sink=self._publisher,
            known=self._control.values,
            events_topic=topics.events,
            interval_s=settings.health_interval_s,
        )

    async def run(self) -> None:
        """Until it is cancelled; then disconnects."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._control.follow())
                # Without the states before, every start would tell the log what it knows already.
                await self._control.is_read.wait()
                tasks.create_task(self._keeper.run())
        finally:
            await self._publisher.close()
            await asyncio.gather(*(care.close() for care in self._cares.values()))
