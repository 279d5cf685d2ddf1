"""A fake AI service: answers ``POST /process`` and ``POST /v1/chat/completions``, journals every question, goes wrong.

``python -m tests.fakes.ai --port 0`` prints one JSON line ``{"url": …}`` and serves until SIGTERM or until its parent
is gone. Remote control: GET ``/_fake/journal`` (``?after=N``) and ``/_fake/faults``; POST ``/_fake/faults`` (as
``FakeAI.fail``), ``/_fake/answer`` (a fixed answer; ``null`` echoes again) and ``/_fake/reset``.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypedDict

from aiohttp import web

from tests.fakes.faults import Fault, Faults
from tests.fakes.wire import abort

PARENT = os.getppid()
PARENT_CHECK_S = 0.5
HUGE_BYTES = 10_000_000

STATUS = {"rate": 429, "error": 500, "unavailable": 503, "unauthorized": 401, "refused": 400, "redirect": 307}
"""Faults that are an answer with this status; option ``retry_after_s`` adds the header."""
BODIES = {
    "bad_json": b'{"response_text": "half an ans',
    "bad_utf8": b'{"response_text": "caf\xe9"}',
    "empty": b"",
    "empty_text": b'{"response_text": "", "response_type": "text"}',
    "wrong_type": b'{"response_text": ["not", "a", "text"], "response_type": 7}',
}
"""Faults that are a 200 with this body."""
KINDS = frozenset(STATUS) | frozenset(BODIES) | {"hang", "slow", "drip", "reset", "reset_amid", "huge"}


class Question(TypedDict):
    """One call. ``text`` is the newest message; ``answered_at`` is 0 where no good answer was given; ``status`` is 0
    where the connection ended without one; times are seconds since the epoch."""

    n: int
    at: float
    path: str
    conversation: str
    text: str
    body: Any
    authorization: str
    status: int
    answered_at: float
    fault: str | None
    retry_after_s: float | None


class FakeAI:
    """One service on one loopback port. ``answer`` overrides the echo with a fixed answer of ``/process``;
    ``encoding`` ("gzip") packs the answers although nobody asked for it."""

    def __init__(self, *, seed: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.seed = seed
        self.clock = clock
        self.url = ""
        self._runner: web.AppRunner | None = None
        self.reset()

    def reset(self) -> None:
        """Forget journal, faults and the fixed answer."""
        self.journal: list[Question] = []
        self.faults = Faults(self.seed)
        self.answer: dict[str, Any] | None = None
        self.encoding = ""

    def fail(
        self,
        kind: str,
        *,
        times: int | None = None,
        share: float | None = None,
        conversation: str | None = None,
        **options: Any,
    ) -> Fault:
        """Switch a fault on: the next ``times`` questions, a random ``share`` of them, or all (of one conversation).

        Options: ``seconds`` (hang; slow: a good answer after that time; drip: pause between bytes), ``retry_after_s``
        (header of every status fault).
        Raises ValueError for an unknown kind.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(sorted(KINDS))}")
        fault = Fault(kind, left=times, share=share, user=conversation, options=options)
        self.faults.switches.append(fault)
        return fault

    def asked(self, conversation: str) -> list[Question]:
        """Every call about this conversation, in order."""
        return [question for question in self.journal if question["conversation"] == conversation]

    async def start(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> str:
        """Listen on loopback; returns the base URL."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_get("/_fake/journal", self._get_journal)
        app.router.add_get("/_fake/faults", self._get_faults)
        app.router.add_post("/_fake/faults", self._post_faults)
        app.router.add_post("/_fake/answer", self._post_answer)
        app.router.add_post("/_fake/reset", self._post_reset)
        app.router.add_post("/process", self._serve)
        app.router.add_post("/v1/chat/completions", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        await web.SockSite(self._runner, listener, ssl_context=tls).start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        return self.url

    async def stop(self) -> None:
        """Close the port and every connection; may be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        question = self._open(http, await http.read())
        fault = self.faults.take(KINDS, user=question["conversation"])
        if fault is None:
            question["status"] = 200
            question["answered_at"] = self.clock()
            response = web.json_response(self._answer(question))
            if self.encoding:
                response.enable_compression(web.ContentCoding(self.encoding))
            return response
        question["fault"] = fault.kind
        question["retry_after_s"] = fault.options.get("retry_after_s")
        return await self._go_wrong(fault, question, http)

    def _open(self, http: web.Request, raw: bytes) -> Question:
        body = json.loads(raw)
        if http.path == "/process":
            conversation, text = body["message"]["conversation_id"], body["message"]["message_text"]
        else:
            conversation, text = "", body["messages"][-1]["content"]
        question = Question(
            n=len(self.journal) + 1,
            at=self.clock(),
            path=http.path,
            conversation=conversation,
            text=text,
            body=body,
            authorization=http.headers.get("Authorization", ""),
            status=0,
            answered_at=0.0,
            fault=None,
            retry_after_s=None,
        )
        self.journal.append(question)
        return question

    def _answer(self, question: Question) -> dict[str, Any]:
        if question["path"] != "/process":
            message = {"role": "assistant", "content": f"re: {question['text']}"}
            return {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
        if self.answer is not None:
            return self.answer
        return {"response_text": f"re: {question['text']}", "response_type": "text", "confidence": 0.9}

    async def _go_wrong(self, fault: Fault, question: Question, http: web.Request) -> web.StreamResponse:
        seconds = float(fault.options.get("seconds", 30 if fault.kind == "hang" else 0.5))
        if fault.kind in STATUS:
            return self._refused(fault, question)
        question["status"] = 200
        if fault.kind == "slow":
            await asyncio.sleep(seconds)
            question["answered_at"] = self.clock()
            return web.json_response(self._answer(question))
        if fault.kind in BODIES:
            return web.Response(body=BODIES[fault.kind], content_type="application/json")
        if fault.kind == "huge":
            body = b'{"response_text": "%s"}' % (b"x" * HUGE_BYTES)
            return web.Response(body=BytesIO(body), content_type="application/json")
        if fault.kind in {"drip", "reset_amid"}:
            return await self._piecemeal(fault, seconds, http)
        question["status"] = 0
        if fault.kind == "hang":
            await asyncio.sleep(seconds)
        abort(http)
        # The connection is gone; aiohttp only wants a response object.
        return web.Response(status=500)

    def _refused(self, fault: Fault, question: Question) -> web.Response:
        question["status"] = STATUS[fault.kind]
        headers = {}
        if question["retry_after_s"] is not None:
            headers["Retry-After"] = str(question["retry_after_s"])
        if fault.kind == "redirect":
            headers["Location"] = str(fault.options.get("location", "/process"))
        return web.json_response({"error": fault.kind}, status=question["status"], headers=headers)

    async def _piecemeal(self, fault: Fault, seconds: float, http: web.Request) -> web.StreamResponse:
        """A good answer, one byte at a time, or cut off by a reset after its first half."""
        body = json.dumps({"response_text": "this answer never arrives whole"}).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(http)
        if fault.kind == "reset_amid":
            await response.write(body[: len(body) // 2])
            abort(http)
            return response
        for position in range(len(body)):
            if http.transport is None or http.transport.is_closing():
                return response
            await response.write(body[position : position + 1])
            await asyncio.sleep(seconds)
        return response

    async def _get_journal(self, http: web.Request) -> web.Response:
        return web.json_response(self.journal[int(http.query.get("after", 0)) :])

    async def _get_faults(self, _http: web.Request) -> web.Response:
        return web.json_response([dataclasses.asdict(fault) for fault in self.faults.switches])

    async def _post_faults(self, http: web.Request) -> web.Response:
        try:
            self.fail(**await http.json())
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})

    async def _post_answer(self, http: web.Request) -> web.Response:
        self.answer = await http.json()
        return web.json_response({})

    async def _post_reset(self, _http: web.Request) -> web.Response:
        self.reset()
        return web.json_response({})


async def _serve_until_end(port: int, seed: int) -> None:
    fake = FakeAI(seed=seed)
    print(json.dumps({"url": await fake.start(port)}), flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    while not ended.is_set() and os.getppid() == PARENT:
        try:
            await asyncio.wait_for(ended.wait(), PARENT_CHECK_S)
        except TimeoutError:
            continue
    await fake.stop()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.ai", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(_serve_until_end(options.port, options.seed))


if __name__ == "__main__":
    main()
