"""What is known about the configured channels, for whoever asks a process. Reads the content of ``iris.control``.

Gives the rows of ``GET /v1/channels`` and the metric ``iris_channel_health``. What stands there was seen last by the
process that looks after the platform; it stays when that process is away, and ``since`` says how old a state is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from connectors.interface import Channel
from streams.care.health import STATES, stored_health

METRIC = "iris_channel_health"


class ChannelStatus(Collector):
    """``known`` is kept up to date by its reader; other channels than ``channels`` are left out."""

    def __init__(self, channels: Sequence[Channel], known: Mapping[str, bytes]) -> None:
        self._channels = channels
        self._known = known

    def rows(self) -> list[dict[str, Any]]:
        """Platform, channel and health of each; health None: nobody has asked yet, or the platform offers no checks."""
        return [
            {"platform": channel.platform, "channel": channel.id, "health": health_row(self._known, channel)}
            for channel in self._channels
        ]

    def collect(self) -> Iterable[Metric]:
        """1 for the state that a channel is in, 0 for the others; nothing for a channel of which nothing is known."""
        gauge = GaugeMetricFamily(
            METRIC, "1 for the last known state of a channel, 0 for the others", labels=["platform", "channel", "state"]
        )
        for channel in self._channels:
            if (health := stored_health(self._known, channel)) is not None:
                for state in STATES:
                    gauge.add_metric([channel.platform, channel.id, state], float(state == health.state))
        yield gauge


def health_row(known: Mapping[str, bytes], channel: Channel) -> dict[str, Any] | None:
    """State, detail and since, as JSON; None when nothing is known."""
    health = stored_health(known, channel)
    return None if health is None else health.model_dump(mode="json")
