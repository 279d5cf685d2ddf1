"""A keeper of health under test: a platform that follows a script, a broker in memory, and time that is stepped."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from connectors.care import Finding, Health, Site
from connectors.interface import Channel
from connectors.registry import platforms
from schemas.control import HealthState
from schemas.registry import decode_event
from streams.care.keeper import Keeper, World
from streams.engine.api import Headers, Output

SHOP = Channel("shop", "telegram", {})
BAR = Channel("bar", "telegram", {})
EVENTS = "events"
START_S = 1_790_000_000.0


class ScriptedCare:
    """Answers what the test says; counts the questions."""

    def __init__(self) -> None:
        self.states: dict[str, Health] = defaultdict(lambda: Health("connected"))
        self.asked: list[str] = []
        self.answer: Callable[[Channel], Awaitable[Health]] | None = None

    async def health(self, channel: Channel) -> Health:
        self.asked.append(channel.id)
        if self.answer is not None:
            return await self.answer(channel)
        health = self.states[channel.id]
        if health.detail == "raise":
            raise LookupError("a mistake of the connector's")
        return health

    async def check(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        return ()

    async def register(self, channel: Channel, site: Site) -> tuple[Finding, ...]:
        return ()

    async def close(self) -> None:
        return


class MemorySink:
    """The broker: the log, and ``iris.control`` as it would be read back. ``lag``: nothing is read back yet."""

    def __init__(self) -> None:
        self.events: list[Output] = []
        self.control: dict[str, bytes] = {}
        self.puts = 0
        self.is_away = False
        self.lag = False

    async def write(self, output: Output) -> None:
        if self.is_away:
            raise OSError("no broker")
        self.events.append(output)

    async def put(self, key: str, value: bytes | None, headers: Headers = ()) -> None:
        if self.is_away:
            raise OSError("no broker")
        assert value is not None
        self.puts += 1
        if not self.lag:
            self.control[key] = value


class Installation:
    """One keeper under test; time and partition 0 are the test's."""

    def __init__(self, channels: Sequence[Channel] = (SHOP,), *, sink: MemorySink | None = None) -> None:
        self.now_s, self.is_holder = START_S, True
        self.care, self.sink = ScriptedCare(), sink or MemorySink()
        self.keeper = Keeper(
            channels,
            platforms(),
            {"telegram": self.care},
            world=World(lambda: self.now_s, self._sleep, lambda _platform: self.is_holder),
            sink=self.sink,
            known=self.sink.control,
            events_topic=EVENTS,
            interval_s=60.0,
        )

    async def _sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def later(self, seconds: float = 60.0) -> None:
        self.now_s += seconds
        await self.keeper.tick()

    async def sees(self, *states: HealthState) -> list[str]:
        """A minute each; what the log was told in all."""
        for state in states:
            self.care.states[SHOP.id] = Health(state, f"why {state}")
            await self.later()
        return [decode_event(output.value).data.change for output in self.sink.events]
