"""What an engine tells of itself, read when somebody asks: nothing is counted twice on the hot path."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from streams.engine.core import Engine


class EngineMetrics(Collector):
    """One stage's figures, labelled with its name."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        """Handled and given-up records, what is in hand and for how long, partitions held."""
        engine = self._engine
        labels = [engine.stage.name]
        counters = (
            ("iris_stage_handled_records", "Records whose outputs and state are durable", engine.handled),
            ("iris_stage_dead_letters", "Records given up", engine.dead),
            ("iris_stage_assignments", "Assignments of partitions since the start", engine.epoch),
        )
        gauges = (
            ("iris_stage_inflight_records", "Records read and not yet acknowledged", engine.inflight),
            ("iris_stage_lag_age_seconds", "Age of the oldest record in hand", engine.lag_age_s),
            ("iris_stage_partitions", "Source partitions held", len(engine.trackers)),
        )
        for name, text, value in counters:
            counter = CounterMetricFamily(name, text, labels=["stage"])
            counter.add_metric(labels, value)
            yield counter
        for name, text, number in gauges:
            gauge = GaugeMetricFamily(name, text, labels=["stage"])
            gauge.add_metric(labels, number)
            yield gauge
