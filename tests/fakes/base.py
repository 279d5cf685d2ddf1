"""The frame of every fake platform: an API server with a journal and faults, and a client that delivers webhooks.

A platform's fake says what a request asks (``describe``), answers it (``handle``, which calls ``accept`` for what the
user sees), and builds events (``user_message``, ``user_choice``, ``body``, ``headers``). The journal is the oracle of
the tests: what is in ``seen(user)`` is what the user saw, in that order.
"""

import asyncio
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from tests.fakes import control
from tests.fakes.faults import ACCEPTING, REFUSING, Fault, Faults
from tests.fakes.media import Shelf
from tests.fakes.wire import Answer, Call, Delivery, Event, Request, abort, read, respond

HOLD_S = 0.3
"""How long a delivery chosen for reordering waits for another one to pass it."""
SEND_BACK_S_MAX = 1.0
"""How long an answer waits for the echo of what it answers."""


class FakePlatform(ABC):
    """One platform on one loopback port. ``clock`` (seconds) rules token lives, windows and the journal's times."""

    name: ClassVar[str]
    redeliveries: ClassVar[int] = 3
    """How often ``say`` repeats a delivery that was not answered with 2xx."""
    redelivery_wait_s: float = 0.2
    delivery_timeout_s: ClassVar[float] = 5.0
    link_life_s: float = 3600.0
    """Of a link to media."""

    def __init__(self, *, webhook_url: str = "", seed: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.webhook_url = webhook_url
        self.seed = seed
        self.clock = clock
        self.base_url = ""
        self.on_visible: Callable[[str, str, float], None] | None = None
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._counter = 0
        self._names: dict[str, str] = {}
        self._passed = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Forget journal, deliveries, users' views and faults; ids go on, so nothing is ever sent twice with one id."""
        self.journal: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.faults = Faults(self.seed)
        self.shelf = Shelf(lambda: self.clock(), self.link_life_s)
        self.lookups: list[tuple[str, int]] = []
        self._seen: dict[str, list[str]] = {}

    # What each platform says about itself.

    @abstractmethod
    def channel_table(self, id: str) -> dict[str, Any]:
        """A ``[[channels]]`` table for ``iris.toml`` whose secrets name variables of ``environment()``."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The secrets, as ``FAKE_<PLATFORM>_<FIELD>`` variables."""

    @abstractmethod
    def user_message(self, user: str, text: str, **extra: Any) -> Event:
        """One native event with new ids: this user writes this text."""

    @abstractmethod
    def user_choice(self, user: str, data: str) -> Event:
        """One native event with new ids: this user taps a button that carries ``data``."""

    @abstractmethod
    def body(self, events: list[Event]) -> bytes:
        """A webhook body with these events, in the platform's own serialisation."""

    @abstractmethod
    def headers(self, body: bytes) -> dict[str, str]:
        """The headers that prove ``body``."""

    @abstractmethod
    def native_id(self, event: Event) -> str:
        """The platform's id of a message event."""

    @abstractmethod
    def describe(self, request: Request, call: Call) -> bool:
        """Fill in ``user``, ``texts``, ``key`` and ``reply_to``; True when the user would see this request's effect."""

    @abstractmethod
    def handle(self, request: Request, call: Call) -> Answer:
        """Check and carry out; call ``accept`` for what the user sees."""

    @abstractmethod
    def refuse(self, fault: Fault, call: Call) -> Answer:
        """The platform's real error answer for ``rate``, ``error``, ``permanent``, ``blocked`` or ``token``."""

    def look_up(self, request: Request) -> Answer | None:
        """The answer to a request for media or a profile, which no user sees; None for every other request. What came
        of it stands in ``lookups`` (path and status) and not in the journal."""
        return None

    def query(self, body: bytes) -> dict[str, str]:
        """The query that proves ``body``, where a platform puts its proof there."""
        return {}

    def taken_for(self, status: int, answer: str) -> int:
        """The status that the platform takes this answer of the webhook for."""
        return status

    def redelivered(self, event: Event) -> Event:
        """The event as it is sent again; the same unless the platform marks it."""
        return event

    async def after_accept(self, call: Call) -> None:  # noqa: B027 - most platforms send nothing back
        """Runs when a message was accepted, before the answer goes out: echoes and reports (``spawn`` for later)."""

    def native_user(self, name: str) -> str:
        """The platform's id of a user whom the tests call ``name``."""
        return name

    # What the subclasses use.

    def next_number(self) -> int:
        """1, 2, 3 …: the source of all ids of this fake."""
        self._counter += 1
        return self._counter

    def known_user(self, name: str) -> str:
        """``native_user``, remembered so that ``name_of`` can translate back."""
        native = self.native_user(name)
        self._names[native] = name
        return native

    def name_of(self, native: str) -> str:
        """The test's name of a platform's user id; unknown ids are their own name."""
        return self._names.get(native, native)

    def accept(self, call: Call, ids: list[str]) -> None:
        """The user sees this call's texts now."""
        call["accepted"] = True
        call["ids"] = ids
        self._seen.setdefault(call["user"], []).extend(call["texts"])
        if self.on_visible is not None:
            for text in call["texts"]:
                self.on_visible(call["user"], text, self.clock())

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something beside the request; cancelled by ``stop``."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What the tests use.

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the base URL."""
        app = web.Application(client_max_size=128 * 1024 * 1024)
        control.add_routes(app, self)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        await web.SockSite(self._runner, listener).start()
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.delivery_timeout_s))
        return self.base_url

    async def stop(self) -> None:
        """Close the port and end what is under way; may be called twice."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._client = self._runner = None

    def seen(self, user: str) -> list[str]:
        """Every text that became visible to this user, in order."""
        return list(self._seen.get(user, []))

    async def say(self, user: str, text: str, *, redeliver: bool = True, **extra: Any) -> str:
        """This user writes; returns the message's native id, delivered or not (see ``deliveries``)."""
        event = self.user_message(user, text, **extra)
        await self.deliver_events([event], redeliver=redeliver)
        return self.native_id(event)

    async def choose(self, user: str, data: str, *, redeliver: bool = True) -> str:
        """This user taps a button; returns the native id of the tap."""
        event = self.user_choice(user, data)
        await self.deliver_events([event], redeliver=redeliver)
        return self.native_id(event)

    async def deliver_events(self, events: list[Event], *, redeliver: bool = True) -> int:
        """Deliver until 2xx or until the platform gives up; returns the last status."""
        for attempt in range(1 + (self.redeliveries if redeliver else 0)):
            if attempt:
                await asyncio.sleep(self.redelivery_wait_s * 2 ** (attempt - 1))
                events = [self.redelivered(event) for event in events]
            status = await self.deliver(self.body(events), ids=[self.native_id(event) for event in events])
            if 200 <= status < 300:
                break
        return status

    async def deliver(
        self, body: bytes, *, headers: Mapping[str, str] | None = None, ids: list[str] | None = None
    ) -> int:
        """POST a body to the webhook, signed unless ``headers`` are given; the status, or 0 when that failed."""
        if self.faults.take({"reorder_webhook"}):
            await self._let_one_pass()
        if self.faults.take({"duplicate_webhook"}):
            self.spawn(self._post(body, headers, ids or []))
        return await self._post(body, headers, ids or [])

    async def _let_one_pass(self) -> None:
        passed = self._passed
        try:
            await asyncio.wait_for(passed.wait(), HOLD_S)
        except TimeoutError:
            return

    async def _post(self, body: bytes, headers: Mapping[str, str] | None, ids: list[str]) -> int:
        assert self._client is not None, "start() the fake first"
        signed = self.headers(body) if headers is None else dict(headers)
        delivery = Delivery(at=self.clock(), status=0, ids=ids)
        try:
            query = self.query(body) if headers is None else {}
            async with self._client.post(self.webhook_url, data=body, headers=signed, params=query) as answer:
                delivery["status"] = self.taken_for(answer.status, await answer.text(errors="replace"))
        except (aiohttp.ClientError, TimeoutError, OSError):
            delivery["status"] = 0
        self.deliveries.append(delivery)
        self._passed.set()
        self._passed = asyncio.Event()
        return delivery["status"]

    # The API side.

    async def _serve(self, http: web.Request) -> web.StreamResponse:
        request = await read(http)
        looked_up = self.look_up(request)
        if looked_up is not None:
            self.lookups.append((request.path, looked_up.status))
            return respond(looked_up)
        call = self._open(request)
        is_visible = self.describe(request, call)
        kinds = REFUSING | ACCEPTING if is_visible else {"token"}
        fault = self.faults.take(kinds, user=call["user"], path=call["path"])
        call["fault"] = fault.kind if fault else None
        if fault is not None and fault.kind in REFUSING:
            answer = await self._refused(fault, call, http)
        else:
            answer = self.handle(request, call)
            if call["accepted"]:
                await self._send_back(call)
            if fault is not None and call["accepted"]:
                answer = await self._spoiled(fault, answer, http)
        call["status"] = answer.status
        call["answered_at"] = self.clock()
        return respond(answer)

    async def _send_back(self, call: Call) -> None:
        """Echoes and reports often come before the answer, but a webhook that nobody takes does not hold it up."""
        sending = asyncio.create_task(self.after_accept(call))
        self._tasks.add(sending)
        sending.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait({sending}, timeout=SEND_BACK_S_MAX)
        for task in done:
            task.result()

    def _open(self, request: Request) -> Call:
        call = Call(
            n=len(self.journal) + 1,
            at=self.clock(),
            method=request.method,
            path=request.path,
            body=request.body,
            user="",
            texts=[],
            status=0,
            answered_at=0.0,
            accepted=False,
            fault=None,
            ids=[],
            key=None,
            reply_to=None,
        )
        self.journal.append(call)
        return call

    async def _refused(self, fault: Fault, call: Call, http: web.Request) -> Answer:
        if fault.kind == "hang":
            await asyncio.sleep(float(fault.options.get("seconds", 30)))
        if fault.kind in {"hang", "reset"}:
            abort(http)
            return Answer(0)
        return self.refuse(fault, call)

    async def _spoiled(self, fault: Fault, answer: Answer, http: web.Request) -> Answer:
        if fault.kind == "accept_then_error":
            return Answer(int(fault.options.get("status", 500)), {"message": "internal error"})
        if fault.kind == "accept_then_hang":
            await asyncio.sleep(float(fault.options.get("seconds", 30)))
            return answer
        abort(http)
        return Answer(0)
