"""What the care of Meta's platforms has in common; the steps that it takes are those of ``shared.meta.steps``."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from connectors.care import Health
from connectors.errors import SendError
from connectors.interface import Channel
from connectors.shared.asking import Verdicts
from connectors.shared.meta.app import Surface
from connectors.shared.meta.meanings import Meanings
from connectors.shared.meta.steps import Steps


class MetaCare(ABC):
    """See ``connectors.care.Care``, each platform has its own ``check`` and ``register``. ``clock``: Unix seconds."""

    surface: ClassVar[Surface]
    meanings: ClassVar[Meanings]
    verdicts: ClassVar[Verdicts]

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._steps = Steps(self.surface, self.meanings, self.verdicts, clock=clock)

    async def health(self, channel: Channel) -> Health:
        """The state, with a warning when the channel's Graph version ends soon."""
        try:
            health = await self._health(channel)
        except SendError as error:
            health = self.verdicts.health(error)
        return self._steps.told(health, channel)

    async def close(self) -> None:
        """Release connections."""
        await self._steps.asker.close()

    @abstractmethod
    async def _health(self, channel: Channel) -> Health:
        """The state; raises SendError when the platform does not tell."""
