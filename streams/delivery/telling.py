"""The events that tell the log what became of a message.

Their ids derive from the parts of the call, the type and the number of the attempt: a repeat after a crash writes the
same ids again, and of two events with one id the first in the log counts. Times are the real ones, because `send` meets
the world outside.
"""

from collections.abc import Sequence

from schemas import headers
from schemas.envelope import AnyEvent
from schemas.events import (
    ChannelUpdated,
    EventData,
    IdentityChanged,
    MessageFailed,
    MessageSent,
    MessageSuppressed,
    MessageUnknown,
    SendDelayed,
    SendStarted,
    wire_name,
)
from schemas.ids import conversation_id, derived_id, split_conversation_id
from schemas.outbound import OutboundMessage
from schemas.registry import LATEST_VERSION, encode
from streams.engine.api import Headers, Output

DETAIL_CHARS_MAX = 500
"""A platform's error text is cut there; the log is no place for its HTML pages."""

TYPES: dict[type[EventData], str] = {
    model: wire_name(model)
    for model in (
        ChannelUpdated,
        IdentityChanged,
        MessageFailed,
        MessageSent,
        MessageSuppressed,
        MessageUnknown,
        SendDelayed,
        SendStarted,
    )
}

PartData = (
    IdentityChanged | MessageFailed | MessageSent | MessageSuppressed | MessageUnknown | SendDelayed | SendStarted
)


class Teller:
    """Makes the events of one message for the log ``topic``; ``traceparent`` is handed on."""

    def __init__(self, message: OutboundMessage, topic: str, *, traceparent: bytes | None) -> None:
        self._message = message
        self._topic = topic
        self._trace: Headers = () if traceparent is None else ((headers.TRACEPARENT, traceparent),)

    def part_event(self, data: PartData, *, cause: Sequence[str], attempt: int, now_ms: int) -> Output:
        """An event about parts, in the message's conversation. ``cause`` are the parts of the call that it follows
        from, or else those that it is about; ``attempt`` numbers the calls for the first of them, 0 before any."""
        identity = derived_id("+".join(cause), TYPES[type(data)], attempt)
        return self._output(self._message.conversation_id, data, identity, now_ms)

    def channel_event(self, change: str, reason: str, *, cause: Sequence[str], attempt: int, now_ms: int) -> Output:
        """``channel_updated`` under the channel's own key: ``change`` is ``paused`` or ``resumed``."""
        message = self._message
        prefix, channel, _ = split_conversation_id(message.conversation_id)
        data = ChannelUpdated(subject=channel, change=change, metadata={"reason": reason[:DETAIL_CHARS_MAX]})
        identity = derived_id("+".join(cause), f"{TYPES[ChannelUpdated]}:{change}", attempt)
        return self._output(conversation_id(prefix, channel, ""), data, identity, now_ms)

    def _output(self, conversation: str, data: EventData, identity: str, now_ms: int) -> Output:
        message = self._message
        kind = TYPES[type(data)]
        event = AnyEvent(
            id=identity,
            type=kind,
            conversation_id=conversation,
            platform=message.platform,
            channel=message.channel,
            occurred_at=now_ms,
            recorded_at=now_ms,
            causation_id=message.id,
            correlation_id=message.correlation_id,
            data=data,
        )
        schema = (headers.SCHEMA, f"{kind}/{LATEST_VERSION}".encode())
        channel = (headers.CHANNEL, message.channel.encode())
        return Output(self._topic, conversation.encode(), encode(event), (schema, channel, *self._trace))
