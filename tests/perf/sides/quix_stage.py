"""The counting stage on Quix Streams, run with the Python of ``.venv-bench``.

State in its RocksDB with a changelog, a checkpoint every ``commit_s``, deliveries verified before the offsets, acks=all
and idempotence as everybody.
"""

from typing import Any

from quixstreams import Application  # type: ignore[import-not-found, unused-ignore] # lives in .venv-bench

from tests.perf.sides.clock import Clock, Order, read_order, report
from tests.perf.sides.counting import counted


def run(order: Order) -> None:
    """Until every record is committed."""
    clock = Clock()
    app = Application(
        broker_address=order.bootstrap,
        consumer_group=order.group,
        auto_offset_reset="earliest",
        commit_interval=order.commit_s,
        state_dir=order.folder,
        loglevel="ERROR",
        producer_extra_config={"enable.idempotence": True, "acks": "all"},
    )
    source = app.topic(order.source, key_deserializer="bytes", value_deserializer="bytes")
    output = app.topic(order.output, key_serializer="bytes", value_serializer="bytes")

    def count(value: bytes, state: Any) -> bytes:
        clock.begin()
        state.set_bytes("state", counted(state.get_bytes("state"), order.state_bytes))
        return value

    app.dataframe(source).apply(count, stateful=True).to_topic(output)
    app.run(count=order.records, collect=False)
    report(clock.result())


if __name__ == "__main__":
    run(read_order())
