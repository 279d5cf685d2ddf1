"""Which message an answer quotes: the one that it answers, where a reader could not tell. Pure.

In a group others speak in between, and in a chat of two the person may have written on while the AI thought.
"""

from streams.conversation.model import State, Turn, Waiting, asked_of
from streams.conversation.policy import Rules


def quoted(turn: Turn, after: State, rules: Rules) -> Waiting | None:
    """The message that the AI was asked about, None where it needs no quote or can have none: a tap, and what the
    person took back. ``after`` is the state when the turn has closed: what waits in it came since."""
    asked = asked_of(turn.messages)
    is_needed = asked.in_group or any(not message.is_gone for message in after.pending)
    can_be = rules.can_quote and rules.policy.quote and bool(asked.message_id) and not asked.is_gone
    return asked if is_needed and can_be else None
