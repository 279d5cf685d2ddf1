"""The bare yardstick of one whole turn: the product's inputs and outputs with plain aiohttp, aiokafka and orjson.

webhook (HMAC checked) → inbound → events → state + AI request → POST /process → events → state + outbound → started
(durable) → platform POST → events → state. No framework, no schemas, no recovery: what is left is what the I/O costs
when it is written down plainly, one awaited produce per record.

One process does all of it (``Pipeline``); the stub AI and platform and the load run in a second one whose CPU is not
counted (``Load``). Prints one JSON line:

    own_ms_at_R      [p50, p95, p99] at R turns a second, as the product measures it: webhook's handler entered → AI
                     about to be asked, plus AI has answered → platform about to be called
    seen_ms_at_R     the same as seen from outside, with the HTTP of both ends: webhook sent → AI was asked, plus …
    cpu_us_per_turn, turns_per_s     at full load, with --turns

  python -m tests.perf.bare --bootstrap 127.0.0.1:9092 [--rates 20,50] [--seconds 5] [--turns 5000]
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import logging
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

SECRET = b"bare"
TOPICS = ("inbound", "events", "ai", "outbound", "state")
PARTITIONS = 8
HISTORY = 50
COMMIT_S = 1.0
USERS = 1_000
PAD = "x" * 80
"""What schemas and ids add to a record of ours."""
ANSWER = b'{"t":"an answer of ordinary length, as people get them"}'

Handler = Callable[[bytes, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """Where both processes meet."""

    bootstrap: str
    prefix: str
    intake_port: int
    stub_port: int
    state_bytes: int

    def topic(self, name: str) -> str:
        return f"{self.prefix}.{name}"


class Pipeline:
    """The measured process."""

    def __init__(self, place: Place, producer: AIOKafkaProducer, session: aiohttp.ClientSession) -> None:
        self._place, self._producer, self._session = place, producer, session
        self._state: dict[bytes, dict[str, Any]] = {}
        self._own: dict[str, float] = {}

    async def webhook(self, request: web.Request) -> web.Response:
        began = time.perf_counter()
        body = await request.read()
        mark = base64.b64encode(hmac.new(SECRET, body, hashlib.sha256).digest())
        if not hmac.compare_digest(mark, request.headers.get("X-Signature", "").encode()):
            return web.Response(status=403)
        event = orjson.loads(body)["events"][0]
        self._own[event["id"]] = -began
        await self._put("inbound", event["user"].encode(), event)
        return web.Response()

    async def measured(self, request: web.Request) -> web.Response:
        """CPU seconds so far, and the own times (seconds) since the last question."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        own, self._own = self._own, {}
        return web.json_response({"cpu_s": usage.ru_utime + usage.ru_stime, "own_s": list(own.values())})

    async def on_inbound(self, key: bytes, event: dict[str, Any]) -> None:
        await self._put("events", key, {**event, "type": "received", "pad": PAD})

    async def on_event(self, key: bytes, event: dict[str, Any]) -> None:
        conversation = self._state.setdefault(key, {"messages": [], "pad": "y" * self._place.state_bytes})
        conversation["messages"] = [*conversation["messages"], event["id"]][-HISTORY:]
        turn = {"id": event["id"], "text": event.get("text")}
        if event["type"] == "received":
            await self._put("ai", key, {**turn, "context": conversation})
        elif event["type"] == "reply":
            await self._put("outbound", key, {**turn, "pad": PAD})
        await self._put("state", key, conversation)

    async def on_ai(self, key: bytes, request: dict[str, Any]) -> None:
        self._own[request["id"]] += time.perf_counter()
        reply = await self._post("process", request)
        self._own[request["id"]] -= time.perf_counter()
        await self._put("events", key, {"type": "reply", "id": request["id"], "text": reply["t"], "pad": PAD})

    async def on_outbound(self, key: bytes, message: dict[str, Any]) -> None:
        await self._put("events", key, {"type": "started", "id": message["id"], "pad": PAD})
        self._own[message["id"]] += time.perf_counter()
        await self._post("send", message)
        await self._put("events", key, {"type": "sent", "id": message["id"], "pad": PAD})

    async def _put(self, topic: str, key: bytes, value: dict[str, Any]) -> None:
        await self._producer.send_and_wait(self._place.topic(topic), key=key, value=orjson.dumps(value))

    async def _post(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._place.stub_port}/{path}"
        async with self._session.post(url, data=orjson.dumps(value)) as answer:
            result: dict[str, Any] = orjson.loads(await answer.read())
            return result


async def consume(place: Place, topic: str, handle: Handler) -> None:
    """One conversation, one order; conversations side by side; offsets once a second."""
    name = place.topic(topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap, group_id=name, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(name, partition) for partition in range(PARTITIONS)])
    # The topics are this run's own, so what comes before the consumer is ready is read as well.
    await consumer.seek_to_beginning()

    async def chain(records: Iterable[Any]) -> None:
        for record in records:
            await handle(record.key, orjson.loads(record.value))

    committed = time.monotonic()
    while True:
        for batch in (await consumer.getmany(timeout_ms=100, max_records=500)).values():
            by_key: dict[bytes, list[Any]] = {}
            for record in batch:
                by_key.setdefault(record.key, []).append(record)
            await asyncio.gather(*(chain(records) for records in by_key.values()))
        if time.monotonic() - committed > COMMIT_S:
            await consumer.commit()
            committed = time.monotonic()


async def run_pipeline(place: Place, parent: int) -> None:
    """Serve until the parent ends, however it ends."""
    producer = AIOKafkaProducer(bootstrap_servers=place.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        pipeline = Pipeline(place, producer, session)
        routes = [web.post("/webhook", pipeline.webhook), web.get("/measured", pipeline.measured)]
        async with serving(routes, place.intake_port):
            handlers = {
                "inbound": pipeline.on_inbound,
                "events": pipeline.on_event,
                "ai": pipeline.on_ai,
                "outbound": pipeline.on_outbound,
            }
            consumers = [asyncio.create_task(consume(place, topic, handle)) for topic, handle in handlers.items()]
            while os.getppid() == parent and not any(task.done() for task in consumers):
                await asyncio.sleep(0.2)
            for task in consumers:
                task.cancel()
            await asyncio.gather(*consumers, return_exceptions=True)
    await producer.stop()


class Load:
    """The people, the AI and the platform; measures from outside."""

    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._url = f"http://127.0.0.1:{place.intake_port}"
        self._session = session
        self._finished: dict[str, asyncio.Event] = {}
        self._seen: dict[str, float] = {}

    async def process(self, request: web.Request) -> web.Response:
        number = orjson.loads(await request.read())["id"]
        self._seen[number] += time.perf_counter()
        self._seen[number] -= time.perf_counter()  # The stub answers at once.
        return web.Response(body=ANSWER)

    async def send(self, request: web.Request) -> web.Response:
        number = orjson.loads(await request.read())["id"]
        self._seen[number] += time.perf_counter()
        self._finished.pop(number).set()
        return web.Response(body=b"{}")

    async def steady(self, rate: int, seconds: float) -> dict[str, list[float]]:
        """Both times at a steady rate; [p50, p95, p99] in ms."""
        await self.measured()
        self._seen.clear()
        turns = []
        for number in range(int(rate * seconds)):
            turns.append(asyncio.create_task(self._turn(f"{rate}-{number}")))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*turns)
        own_s = (await self.measured())["own_s"]
        return {f"own_ms_at_{rate}": percentiles_ms(own_s), f"seen_ms_at_{rate}": percentiles_ms(self._seen.values())}

    async def full(self, turns: int, concurrency: int) -> dict[str, int]:
        """CPU and throughput with so many turns under way at once."""
        gate = asyncio.Semaphore(concurrency)

        async def gated(number: int) -> None:
            async with gate:
                await self._turn(f"full-{number}")

        began, used_s = time.perf_counter(), (await self.measured())["cpu_s"]
        await asyncio.gather(*(gated(number) for number in range(turns)))
        wall_s, used_s = time.perf_counter() - began, (await self.measured())["cpu_s"] - used_s
        return {"cpu_us_per_turn": round(used_s / turns * 1e6), "turns_per_s": round(turns / wall_s)}

    async def measured(self) -> dict[str, Any]:
        """What the pipeline says about itself; waits until it is there."""
        for _ in range(100):
            with contextlib.suppress(aiohttp.ClientError):
                async with self._session.get(f"{self._url}/measured") as answer:
                    result: dict[str, Any] = await answer.json()
                    return result
            await asyncio.sleep(0.1)
        raise SystemExit("the pipeline did not start")

    async def _turn(self, number: str) -> None:
        user = f"user-{hash(number) % USERS}"
        body = orjson.dumps({"events": [{"id": number, "user": user, "text": "hello, where is my parcel? " * 2}]})
        mark = base64.b64encode(hmac.new(SECRET, body, hashlib.sha256).digest()).decode()
        self._finished[number] = finished = asyncio.Event()
        self._seen[number] = -time.perf_counter()
        async with self._session.post(f"{self._url}/webhook", data=body, headers={"X-Signature": mark}) as answer:
            answer.raise_for_status()
        await asyncio.wait_for(finished.wait(), 60)


def percentiles_ms(values_s: Iterable[float]) -> list[float]:
    """[p50, p95, p99] in milliseconds."""
    ordered = sorted(values_s)
    return [round(ordered[int(len(ordered) * share)] * 1000, 1) for share in (0.5, 0.95, 0.99)]


@contextlib.asynccontextmanager
async def serving(routes: Iterable[web.AbstractRouteDef], port: int) -> AsyncIterator[None]:
    """These routes on this loopback port."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def topics(place: Place) -> AsyncIterator[None]:
    """The yardstick's own topics, gone afterwards: the broker may be somebody's who keeps it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.bootstrap)
    await admin.start()
    names = [place.topic(name) for name in TOPICS]
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    try:
        while not all(_has_leaders(topic) for topic in await admin.describe_topics(names)):
            await asyncio.sleep(0.1)
        yield
    finally:
        await admin.delete_topics(names)
        await admin.close()


def _has_leaders(topic: dict[str, Any]) -> bool:
    return bool(topic["partitions"]) and all(partition["leader"] >= 0 for partition in topic["partitions"])


async def run_load(place: Place, options: argparse.Namespace) -> dict[str, Any]:
    """Warm up, then every rate, then full load."""
    result: dict[str, Any] = {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        load = Load(place, session)
        async with serving([web.post("/process", load.process), web.post("/send", load.send)], place.stub_port):
            await load.measured()
            await load.steady(options.rates[0], options.warm_up)
            for rate in options.rates:
                result |= await load.steady(rate, options.seconds)
            if options.turns:
                result |= await load.full(options.turns, options.concurrency)
    return result


async def measure(place: Place, options: argparse.Namespace) -> dict[str, Any]:
    """Both processes from start to end."""
    async with topics(place):
        child = multiprocessing.get_context("spawn").Process(
            target=_pipeline_process, args=(place, os.getpid()), daemon=True
        )
        child.start()
        try:
            return await run_load(place, options)
        finally:
            child.kill()
            child.join()


def _pipeline_process(place: Place, parent: int) -> None:
    logging.disable(logging.ERROR)
    asyncio.run(run_pipeline(place, parent))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def main() -> None:
    """Parse the command line, measure, print."""
    logging.disable(logging.ERROR)
    parser = argparse.ArgumentParser(prog="python -m tests.perf.bare", description=__doc__.partition("\n")[0])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--rates", type=lambda text: [int(rate) for rate in text.split(",")], default=[20, 50, 100])
    parser.add_argument("--seconds", type=float, default=5.0, help="at each rate")
    parser.add_argument("--warm-up", type=float, default=3.0, help="seconds")
    parser.add_argument("--turns", type=int, default=0, help="at full load; 0 leaves that out")
    parser.add_argument("--concurrency", type=int, default=200)
    parser.add_argument("--state-bytes", type=int, default=4_000)
    options = parser.parse_args()
    place = Place(options.bootstrap, f"bare{os.getpid()}", _free_port(), _free_port(), options.state_bytes)
    print(orjson.dumps(asyncio.run(measure(place, options))).decode(), flush=True)


if __name__ == "__main__":
    main()
