"""Taps that end without a message: their buttons would spin on. Pure.

A message answers the taps of its turn. No message comes of a tap that a human looks after, that an overfull turn drops,
or whose turn ends without words.
"""

from collections.abc import Sequence

from schemas.envelope import AnyEvent
from schemas.ids import derived_id, split_conversation_id
from schemas.outbound import OutboundMessage
from streams.conversation.model import State


def tap_answers(
    before: State, after: State, event: AnyEvent, messages: Sequence[OutboundMessage]
) -> list[OutboundMessage]:
    """A message without parts for the taps that wait no longer and that none of ``messages`` answers; else nothing."""
    own = event.data.callback_id if event.type == "choice_made" else None
    known = [*_waiting(before), *([own] if own else [])]
    if not known:
        return []
    still = {*_waiting(after), *(callback_id for message in messages for callback_id in message.callback_ids)}
    left = tuple(callback_id for callback_id in known if callback_id not in still)
    if not left:
        return []
    return [
        OutboundMessage(
            id=derived_id(event.id, "taps"),
            conversation_id=event.conversation_id,
            platform=event.platform,
            channel=event.channel,
            peer=split_conversation_id(event.conversation_id)[2],
            parts=(),
            callback_ids=left,
            origin="system",
            causation_id=event.id,
            correlation_id=event.correlation_id or event.id,
            created_at=max(before.now, event.recorded_at),
        )
    ]


def _waiting(state: State) -> list[str]:
    """The callback ids of the open turn and of what waits for the next one, in their order."""
    messages = (*(state.turn.messages if state.turn else ()), *state.pending)
    return [message.callback_id for message in messages if message.callback_id]
