"""Identities: a conversation whose person gets another one moves there, with its context, once and in order."""

import msgspec

from schemas.content import MediaContent, TextContent
from schemas.envelope import AnyEvent
from schemas.events import (
    ContextCarried,
    DeliveryReported,
    HumanTookOver,
    MediaStored,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
)
from streams.conversation.carrying import Carried
from streams.conversation.history import entries_of
from streams.conversation.memory import DictMemory
from streams.conversation.model import BLANK, HISTORY_START, State
from streams.conversation.state import evolve
from tests.unit.conversation_world import HOUR_MS, MINUTE_MS, START_MS
from tests.unit.moves_town import LAST, NEW, OLD, Town, answered, places


def test_move_carries_the_context_and_says_where_it_went() -> None:
    town = Town()
    answered(town, OLD, "hello")
    assert places(town.hear(town.changed(OLD, NEW))) == [("context_carried", NEW)]
    assert (town.lines(OLD), town.lines(NEW)) == ([], ["hello", "re hello"])
    assert town.state(NEW).preferences == {"name": f"of {OLD}"}
    assert town.state(NEW).session_start == START_MS
    assert town.identities == {f"line_shop_{OLD}": f"line_shop_{NEW}", f"line_shop_{NEW}": f"line_shop_{NEW}"}
    assert town.disagreements() == []


def test_next_question_knows_what_was_said_under_the_old_identity() -> None:
    town = Town()
    answered(town, OLD, "hello")
    town.hear(town.changed(OLD, NEW))
    town.hear(town.said(NEW, "again"))
    request = town.requests[-1]
    assert request.conversation_id == f"line_shop_{NEW}"
    assert [message.content for message in request.question.context.messages] == ["hello", "re hello"]
    assert request.question.context.user_preferences == {"name": f"of {OLD}"}


def test_carried_messages_come_before_those_that_are_there() -> None:
    town = Town()
    answered(town, NEW, "first here")
    answered(town, OLD, "said before")
    town.hear(town.changed(OLD, NEW))
    assert town.lines(NEW) == ["said before", "re said before", "first here", "re first here"]
    assert town.state(NEW).preferences == {"name": f"of {NEW}"}
    assert town.disagreements() == []


def test_history_that_began_without_room_takes_the_newest() -> None:
    town = Town(context_messages=HISTORY_START + 20)
    for number in range(5):
        answered(town, OLD, f"{number}")
    carried = town.hear(town.changed(OLD, NEW))[0]
    state = State(first=3, next=4, last_message_at=START_MS, session_start=START_MS)
    memory = DictMemory()
    after = evolve(state, carried, memory, town.limits)
    assert (after.first, [entry.text for _, entry in entries_of(memory)]) == (0, ["re 3", "4", "re 4"])


def test_open_turn_and_what_waits_are_asked_again_over_there() -> None:
    town = Town()
    town.hear(town.said(OLD, "one"), town.said(OLD, "two"))
    (first,) = town.requests
    town.hear(town.changed(OLD, NEW))
    again = town.requests[-1]
    assert (again.id, again.conversation_id) == (first.id, f"line_shop_{NEW}")
    assert again.question.message.message_text == "two"
    assert town.hear(town.replied(OLD, first.id)) == []
    town.hear(town.replied(NEW, again.id))
    assert [(message.conversation_id, message.peer) for message in town.messages] == [(f"line_shop_{NEW}", NEW)]
    assert town.disagreements() == []


def test_request_that_is_read_after_the_move_opens_nothing() -> None:
    """The log has the old conversation's own decision behind the move that was already on its way."""
    town = Town()
    said, changed = town.said(OLD, "one"), town.changed(OLD, NEW)
    town.append(said, changed)
    town.hear()
    town.hear(town.replied(OLD, town.requests[0].id))
    assert (town.state(OLD).turn, town.lines(OLD)) == (None, [])
    assert town.disagreements() == []


def test_copy_of_a_move_changes_and_tells_nothing() -> None:
    town = Town()
    answered(town, OLD, "hello")
    changed = town.changed(OLD, NEW)
    (carried,) = town.hear(changed)
    written = len(town.outputs)
    town.hear(changed, carried, town.changed(OLD, NEW))
    assert len(town.outputs) == written
    assert town.lines(NEW) == ["hello", "re hello"]
    assert town.disagreements() == []


def test_what_is_still_on_its_way_is_passed_on_in_order_under_its_id() -> None:
    town = Town()
    town.hear(town.changed(OLD, NEW))
    late = [town.said(OLD, "late 1"), town.said(OLD, "late 2", message_id="m2"), edited(town, OLD, "m2", "better")]
    passed = town.hear(*late)
    assert [event.id for event in passed if event.type in ("message_received", "message_edited")] == [
        event.id for event in late
    ]
    assert town.lines(NEW) == ["late 1", "better"]
    assert {request.conversation_id for request in town.requests} == {f"line_shop_{NEW}"}
    assert town.disagreements() == []


def edited(town: Town, peer: str, message_id: str, text: str) -> AnyEvent:
    content = TextContent(text=text)
    return town.event(peer, MessageEdited(message_id=message_id, sender_id=peer, content=content, revision=1))


def test_redelivery_under_the_new_key_of_what_the_old_one_read_has_no_second_effect() -> None:
    town = Town()
    said = town.said(OLD, "hello")
    town.hear(said)
    town.hear(town.replied(OLD, town.requests[0].id), town.changed(OLD, NEW))
    asked = len(town.requests)
    assert town.hear(said.model_copy(update={"conversation_id": f"line_shop_{NEW}"})) == []
    assert len(town.requests) == asked
    # Under the old key it is passed on, and known over there.
    assert places(town.hear(said)) == [("message_received", NEW)]
    assert len(town.requests) == asked


def test_edit_that_waits_for_its_message_waits_for_it_over_there() -> None:
    town = Town()
    town.hear(edited(town, OLD, "m1", "later"), town.changed(OLD, NEW))
    assert (town.state(OLD).orphans, len(town.state(NEW).orphans)) == ((), 1)
    town.hear(town.said(NEW, "first", message_id="m1"))
    assert town.lines(NEW) == ["later"]
    assert town.disagreements() == []


def test_sends_stay_where_they_were_sent_from() -> None:
    town = Town()
    message = answered(town, OLD, "hello")
    town.hear(town.changed(OLD, NEW))
    assert list(town.state(OLD).sends) == [message.id]
    sent = MessageSent(
        message_id=message.id, part_ids=(message.parts[0].id,), platform_message_ids=("p1",), method="push"
    )
    report = DeliveryReported(status="delivered", message_id="p1")
    assert town.hear(town.event(OLD, sent, cause=message.id), town.event(OLD, report)) == []
    assert (town.state(OLD).sends, town.state(NEW).sends) == ({}, {})
    assert town.disagreements() == []


def test_turn_that_waits_for_media_waits_for_it_over_there() -> None:
    town = Town()
    picture = MessageReceived(
        message_id="m1", sender_id=OLD, recipient_id="shop", content=MediaContent(kind="image", media_id="f1")
    )
    shown = town.event(OLD, picture)
    town.hear(shown, town.changed(OLD, NEW))
    assert town.requests == []
    stored = MediaStored(message_id="m1", content=MediaContent(kind="image", url="https://ours/1"))
    town.hear(town.event(OLD, stored, cause=shown.id))
    (request,) = town.requests
    assert (request.conversation_id, request.question.message.media_url) == (f"line_shop_{NEW}", "https://ours/1")
    assert town.disagreements() == []


def test_person_who_has_the_conversation_keeps_it() -> None:
    town = Town()
    until = START_MS + HOUR_MS
    town.hear(town.said(OLD, "hello"), town.event(OLD, HumanTookOver(until=until, how="api")))
    town.hear(town.changed(OLD, NEW))
    town.hear(town.said(NEW, "still there?"))
    assert town.state(NEW).lease is not None
    assert len(town.requests) == 1
    town.wait(2 * HOUR_MS)
    assert town.state(NEW).lease is None
    assert town.disagreements() == []


def test_message_that_shows_another_identity_moves_that_ones_conversation_here() -> None:
    town = Town()
    answered(town, OLD, "hello")
    made = places(town.hear(town.said(NEW, "it is me", OLD)))
    assert made == [("reply_requested", NEW), ("identity_changed", OLD), ("context_carried", NEW)]
    assert town.lines(NEW) == ["hello", "re hello", "it is me"]
    assert town.identities[f"line_shop_{OLD}"] == f"line_shop_{NEW}"
    assert [kind for kind, _ in places(town.hear(town.said(NEW, "once more", OLD)))] == []
    assert town.disagreements() == []


def test_identity_that_never_had_a_conversation_is_known_all_the_same() -> None:
    town = Town()
    assert places(town.hear(town.said(NEW, "hello", OLD))) == [("reply_requested", NEW), ("identity_changed", OLD)]
    assert town.identities[f"line_shop_{OLD}"] == f"line_shop_{NEW}"


def test_what_an_alias_became_is_an_alias_too() -> None:
    town = Town()
    town.hear(town.said(NEW, "hello", OLD))
    assert places(town.hear(town.changed(NEW, "999", old=OLD))) == [("identity_changed", "999")]
    assert town.identities["line_shop_999"] == f"line_shop_{NEW}"
    assert town.state(NEW).moved is None


def test_moves_in_a_row_bring_everything_to_the_last() -> None:
    town = Town()
    answered(town, OLD, "hello")
    town.append(town.changed(OLD, NEW))
    town.now += 1
    town.append(town.changed(NEW, LAST))
    town.hear()
    assert (town.lines(OLD), town.lines(NEW), town.lines(LAST)) == ([], [], ["hello", "re hello"])
    town.hear(town.said(OLD, "late"))
    assert town.lines(LAST)[-1] == "late"
    assert town.disagreements() == []


def test_conversation_that_comes_back_lives_again() -> None:
    town = Town()
    answered(town, OLD, "hello")
    town.hear(town.changed(OLD, NEW))
    town.now += MINUTE_MS
    town.hear(town.changed(NEW, OLD), town.said(NEW, "late"))
    assert (town.lines(NEW), town.lines(OLD)) == ([], ["hello", "re hello", "late"])
    assert town.identities == {f"line_shop_{OLD}": f"line_shop_{OLD}", f"line_shop_{NEW}": f"line_shop_{OLD}"}
    assert town.disagreements() == []


def test_turn_that_went_there_and_back_is_answered() -> None:
    town = Town()
    town.hear(town.said(OLD, "hello"))
    town.hear(town.changed(OLD, NEW))
    town.hear(town.changed(NEW, OLD))
    request = town.requests[-1]
    assert request.conversation_id == f"line_shop_{OLD}"
    town.hear(town.replied(OLD, request.id))
    assert [message.peer for message in town.messages] == [OLD]
    assert town.disagreements() == []


def test_nothing_is_passed_on_in_a_circle() -> None:
    town = Town()
    for old, new in ((OLD, NEW), (NEW, LAST), (LAST, OLD)):
        town.now += 1
        town.append(town.changed(old, new))
    for peer in (OLD, NEW, LAST):
        town.append(town.said(peer, f"late {peer}"))
    town.hear()
    assert sorted(town.lines(OLD)) == sorted(f"late {peer}" for peer in (OLD, NEW, LAST))
    assert town.disagreements() == []


def test_moved_conversation_is_forgotten_with_the_ids() -> None:
    town = Town(dedup_days=2)
    answered(town, OLD, "hello")
    town.hear(town.changed(OLD, NEW))
    town.hear(town.event(OLD, MessageDeleted(message_id="never")))
    town.wait(49 * HOUR_MS)
    assert town.state(OLD) == BLANK


def test_what_waits_in_a_group_that_has_moved_is_answered_without_a_quote() -> None:
    town = Town()
    town.hear(town.said(OLD, "who?", message_id="77", metadata={"in_group": True}))
    town.hear(town.changed(OLD, NEW))
    town.hear(town.replied(NEW, town.requests[-1].id))
    assert [(message.peer, message.reply_to) for message in town.messages] == [(NEW, None)]


def test_content_is_told_by_name() -> None:
    town = Town()
    town.hear(town.said(OLD, "hello"))
    data = town.hear(town.changed(OLD, NEW))[0].data
    assert isinstance(data, ContextCarried)
    assert data.from_conversation_id == f"line_shop_{OLD}"
    carried = msgspec.convert(data.content, Carried)
    assert [(message["role"], message["text"]) for message in carried.messages] == [("user", "hello")]
    assert [waiting["seq"] for waiting in carried.waiting] == [0]
