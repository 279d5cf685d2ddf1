"""Pigeon Post, a platform that does not exist: its connector, and a program that takes a message through it.

They are text because they belong to nobody's source tree: the test writes them into a folder of its own.
"""

PLATFORM = '''
"""Pigeon Post: one shared secret in a header, JSON bodies with a list of letters."""

import orjson

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Attempts, Call, Field, InboundRecord, Unprocessable
from connectors.shared.signing import equal_to
from schemas import events as facts
from schemas.content import TextContent
from schemas.envelope import Event
from schemas.ids import conversation_id, event_id
from schemas.inbound import encode_raw


class PigeonPost:
    name = "pigeon"
    prefix = "pg_"
    answer_within_s = 3.0
    reply_token_life_s = 0.0
    fields = (
        Field("loft_key", "the key of your loft", is_secret=True),
        Field("ring", "the number on the ring"),
    )
    attempts = Attempts(count=2, timeout_s=2.0)
    capabilities = {"text_max": 40}

    def accept(self, request, channel, channels):
        given = request.headers.get("x-loft-key", "")
        if equal_to(channel.all("loft_key"), given) is None:
            raise WebhookRejected("x-loft-key is not the loft_key of this channel")
        return self.split(request.body, channel, channels)

    def split(self, body, channel, channels):
        try:
            letters = orjson.loads(body)["letters"]
        except (ValueError, KeyError, TypeError):
            raise WebhookRejected("no letters in the body", status=400) from None
        return Accepted(tuple(self._record(letter, channel) for letter in letters))

    def _record(self, letter, channel):
        peer = letter["from"]
        return InboundRecord(channel.id, peer, encode_raw(orjson.dumps(letter), enclosing={}, peer=peer))

    def normalise(self, raw):
        letter = raw.event
        if "says" not in letter:
            return Unprocessable("an empty letter")
        id = event_id(self.name, raw.channel, "message_received", letter["ring"])
        data = facts.MessageReceived(
            message_id=letter["ring"], sender_id=raw.peer, recipient_id="", content=TextContent(text=letter["says"])
        )
        event = Event(
            id=id,
            type="message_received",
            conversation_id=conversation_id(self.prefix, raw.channel, raw.peer),
            platform=self.name,
            channel=raw.channel,
            occurred_at=int(raw.received_at),
            recorded_at=int(raw.received_at),
            correlation_id=id,
            data=data,
        )
        return (event,)

    def plan(self, message, window, channel):
        base = channel.api_base or "https://api.pigeon.example"
        return tuple(
            Call("fly", "POST", f"{base}/fly", {"Authorization": "{secret:loft_key}"},
                 {"to": message.peer, "says": part.content.text}, (part.id,))
            for part in message.parts
        )


PLATFORM = PigeonPost()
'''

INITIAL = '"""Pigeon Post."""\nfrom connectors.pigeon.platform import PLATFORM\n__all__ = ["PLATFORM"]\n'

SENDER = '''
"""The I/O half of Pigeon Post."""

from connectors.errors import SendError
from connectors.interface import Receipt
from connectors.shared.http import HttpClient


class Sender:
    def __init__(self):
        self._http = HttpClient()

    async def perform(self, call, channel, *, timeout_s):
        answer = await self._http.request(call, channel, timeout_s=timeout_s)
        if answer.status != 200:
            raise SendError(f"{call.name}: {answer.status}", retryable=answer.status >= 500)
        return Receipt((str(answer.member("ring")),))

    async def close(self):
        await self._http.close()
'''

JOURNEY = '''
"""accept → normalise → plan → perform, through the registry, the channel file and the topics."""

import asyncio
import json
import sys
from pathlib import Path

from connectors.interface import Unprocessable, WebhookRequest, Window
from connectors.registry import platform_named, platforms, sender_class
from schemas.content import TextContent
from schemas.inbound import decode_raw
from schemas.outbound import OutboundMessage, Part
from schemas.registry import decode_event, encode
from streams.app import build_topics
from streams.channels import Channels, load_channels
from streams.settings import Settings
from streams.stages.normalise import Normalise


NOW_MS = 1_790_000_000_000


def raw_of(record):
    return decode_raw(record.value, platform="pigeon", channel=record.channel, received_at=NOW_MS)


async def main(config, body):
    pigeon = platform_named("pigeon")
    (channel,) = load_channels(Path(config)).of("pigeon")
    request = WebhookRequest("POST", {"x-loft-key": "coo"}, {}, body.encode())
    accepted = pigeon.accept(request, channel, (channel,))
    made = [pigeon.normalise(raw_of(record)) for record in accepted.records]
    events = [decode_event(encode(event)) for each in made if not isinstance(each, Unprocessable) for event in each]
    message = OutboundMessage(
        id="m",
        conversation_id=events[0].conversation_id,
        platform="pigeon",
        channel=channel.id,
        peer=accepted.records[0].peer,
        parts=(Part(id="p1", content=TextContent(text=f"re: {events[0].data.content.text}")),),
        causation_id="c",
        correlation_id="c",
        created_at=NOW_MS,
    )
    (call,) = pigeon.plan(message, Window(now_ms=message.created_at), channel)
    sender = sender_class("pigeon")()
    receipt = await sender.perform(call, channel, timeout_s=2)
    await sender.close()
    topics = build_topics(Settings())
    print(json.dumps({
        "platforms": sorted(platforms()), "conversation": events[0].conversation_id, "dead": len(made) - len(events),
        "ids": receipt.message_ids, "topics": [topics.inbound("pigeon"), topics.outbound("pigeon")],
        "read": topics.inbound("pigeon") in Normalise(topics, Channels((channel,))).reads,
    }))


asyncio.run(main(*sys.argv[1:]))
'''
