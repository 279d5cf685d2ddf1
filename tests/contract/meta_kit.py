"""What the contract tests of Meta's platforms share: a signed request, and the way of a body to its events."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from connectors.interface import Accepted, Channel, InboundRecord, Platform, Unprocessable, WebhookRequest
from connectors.shared.signing import hmac_hex
from schemas.envelope import AnyEvent
from schemas.inbound import decode_raw

PAYLOADS = Path(__file__).parents[1] / "payloads"
SECRET = "app-secret-1"
RECEIVED_AT = 1_790_000_000_200


def signed(body: bytes, *, secret: str = SECRET, **headers: str) -> WebhookRequest:
    """A POST with a good signature, unless ``headers`` say otherwise."""
    proof = {"x-hub-signature-256": f"sha256={hmac_hex(secret, body)}"}
    return WebhookRequest("POST", proof | headers, {}, body)


class Inbox:
    """One platform's way in; ``channel`` makes the one that is meant when a test names none."""

    def __init__(self, platform: Platform, channel: Callable[[], Channel]) -> None:
        self._platform = platform
        self._channel = channel

    def names(self) -> list[str]:
        """Of all its payloads."""
        return sorted(path.stem for path in (PAYLOADS / self._platform.name).glob("*.json"))

    def payload(self, name: str) -> bytes:
        """A webhook body as it was on the wire."""
        return (PAYLOADS / self._platform.name / f"{name}.json").read_bytes().rstrip(b"\n")

    def accepted(self, body: bytes, *channels: Channel) -> Accepted:
        """What comes of a signed body that was sent to the first of these channels."""
        known = channels or (self._channel(),)
        result = self._platform.accept(signed(body), known[0], known)
        assert isinstance(result, Accepted)
        return result

    def read(self, record: InboundRecord) -> tuple[AnyEvent, ...] | Unprocessable:
        """The events of a record, as the stage would make them."""
        raw = decode_raw(record.value, platform=self._platform.name, channel=record.channel, received_at=RECEIVED_AT)
        return self._platform.normalise(raw)

    def events_of(self, body: bytes, *channels: Channel) -> list[AnyEvent]:
        """All events of a body; unprocessable records are left out."""
        results = [self.read(record) for record in self.accepted(body, *channels).records]
        return [event for result in results if not isinstance(result, Unprocessable) for event in result]

    def assert_rows(self, records: Sequence[InboundRecord], rows: Sequence[Any]) -> None:
        """Each record becomes its row: (type, members of the data) of every event, or the reason why none can be."""
        for record, row in zip(records, rows, strict=True):
            result = self.read(record)
            if isinstance(row, str):
                assert result == Unprocessable(row)
                continue
            assert not isinstance(result, Unprocessable), result.reason
            assert [event.type for event in result] == [kind for kind, _ in row]
            for event, (_, members) in zip(result, row, strict=True):
                data = event.data.model_dump(mode="python")
                assert has(data, members), data


def has(actual: Any, expected: Any) -> bool:
    """``actual`` has at least the members that ``expected`` names."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(has(actual.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(has, actual, expected))
    return bool(actual == expected)
