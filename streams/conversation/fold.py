"""The state of conversations as a plain fold of the log, and its comparison with the table. Needs no engine.

The table is what the stage has kept while it ran; the fold knows nothing but the log. They are equal when nothing is on
its way: every decision has been written and read back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.envelope import AnyEvent
from streams.conversation.history import Entry, entries_of
from streams.conversation.memory import HISTORY, DictMemory
from streams.conversation.model import BLANK, State, decode_state
from streams.conversation.moves import passed_on
from streams.conversation.policy import Limits
from streams.conversation.state import evolve


@dataclass(slots=True)
class Folded:
    """One conversation after a fold: its state and the keys beside it."""

    state: State = BLANK
    memory: DictMemory = field(default_factory=DictMemory)

    @property
    def history(self) -> dict[int, Entry]:
        """Sequence number to message, oldest first."""
        return dict(entries_of(self.memory))


def fold(events: Sequence[AnyEvent], limits: Limits) -> dict[str, Folded]:
    """Conversation id to its state after these events, given in the order of the log.

    Of several events with one id the first counts in each conversation, where one that moved passes on what comes too
    late, and one that goes on with it knows what it had seen. An event that an `event_rejected` names does not count at
    all, wherever in the log that stands.
    """
    skipped = {(event.conversation_id, event.data.event_id) for event in events if event.type == "event_rejected"}
    conversations: dict[str, Folded] = {}
    for event in events:
        if (event.conversation_id, event.id) in skipped:
            continue
        one = conversations.setdefault(event.conversation_id, Folded())
        if passed_on(one.state, event) is not None:
            continue
        skipped.add((event.conversation_id, event.id))
        if event.type == "context_carried":
            skipped.update((event.conversation_id, seen) for seen in event.data.content.get("seen", ()))
        one.state = evolve(one.state, event, one.memory, limits)
    return conversations


Dump = Mapping[bytes, bytes]
"""The live keys of one conversation as the table has them: name to value."""


def differences(table: Mapping[str, Dump], folded: Mapping[str, Folded]) -> list[str]:
    """Where a table and a fold disagree about states and histories, in words; empty when they are equal.

    Both sides are read, so a conversation that only one of them has is a difference too. Ids, marks and reports
    (which expire by the wall clock) are not compared.
    """
    return [
        f"{identity}: {what}: the table has {mine!r}, the fold {theirs!r}"
        for identity in sorted({*table, *folded})
        for what, mine, theirs in _compare(table.get(identity, {}), folded.get(identity, Folded()))
        if mine != theirs
    ]


def _compare(dump: Dump, folded: Folded) -> Iterable[tuple[str, object, object]]:
    state = decode_state(dump.get(b""))
    for name in State.__struct_fields__:
        yield name, getattr(state, name), getattr(folded.state, name)
    kept = DictMemory()
    for key, value in dump.items():
        if key.startswith(HISTORY):
            kept.put(key, value)
    mine, theirs = dict(entries_of(kept)), folded.history
    for seq in sorted({*mine, *theirs}):
        yield f"message {seq}", mine.get(seq), theirs.get(seq)
