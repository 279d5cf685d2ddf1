"""Law 3 and 7: our own decisions stand in the log a little after what led to them, and others may be read in between.

The stage folds what it decides at once, a plain fold when it reads it. Each case tells a story during which nothing
that the stage decides reaches the log; then all of it does, twice, as after a crash. Table and fold agree to the byte.
"""

from collections.abc import Callable

import pytest

from schemas.content import TextContent
from schemas.envelope import AnyEvent
from schemas.events import HumanReleased, HumanTookOver, MessageDeleted, MessageEdited, MessageSuppressed
from schemas.outbound import OutboundMessage
from schemas.registry import decode_event, encode
from streams.conversation.fold import fold
from streams.conversation.memory import HISTORY, ORPHAN, REPORT, TOLD
from tests.unit.conversation_world import CONVERSATION, MINUTE_MS, PERSON, TOPICS, Answer, Talk, parts_of


class Late(Talk):
    """The stage's own events wait until ``catch_up``."""

    def __init__(self) -> None:
        super().__init__(context_chars_max=12)
        self.unwritten: list[bytes] = []

    def hear(self, *events: AnyEvent, at_once: bool = False) -> Answer:
        answer = Answer()
        for event in events:
            record = self.append(encode(event))
            answer.outputs += self.table.step(self.stage, [record])
        self.unwritten += [output.value for output in answer.outputs if output.topic == TOPICS.events]
        return answer

    def catch_up(self) -> None:
        """All of them are in the log, and once more, and read."""
        for value in [*self.unwritten, *self.unwritten]:
            assert self.table.step(self.stage, [self.append(value)]) == []
        self.unwritten = []

    def sides(self) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        """The keys beside the state, of the table and of the fold."""
        events = [decode_event(record.value) for record in self.log]
        folded = fold(events, self.limits)[CONVERSATION]
        return self.view.dump(HISTORY, TOLD, REPORT, ORPHAN), dict(folded.memory.scan(b""))


def edit(talk: Talk, message_id: str, text: str) -> AnyEvent:
    return talk.event(MessageEdited(message_id=message_id, sender_id=PERSON, content=TextContent(text=text)))


def suppressed(talk: Talk, message: OutboundMessage) -> AnyEvent:
    message_id, parts = parts_of(message)
    return talk.event(MessageSuppressed(message_id=message_id, part_ids=parts, reason="x"), cause=message_id)


def message_before_the_request(talk: Late) -> None:
    talk.ask("one")
    talk.hear(talk.said("two"), talk.said("three"))


def answer_before_the_request(talk: Late) -> None:
    talk.answer(talk.ask("a long question to cut"), user_insights={"language": "th"})


def next_turn_before_the_first_request(talk: Late) -> None:
    request = talk.ask("one")
    talk.hear(talk.said("two"))
    (second,) = talk.hear(talk.replied(request.id, "first")).requests
    talk.answer(second, "second")


def delivery_before_the_plan(talk: Late) -> None:
    talk.deliver(talk.answer(talk.ask()), "p1")


def outcomes_before_the_plan(talk: Late) -> None:
    for outcome in (talk.failed, talk.unknown, lambda message: suppressed(talk, message)):
        message = talk.answer(talk.ask())
        talk.hear(talk.started(message), outcome(message))


def echo_and_report_before_the_plan(talk: Late) -> None:
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), talk.echoed("p1", tag=message.parts[0].id), talk.sent(message, "p1"))


def unclaimed_echo_before_the_plan(talk: Late) -> None:
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), talk.echoed("p1"), talk.echoed("h1"), talk.sent(message, "p1"))


def message_before_the_take_over(talk: Late) -> None:
    talk.ask("one")
    talk.hear(talk.said("two"), talk.echoed("h1"), talk.said("a long question for Ann"))


def answer_before_the_take_over(talk: Late) -> None:
    request = talk.ask("one")
    talk.hear(talk.said("two"), talk.echoed("h1"), talk.replied(request.id, "too late"))


def release_before_the_take_over(talk: Late) -> None:
    talk.hear(talk.echoed("h1"))
    talk.now += 10
    talk.hear(talk.event(HumanReleased(how="operator")))
    talk.now += 10
    talk.hear(talk.said("hello, I am back"))


def edit_before_the_take_over(talk: Late) -> None:
    talk.hear(talk.echoed("h1"), talk.said("helo", "m1"))
    talk.now += 10
    talk.hear(edit(talk, "m1", "hello, this is long"))


def operator_before_the_request(talk: Late) -> None:
    talk.ask("one")
    talk.hear(talk.said("two, and it is long"), talk.event(HumanTookOver(until=talk.now + MINUTE_MS, how="operator")))
    talk.now += 2 * MINUTE_MS
    talk.wait(0)


def operator_before_the_take_over(talk: Late) -> None:
    talk.hear(talk.echoed("h1"))
    talk.now += 10
    talk.hear(talk.event(HumanTookOver(until=talk.now + MINUTE_MS, how="operator")))


def long_message_that_an_operator_got(talk: Late) -> None:
    request = talk.ask("one")
    talk.hear(talk.said("two, and it is long"), talk.event(HumanTookOver(how="operator")))
    talk.now += 10
    talk.hear(talk.replied(request.id, "late"), talk.event(HumanReleased(how="operator")))
    talk.now += 10
    talk.ask("three")


def deletion_before_the_request(talk: Late) -> None:
    talk.ask("one", message_id="m1")
    talk.hear(talk.said("two", "m2"), talk.event(MessageDeleted(message_id="m1")))
    talk.hear(talk.event(MessageDeleted(message_id="m2")))


STORIES: tuple[Callable[[Late], None], ...] = (
    message_before_the_request,
    answer_before_the_request,
    next_turn_before_the_first_request,
    delivery_before_the_plan,
    outcomes_before_the_plan,
    echo_and_report_before_the_plan,
    unclaimed_echo_before_the_plan,
    message_before_the_take_over,
    answer_before_the_take_over,
    release_before_the_take_over,
    edit_before_the_take_over,
    operator_before_the_request,
    operator_before_the_take_over,
    long_message_that_an_operator_got,
    deletion_before_the_request,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_order_of_our_own_events_does_not_matter(story: Callable[[Late], None]) -> None:
    talk = Late()
    story(talk)
    talk.catch_up()
    assert talk.disagreements() == []
    mine, theirs = talk.sides()
    assert mine == theirs


def test_stories_are_told_without_our_own_events() -> None:
    """Else the law above would be proved of nothing."""
    for story in STORIES:
        talk = Late()
        story(talk)
        own = {decode_event(value).id for value in talk.unwritten}
        assert own
        assert own.isdisjoint(decode_event(record.value).id for record in talk.log)
