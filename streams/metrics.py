"""The metrics that are counted as things happen, by name. Exposed on the admin port's ``/metrics``.

What is read when somebody asks stands in ``streams.engine.metrics`` and ``streams.care.status``.
"""

from prometheus_client import Counter, Histogram

INTAKE_ANSWERS = Counter("iris_intake_answers", "Webhook answers", ["platform", "status"])
INTAKE_SECONDS = Histogram(
    "iris_intake_seconds",
    "From the first byte of a webhook to its answer",
    ["platform"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.6, 4.0),
)
INTAKE_REFUSED = Counter("iris_intake_refused_entries", "Entries that belong to no configured channel", ["platform"])
