"""aiokafka's consumer as a stage has it: on the stage's own loop, with our way of fetching."""

import inspect
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams.engine.fetching import fetch_incrementally, fetch_promptly

FETCH_WAIT_MS_MAX = 100
"""How long the broker holds back the answer to a fetch when there is nothing. Every question to the same broker waits
behind it, and a start asks four times where partitions begin and end: with Faust's 1,500 that takes 6 s."""


class LoopConsumer(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread without the thread: aiokafka runs on the stage's own loop.

    A fetch then needs no hand-over between threads, where on a busy machine each side waits up to 5 ms for the
    interpreter. What it asks for in return: no step may hold the loop for anything near the session time-out; steps
    and recovery are bounded by ``batch_records_max``.
    """

    async def start(self) -> None:
        """Connect."""
        self._thread_started.set()
        await self._default_start()
        fetch_promptly(self._consumer)

    async def stop(self) -> None:
        """Leave the group and disconnect; may be called twice."""
        if self._started.is_set() and not self._stopped.is_set():
            self._stopped.set()
            await self.on_thread_stop()
            await self._default_stop_futures()

    async def call_thread(self, fun: Any, *args: Any, **kwargs: Any) -> Any:
        """Call it here."""
        result = fun(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust has no setting for the wait of a fetch.
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS_MAX
        fetch_incrementally(consumer)
        return consumer
