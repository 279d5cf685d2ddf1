"""normalise: reads ``iris.inbound.<platform>``, writes ``iris.conversation.events`` and ``iris.dead.letters``.

Pure: a raw event becomes zero or more conversation events, or a dead letter when it can belong to no conversation. It
keeps no table: the ids it gives are functions of the record, so a repeat writes the same events again and the fold
counts the first.
"""

from collections.abc import Sequence

from connectors.interface import Unprocessable
from connectors.registry import platform_named
from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.inbound import decode_raw
from schemas.registry import encode
from streams.channels import Channels
from streams.engine.api import Output, Poison, Record, View
from streams.topics import Topics


class Normalise:
    """Implements ``PureStage``."""

    name = "normalise"
    has_table = False

    def __init__(self, topics: Topics, channels: Channels) -> None:
        self._events = topics.events
        self._platforms = {topics.inbound(name): platform_named(name) for name in topics.platforms}
        self.reads = tuple(topics.inbound(name) for name in channels.platforms or topics.platforms)

    def handle(self, view: View, records: Sequence[Record]) -> list[Output]:
        """Events in the order of their records, keyed by their conversation."""
        return [output for record in records for output in self._outputs(record)]

    def on_poison(self, record: Record, error: BaseException) -> list[Output]:
        """Nothing for the log: what could not be read says nothing about any conversation."""
        return []

    def _outputs(self, record: Record) -> list[Output]:
        platform = self._platforms[record.topic]
        channel = record.header(names.CHANNEL)
        received_at = record.header(names.RECEIVED_AT)
        if channel is None or received_at is None:
            raise Poison(f"the headers {names.CHANNEL} and {names.RECEIVED_AT} are missing", record)
        try:
            raw = decode_raw(
                record.value,
                platform=platform.name,
                channel=channel.decode(),
                received_at=int(float(received_at)),
                peer=_peer(record, f"{platform.prefix}{channel.decode()}_"),
            )
        except ValueError as error:
            raise Poison(f"no raw event: {error}", record) from error
        made = platform.normalise(raw)
        if isinstance(made, Unprocessable):
            raise Poison(made.reason, record)
        passed_on = tuple((name, value) for name, value in record.headers if name in PASSED_ON)
        return [self._output(event, passed_on) for event in made]

    def _output(self, event: AnyEvent, passed_on: tuple[tuple[str, bytes], ...]) -> Output:
        schema = f"{event.type}/{event.version}".encode()
        return Output(self._events, event.conversation_id.encode(), encode(event), ((names.SCHEMA, schema), *passed_on))


def _peer(record: Record, prefix: str) -> str:
    """Whose conversation intake has put the record into; raises ValueError where the key is none of its channel."""
    key = record.key.decode()
    if not key.startswith(prefix):
        raise ValueError(f"its key {key!r} names no conversation of its channel, which start with {prefix!r}")
    return key.removeprefix(prefix)


PASSED_ON = (names.CHANNEL, names.RECEIVED_AT, names.TRACEPARENT)
