"""What the WeChat tests share: channels, signed requests, the payload cases, short ways to events and messages."""

import json
from pathlib import Path
from typing import Any

from connectors.interface import Accepted, Channel, InboundRecord, Unprocessable, WebhookRequest, Window
from connectors.wechat import PLATFORM
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent, decode_raw
from schemas.outbound import OutboundMessage, Part
from tests.fakes.wechat import sealed_text, sha1

TOKEN = "tokenOfTheTests"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP_ID = "wx0123456789abcdef"
APP_SECRET = "app-secret-that-must-never-be-seen"
ACCOUNT = "gh_example0001"
OPENID = "oEXAMPLE_openid_1"
RECEIVED_AT_MS = 1_790_000_100_555
WINDOW = Window(now_ms=RECEIVED_AT_MS)
PAYLOADS = Path(__file__).parent.parent / "payloads" / "wechat"


def channel_of(id: str = "main", **values: str | tuple[str, ...]) -> Channel:
    """A channel; a value given as () is left out."""
    given = {"token": TOKEN, "app_id": APP_ID, "app_secret": APP_SECRET, **values}
    tuples = {name: value if isinstance(value, tuple) else (value,) for name, value in given.items()}
    return Channel(id, "wechat", {name: value for name, value in tuples.items() if value})


PLAIN = channel_of()
SECURE = channel_of(encoding_aes_key=AES_KEY)


def payload_cases() -> list[tuple[str, dict[str, Any]]]:
    """Every case of every family, with its name."""
    families = sorted(PAYLOADS.glob("*.json"))
    return [(f"{path.stem}: {case['about']}", case) for path in families for case in json.loads(path.read_text())]


CASES = payload_cases()
TEXT: str = dict(CASES)["messages: plain text"]["xml"]


def query_of(*, token: str = TOKEN, encrypted: str | None = None, **more: str) -> dict[str, str]:
    """The query of a POST, with the proof of an encrypted text where one is given."""
    query = {"timestamp": "1790000000", "nonce": "n1", "signature": sha1(token, "1790000000", "n1")}
    if encrypted is not None:
        query |= {"encrypt_type": "aes", "msg_signature": sha1(token, "1790000000", "n1", encrypted)}
    return query | more


def post(body: str | bytes = TEXT, query: dict[str, str] | None = None) -> WebhookRequest:
    """A POST, proven in the plain way unless a query is given."""
    raw = body if isinstance(body, bytes) else body.encode()
    return WebhookRequest("POST", {}, query_of() if query is None else query, raw)


def sealed_post(
    xml: str = TEXT, *, token: str = TOKEN, key: str = AES_KEY, app_id: str = APP_ID, beside: str = ""
) -> WebhookRequest:
    """A POST of the secure mode; ``beside`` are further members around the encrypted text."""
    encrypted = sealed_text(xml.encode(), app_id=app_id, encoding_aes_key=key)
    body = f"<xml>{beside}<ToUserName>{ACCOUNT}</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return post(body, query_of(token=token, encrypted=encrypted))


def accepted(request: WebhookRequest, channel: Channel = PLAIN, *others: Channel) -> Accepted:
    """What intake would store."""
    found = PLATFORM.accept(request, channel, (channel, *others))
    assert isinstance(found, Accepted)
    assert found.answer == "success"
    return found


def raw_of(record: InboundRecord) -> RawEvent:
    """The record as the stage normalise reads it."""
    return decode_raw(record.value, platform="wechat", channel=record.channel, received_at=RECEIVED_AT_MS)


def events_of(xml: str) -> tuple[AnyEvent, ...]:
    """The events of one message."""
    (record,) = PLATFORM.split(xml.encode(), PLAIN, (PLAIN,)).records
    found = PLATFORM.normalise(raw_of(record))
    assert not isinstance(found, Unprocessable), found.reason
    return found


def part(content: Any, *, id: str = "p1", **more: Any) -> Part:
    """A part of a message."""
    return Part(id=id, content=content, **more)


def message(*parts: Part, peer: str = OPENID, **more: Any) -> OutboundMessage:
    """A message to one follower."""
    return OutboundMessage(
        id="m1",
        conversation_id=f"wx_main_{peer}",
        platform="wechat",
        channel="main",
        peer=peer,
        parts=parts,
        causation_id="c1",
        correlation_id="c1",
        created_at=RECEIVED_AT_MS,
        **more,
    )
