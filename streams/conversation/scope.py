"""What an event is folded against beside the state: the memory, the limits and the conversation's time."""

from dataclasses import dataclass

from streams.conversation.memory import Memory
from streams.conversation.policy import Limits


@dataclass(slots=True)
class Scope:
    """``now`` is max(state.now, recorded_at of the event)."""

    memory: Memory
    limits: Limits
    now: int

    @property
    def forget_at(self) -> int:
        """When a key that is written now may go."""
        return self.now + self.limits.memory_ms
