"""Intake written plainly: aiohttp and aiokafka, one awaited produce per webhook.

Does what ours does to a LINE webhook: check the HMAC, key by person, the same four headers, acks=all, then 200. Prints
``{"port": …}`` when it listens and ends with its parent.

  python -m tests.perf.sides.aiohttp_intake BOOTSTRAP TOPIC SECRET
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import sys
import time

import orjson
import uvloop
from aiohttp import web
from aiokafka import AIOKafkaProducer

from tests.perf.sides.clock import report

PARENT_CHECK_S = 0.2


class Handler:
    """One route."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, secret: bytes) -> None:
        self._producer, self._topic, self._secret = producer, topic, secret

    async def handle(self, request: web.Request) -> web.Response:
        """200 when the record is durable, 401 on a bad signature."""
        received_at = time.time()
        body = await request.read()
        mark = base64.b64encode(hmac.new(self._secret, body, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(mark, request.headers.get("X-Line-Signature", "")):
            return web.Response(status=401)
        parsed = orjson.loads(body)
        for event in parsed["events"]:
            key = f"line_shop_{event['source']['userId']}".encode()
            value = orjson.dumps({"destination": parsed["destination"], "event": event})
            headers = [
                ("iris-schema", b"raw_event/1"),
                ("iris-channel", b"shop"),
                ("iris-received-at", f"{received_at * 1000:.3f}".encode()),
                ("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01".encode()),
            ]
            await self._producer.send_and_wait(self._topic, key=key, value=value, headers=headers)
        return web.Response()


async def serve(bootstrap: str, topic: str, secret: str) -> None:
    """Until the parent is gone."""
    parent = os.getppid()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    app = web.Application()
    app.router.add_post("/webhook", Handler(producer, topic, secret.encode()).handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    report({"port": runner.addresses[0][1]})
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_CHECK_S)


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
