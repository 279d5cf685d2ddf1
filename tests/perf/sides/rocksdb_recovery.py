"""Recovery written plainly: aiokafka reads the changelog, each fetch goes into RocksDB as one batch."""

import time
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from rocksdict import Options, Rdict, WriteBatch

from tests.perf.sides.clock import Order, read_order, report


async def run(order: Order) -> None:
    """Until the end of the changelog."""
    consumer = AIOKafkaConsumer(bootstrap_servers=order.bootstrap, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(order.changelog, number) for number in range(order.partitions)]
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    stores = {place: Rdict(str(Path(order.folder) / str(place.partition)), options) for place in places}
    began = time.monotonic()
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    held = 0
    while held < order.records:
        for place, records in (await consumer.getmany(timeout_ms=100, max_records=2_000)).items():
            batch = WriteBatch(raw_mode=True)
            for record in records:
                batch.put(record.key, record.value)
            stores[place].write(batch)
            held += len(records)
    report({"wall_s": time.monotonic() - began, "held": held})
    for store in stores.values():
        store.close()
    await consumer.stop()


if __name__ == "__main__":
    ORDER = read_order()
    Path(ORDER.folder).mkdir(parents=True)
    uvloop.run(run(ORDER))
