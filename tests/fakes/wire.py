"""What the fakes keep and exchange: journal entries, deliveries, API requests and answers."""

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from aiohttp import web

Event = dict[str, Any]
"""One event in the platform's own form."""


class Call(TypedDict):
    """One API request. ``accepted``: the user saw it. ``reply_to``: native id of the message that it answers, where
    the platform tells (a reply token, a quote). ``answered_at`` is 0 until then. ``key`` is the idempotency key."""

    n: int
    at: float
    method: str
    path: str
    body: Any
    user: str
    texts: list[str]
    status: int
    answered_at: float
    accepted: bool
    fault: str | None
    ids: list[str]
    key: str | None
    reply_to: str | None


class Delivery(TypedDict):
    """One webhook POST. ``ids`` are the native ids of its events, ``status`` 0 where the connection failed."""

    at: float
    status: int
    ids: list[str]


@dataclass(frozen=True)
class Request:
    """An API request as received; ``headers`` lower-case; ``body`` parsed JSON, else form fields, else None."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any


@dataclass(frozen=True)
class Answer:
    """What the API answers; a ``body`` of None is an empty body, one of bytes goes out as it is."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


async def read(http: web.Request) -> Request:
    """The request with its body parsed as its content type says."""
    raw = await http.read()
    body: Any = None
    if raw and "json" in http.content_type:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
    elif raw and not http.content_type.startswith("multipart/"):
        body = dict(await http.post())
    headers = {name.lower(): value for name, value in http.headers.items()}
    return Request(http.method, http.path, dict(http.query), headers, raw, body)


def respond(answer: Answer) -> web.Response:
    """JSON, bytes or nothing, with the answer's headers."""
    if answer.status == 0:
        # The connection is gone already; the status only keeps aiohttp's response object happy.
        return web.Response(status=500)
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    if isinstance(answer.body, bytes):
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def abort(http: web.Request) -> None:
    """Close with a reset, as a crashed server or a middlebox would."""
    if http.transport is None:
        return
    connection = http.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    http.transport.abort()
