"""What the contract suite knows of a platform without knowing which: its connector, its fake, its real payloads.

Found, never listed: connectors by the registry, fakes by their module, webhook bodies in ``tests/payloads/<platform>``.
The fake's account is the one that the payloads are addressed to, so that what it signs is ours to take.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from connectors.errors import WebhookRejected
from connectors.interface import Accepted, Challenge, Channel, InboundRecord, Platform, Unprocessable, WebhookRequest
from connectors.registry import platforms
from schemas.envelope import AnyEvent
from schemas.inbound import RawEvent, decode_raw
from schemas.registry import decode_event, encode
from tests.fakes.__main__ import discovered
from tests.fakes.base import FakePlatform

PAYLOADS = Path(__file__).parents[1] / "payloads"
RECEIVED_AT = 1_790_000_100_555
CHANNEL = "shop"


@dataclass(frozen=True)
class Specimen:
    """One platform. ``bodies`` are real webhook bodies by a name of their own."""

    platform: Platform
    fake: FakePlatform
    channel: Channel
    bodies: Mapping[str, bytes]

    def split(self, body: bytes, channel: Channel | None = None) -> Accepted:
        """What would be stored of an authentic body; raises WebhookRejected."""
        known = channel or self.channel
        return self.platform.split(body, known, (known,))

    def raw(self, record: InboundRecord, *, received_at: int = RECEIVED_AT) -> RawEvent:
        """A record as the stage normalise reads it."""
        return decode_raw(record.value, platform=self.platform.name, channel=record.channel, received_at=received_at)

    def events(self, raw: RawEvent) -> tuple[AnyEvent, ...]:
        """The events of a raw event, none for a dead letter; each can be written, read again, and is ours."""
        made = self.platform.normalise(raw)
        if isinstance(made, Unprocessable):
            assert made.reason, "a dead letter says why"
            return ()
        assert made, "neither an event nor a dead letter: this would be lost in silence"
        for event in made:
            assert decode_event(encode(event)) == event
            assert event.conversation_id.startswith(f"{self.platform.prefix}{raw.channel}_")
        return made

    def request(self, body: bytes) -> WebhookRequest:
        """A POST as the platform proves it."""
        headers = {name.lower(): value for name, value in self.fake.headers(body).items()}
        return WebhookRequest("POST", headers, self.fake.query(body), body)

    def accept(self, request: WebhookRequest, channel: Channel | None = None) -> Accepted:
        """What intake would store; raises WebhookRejected."""
        known = channel or self.channel
        made = self.platform.accept(request, known, (known,))
        assert isinstance(made, Accepted)
        return made


@cache
def specimens() -> dict[str, Specimen]:
    """Every platform that has a fake and payloads, by name; ``test_platforms`` says which have not."""
    fakes = discovered()
    return {
        name: specimen_of(platform, fakes[name](clock=lambda: RECEIVED_AT / 1000))
        for name, platform in platforms().items()
        if name in fakes and (PAYLOADS / name).is_dir()
    }


def specimen_of(platform: Platform, fake: FakePlatform, *, payloads: Path = PAYLOADS) -> Specimen:
    """One platform with its fake and what lies in ``payloads/<platform>``."""
    table, secrets = fake.channel_table(CHANNEL), fake.environment()
    values = {
        field.name: (secrets.get(str(table[field.name]).removeprefix("env:"), str(table[field.name])),)
        for field in platform.fields
        if field.name in table
    }
    bodies = dict(each for path in sorted((payloads / platform.name).iterdir()) for each in bodies_of(path))
    return Specimen(platform, fake, Channel(CHANNEL, platform.name, values), bodies)


def bodies_of(path: Path) -> list[tuple[str, bytes]]:
    """The webhook bodies of one file: cases with a ``body`` (JSON) or an ``xml`` member, or else the file itself."""
    content = path.read_bytes().rstrip(b"\n")
    document: Any = json.loads(content) if path.suffix == ".json" else None
    cases = document if isinstance(document, list) else [document]
    if not all(isinstance(case, dict) and ("xml" in case or "body" in case) for case in cases):
        return [(path.stem, content)]
    return [(f"{path.stem} {number}", _body_of(case)) for number, case in enumerate(cases, 1)]


def _body_of(case: dict[str, Any]) -> bytes:
    if "xml" in case:
        return str(case["xml"]).encode()
    return json.dumps(case["body"], ensure_ascii=False).encode()


def outcome(attempt: Callable[[], Accepted | Challenge]) -> Accepted | int:
    """What was accepted, or the status of the refusal; a webhook that raises anything else fails the test."""
    try:
        made = attempt()
    except WebhookRejected as rejected:
        return rejected.status
    assert isinstance(made, Accepted), f"answered with {made}"
    return made
