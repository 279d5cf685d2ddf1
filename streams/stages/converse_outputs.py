"""What converse writes: events, commands, identities and dead letters as records of their topics. Reads nothing."""

from collections.abc import Iterator

from schemas import headers as names
from schemas.envelope import AnyEvent
from schemas.fetching import FetchRequest
from schemas.identities import Identity
from schemas.outbound import OutboundMessage
from schemas.registry import LATEST_VERSION, encode
from streams.conversation.context import Request, encode_request
from streams.conversation.memory import INBOUND, uuid_key
from streams.conversation.step import Step
from streams.engine.api import Headers, Output, Record, View
from streams.engine.failures import dead_letter
from streams.topics import Topics

REQUEST_SCHEMA = f"reply_request/{LATEST_VERSION}"
IDENTITY_SCHEMA = f"identity/{LATEST_VERSION}".encode()
MESSAGE_SCHEMA = f"outbound_message/{LATEST_VERSION}"
FETCH_SCHEMA = f"fetch_request/{LATEST_VERSION}"
STRAY = "it names neither what was sent along nor a person, and no message of its id became known in time"


class StrayReport(Exception):
    """A report on a message that no conversation of the channel is known to have sent."""


class Outputs:
    """Records for the topics of one installation; ``passed_on`` are headers of the cause that go along."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def of_step(self, step: Step, passed_on: Headers) -> Iterator[Output]:
        """What a step led to, here and in other conversations."""
        for event in (*step.events, *step.move.events, *step.led_on):
            yield self.event(event, passed_on)
        for command in step.commands:
            yield self.command(command, passed_on)
        for old, new in step.move.identities:
            headers = ((names.SCHEMA, IDENTITY_SCHEMA),)
            yield Output(self._topics.identities, old.encode(), encode(Identity(conversation_id=new)), headers)

    def event(self, event: AnyEvent, passed_on: Headers) -> Output:
        """A record of the log."""
        headers = _headers(event, f"{event.type}/{event.version}", passed_on)
        return Output(self._topics.events, event.conversation_id.encode(), encode(event), headers)

    def command(self, command: Request | OutboundMessage | FetchRequest, passed_on: Headers) -> Output:
        """What another stage has to do."""
        key = command.conversation_id.encode()
        if isinstance(command, Request):
            headers = _headers(command, REQUEST_SCHEMA, passed_on)
            return Output(self._topics.ai_requests, key, encode_request(command), headers)
        if isinstance(command, FetchRequest):
            return Output(self._topics.fetch, key, encode(command), _headers(command, FETCH_SCHEMA, passed_on))
        headers = _headers(command, MESSAGE_SCHEMA, passed_on)
        return Output(self._topics.outbound(command.platform), key, encode(command), headers)

    def stray(self, view: View, record: Record, event_id: str, value: bytes) -> Output:
        """The dead letter of a report that waited here: the event, and where in the log it stands."""
        place = view.get(uuid_key(INBOUND, event_id))
        origin = Record(record.topic, record.partition, int(place or -1), record.timestamp_ms, record.key, value)
        return dead_letter(self._topics.dead_letters, origin, stage="converse", error=StrayReport(STRAY))


def _headers(value: AnyEvent | Request | OutboundMessage | FetchRequest, schema: str, passed_on: Headers) -> Headers:
    return ((names.SCHEMA, schema.encode()), (names.CHANNEL, value.channel.encode()), *passed_on)
