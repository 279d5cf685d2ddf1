"""``iris.inbound.<platform>``: one raw platform event as it was received.

The value is a JSON object whose ``event`` member is the byte-exact slice of the webhook body (JSON platforms) or the
text of the body (XML); ``enclosing`` keeps the scalars around it. A body that cannot be split is stored whole, base64,
in ``body`` under the channel's own key.
"""

import base64
from typing import Any

import msgspec
import orjson
from pydantic import JsonValue


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A raw record: ``event`` is parsed JSON or XML text; ``peer`` is empty for what belongs to no conversation;
    ``received_at`` is when intake accepted it, in Unix milliseconds."""

    platform: str
    channel: str
    peer: str
    received_at: int
    enclosing: dict[str, JsonValue]
    event: Any = None
    body: str | None = None


def encode_raw(slice_: bytes, *, enclosing: dict[str, JsonValue], peer: str) -> bytes:
    """A record value around a slice that is valid JSON by itself; the slice is embedded byte for byte."""
    return orjson.dumps({"peer": peer, "enclosing": enclosing, "event": orjson.Fragment(slice_)})


def encode_text(text: str, *, enclosing: dict[str, JsonValue], peer: str) -> bytes:
    """A record value around an event that is text (XML)."""
    return orjson.dumps({"peer": peer, "enclosing": enclosing, "event": text})


def encode_whole(body: bytes) -> bytes:
    """A record value for a body that cannot be split: kept whole under the channel's own key."""
    return orjson.dumps({"peer": "", "enclosing": {}, "body": base64.b64encode(body).decode()})


def decode_raw(value: bytes, *, platform: str, channel: str, received_at: int, peer: str | None = None) -> RawEvent:
    """Back to a raw event; raises ValueError when the record is not one of ours.

    ``peer`` is that of the record's key: the value has the identity that the platform named, which may be an old one.
    """
    data = orjson.loads(value)
    enclosing = data.get("enclosing") if isinstance(data, dict) else None
    if not isinstance(enclosing, dict):
        raise ValueError("inbound record is not an object with peer, enclosing and event or body")
    if peer is None:
        peer = data.get("peer", "")
    if not isinstance(peer, str):
        raise ValueError(f"inbound record's peer is {type(peer).__name__}, not text")
    return RawEvent(
        platform=platform,
        channel=channel,
        peer=peer,
        received_at=received_at,
        enclosing=enclosing,
        event=data.get("event"),
        body=data.get("body"),
    )
