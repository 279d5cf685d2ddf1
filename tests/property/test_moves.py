"""Identities change in any order: nothing said is lost or doubled, and the table is a plain fold of the log.

Model: three identities of one person. Messages come under any of them, also under those that were left, are delivered
again, and may show a second identity; the platform tells that one that is current became another that is free; the AI
answers what it is asked. Assumed: no conversation is left and returned to while one and the same turn is open and
answered in between. Records reach the stage in the order of the log.

Anomalies looked for: a message in no conversation, or in two; a turn that is answered twice; a circle of conversations
that pass on for ever; a state that the fold has otherwise.
"""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import AnyEvent
from tests.unit.moves_town import Town

PEERS = ("111", "US.222", "US.333")
STEPS_MAX = 400

peers = st.sampled_from(PEERS)
actions = st.one_of(
    st.tuples(st.just("say"), peers, st.just("")),
    st.tuples(st.just("show"), peers, peers),
    st.tuples(st.just("change"), peers, peers),
    st.tuples(st.just("again"), peers, st.just("")),
    st.tuples(st.just("reply"), peers, st.just("")),
)


class Story:
    """A town with what was said in it."""

    def __init__(self) -> None:
        self.town = Town()
        self.said: list[AnyEvent] = []
        self._answered = 0
        self._left: set[int] = set()

    def act(self, what: str, peer: str, other: str) -> None:
        """One thing happens, and the stage reads all that follows."""
        town = self.town
        town.now += 1
        match what:
            case "say" | "show":
                aliases = (other,) if what == "show" and other != peer else ()
                self.said.append(town.said(peer, f"message {len(self.said)}", *aliases))
                town.hear(self.said[-1])
            case "change" if other != peer and self.may_become(f"line_shop_{peer}", f"line_shop_{other}"):
                town.hear(town.changed(peer, other))
            case "again" if self.said:
                # One intake keys a redelivery as the first delivery, another follows what became of that conversation.
                event = self.said[-1]
                follows = peer == PEERS[0]
                key = self.current(event.conversation_id) if follows else event.conversation_id
                town.hear(event.model_copy(update={"conversation_id": key}))
            case "reply":
                self.answer()
        self._left |= {
            number
            for number, request in enumerate(town.requests)
            if self.current(request.conversation_id) != request.conversation_id
        }
        assert len(town.log) < STEPS_MAX, "conversations pass on to each other for ever"

    def may_become(self, old: str, new: str) -> bool:
        """Only what is current changes, and not into what went on as another conversation."""
        return self.current(old) == old and self.current(new) in (old, new)

    def current(self, conversation_id: str) -> str:
        """Where intake would key it."""
        moved = self.town.identities
        while moved.get(conversation_id, conversation_id) != conversation_id:
            conversation_id = moved[conversation_id]
        return conversation_id

    def answer(self) -> None:
        """The AI answers everything that it was asked, where the conversation that asked was not left since."""
        for number, request in enumerate(self.town.requests[self._answered :], self._answered):
            self._answered += 1
            if number not in self._left:
                peer = request.conversation_id.rpartition("_")[2]
                self.town.hear(self.town.replied(peer, request.id, f"answer {request.id}"))

    def where(self) -> Counter[str]:
        """How often each message of the person stands in a history."""
        lines = (line for peer in PEERS for line in self.town.lines(peer))
        return Counter(line for line in lines if line.startswith("message"))


@settings(max_examples=150)
@given(st.lists(actions, max_size=12))
def test_nothing_is_lost_or_doubled_wherever_the_person_goes(story: list[tuple[str, str, str]]) -> None:
    told = Story()
    for action in story:
        told.act(*action)
    assert told.town.disagreements() == []
    texts = [event.data.content.text for event in told.said]
    assert told.where() == Counter(texts)
    while told._answered < len(told.town.requests):
        told.answer()
    answered = Counter(message.id for message in told.town.messages)
    assert all(count == 1 for count in answered.values())
    assert told.town.disagreements() == []
