"""Reports that can be led to no conversation. Pure; reads and writes ``o`` keys of the channel's own conversation.

A report goes to the conversation of what we sent along with the message, else to that of the person it names, which
``iris.identities`` may lead on; both are the connector's and intake's. One that has neither is kept under the channel's
own key. There it waits, visibly, as an orphan for ``orphan_ms``, and then leaves twice: as `input_ignored` in the log
and as a dead letter, from where a person can look into it.

What it waits for is its message under the same key. No send's answer is told there: that would be one more record for
every message sent, all of a channel in one partition, for the sake of reports that no platform sends of our own
messages, because all of ours carry their conversation along.
"""

from collections.abc import Mapping

from schemas.envelope import AnyEvent, Event
from schemas.events import DeliveryReported
from schemas.ids import split_conversation_id
from streams.conversation import amendments, sends
from streams.conversation.memory import ORPHAN, Memory, uuid_key
from streams.conversation.model import State
from streams.conversation.scope import Scope

STRAYS_MAX = 256
"""Of one channel; beyond it the oldest gives up waiting."""


def on_report(state: State, event: Event[DeliveryReported], scope: Scope) -> State:
    """A report of a conversation's message, or one that waits under the channel's key."""
    if event.data.message_id is None or not _is_channels(event):
        return sends.on_report(state, event, scope)
    return amendments.wait(state, event, scope, at_most=STRAYS_MAX)


def waiting(state: State, event: AnyEvent, memory: Memory) -> Mapping[str, bytes]:
    """Event id to event, of all that waits under a channel's key; what a step lets go of is not there afterwards."""
    if not state.orphans or not _is_channels(event):
        return {}
    values = ((orphan.event_id, memory.get(uuid_key(ORPHAN, orphan.event_id))) for orphan in state.orphans)
    return {event_id: value for event_id, value in values if value is not None}


def _is_channels(event: AnyEvent) -> bool:
    return not split_conversation_id(event.conversation_id)[2]
