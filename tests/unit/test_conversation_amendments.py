"""Edits, deletions, reactions: they reach their message, or wait for it, or are told as orphans."""

import pytest

from schemas.content import MediaContent, TextContent
from schemas.envelope import AnyEvent
from schemas.events import MessageDeleted, MessageEdited, ReactionChanged
from tests.unit.conversation_world import MINUTE_MS, PERSON, Talk, contents


def edited(talk: Talk, message_id: str, text: str, revision: int = 1) -> AnyEvent:
    content = TextContent(text=text)
    return talk.event(MessageEdited(message_id=message_id, sender_id=PERSON, content=content, revision=revision))


def deleted(talk: Talk, message_id: str) -> AnyEvent:
    return talk.event(MessageDeleted(message_id=message_id))


def reacted(talk: Talk, message_id: str, emoji: str, *, is_removed: bool = False) -> AnyEvent:
    return talk.event(ReactionChanged(message_id=message_id, sender_id=PERSON, emoji=emoji, is_removed=is_removed))


def test_edit_changes_what_the_ai_is_told_and_starts_no_turn() -> None:
    talk = Talk()
    talk.answer(talk.ask("helo", message_id="m1"))
    assert talk.hear(edited(talk, "m1", "hello")).outputs == []
    assert contents(talk.ask("again"))[0] == "hello"


def test_greatest_revision_wins_in_any_order() -> None:
    talk = Talk()
    talk.ask("one", message_id="m1")
    talk.hear(edited(talk, "m1", "three", 3), edited(talk, "m1", "two", 2))
    assert talk.lines == ["three"]


def test_edit_of_a_waiting_message_is_what_is_asked() -> None:
    talk = Talk(context_chars_max=10)
    request = talk.ask()
    talk.hear(talk.said("short", "m2"), edited(talk, "m2", "much longer than before"))
    (second,) = talk.hear(talk.replied(request.id, "yes")).requests
    assert second.question.message.message_text == "much longer than before"
    talk.answer(second)
    assert talk.lines[1] == "much longe"


def test_deleted_message_is_told_no_more() -> None:
    talk = Talk()
    talk.answer(talk.ask("my secret", message_id="m1"))
    talk.hear(deleted(talk, "m1"), edited(talk, "m1", "my other secret"))
    assert talk.lines == ["", "how can I help?"]
    assert contents(talk.ask("hello")) == ["how can I help?"]


def test_message_deleted_while_it_waits_is_not_answered() -> None:
    talk = Talk()
    request = talk.ask()
    waiting = talk.said("kept", "m3")
    talk.hear(talk.said("a slip", "m2"), waiting, deleted(talk, "m2"))
    answer = talk.hear(talk.replied(request.id, "yes"))
    assert answer.event("reply_requested").data.event_ids == (waiting.id,)
    assert talk.state.pending == ()


def test_nothing_is_asked_when_all_that_waits_was_deleted() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("a slip", "m2"), deleted(talk, "m2"))
    assert talk.hear(talk.replied(request.id, "yes")).types == ["message_planned"]


def test_every_content_of_a_deleted_message_goes() -> None:
    talk = Talk()
    talk.ask("look", message_id="m1")
    talk.hear(talk.said(MediaContent(kind="image", url="https://x/1", caption="me"), "m1"), deleted(talk, "m1"))
    assert [(entry.text, entry.media_url, entry.is_deleted) for entry in talk.history] == [("", None, True)] * 2


def test_reaction_is_kept_with_its_message_until_it_is_removed() -> None:
    talk = Talk()
    talk.ask("look", message_id="m1")
    talk.hear(reacted(talk, "m1", "👍"))
    assert talk.history[0].reactions == {PERSON: "👍"}
    talk.hear(reacted(talk, "m1", "", is_removed=True))
    assert talk.history[0].reactions == {}


def test_reaction_to_our_message_finds_it_by_the_platforms_id() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    talk.hear(reacted(talk, "p1", "❤️"))
    assert (talk.history[1].reactions, talk.state.orphans) == ({PERSON: "❤️"}, ())


@pytest.mark.parametrize("kind", ["edit", "delete", "reaction"])
def test_what_overtakes_its_message_waits_for_it_visibly(kind: str) -> None:
    talk = Talk()
    early = {"edit": edited(talk, "m1", "later"), "delete": deleted(talk, "m1"), "reaction": reacted(talk, "m1", "👍")}
    talk.hear(early[kind])
    assert [orphan.message_id for orphan in talk.state.orphans] == ["m1"]
    talk.hear(talk.said("first", "m1"))
    (entry,) = talk.history
    assert (entry.text, entry.is_deleted, bool(entry.reactions)) == {
        "edit": ("later", False, False),
        "delete": ("", True, False),
        "reaction": ("first", False, True),
    }[kind]
    assert (talk.state.orphans, set(talk.state.timers), talk.view.dump(b"o")) == ((), {"session"}, {})


def test_message_deleted_before_it_came_is_not_answered() -> None:
    talk = Talk()
    talk.hear(deleted(talk, "m1"))
    answer = talk.hear(talk.said("a slip", "m1"))
    assert (answer.events, answer.requests) == ([], [])


def test_reaction_that_overtakes_the_sends_answer_waits_for_it() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), reacted(talk, "p1", "👍"))
    talk.hear(talk.sent(message, "p1"))
    assert (talk.history[1].reactions, talk.state.orphans) == ({PERSON: "👍"}, ())


def test_orphan_is_told_after_ten_minutes_and_forgotten() -> None:
    talk = Talk()
    early = edited(talk, "m1", "later")
    talk.hear(early)
    assert talk.wait(10 * MINUTE_MS - 1).outputs == []
    ignored = talk.wait(1).event("input_ignored")
    assert (ignored.data.reason, ignored.data.metadata) == ("orphan", {"event_id": early.id})
    assert talk.view.dump(b"", b"o").keys() == {b"i" + bytes.fromhex(early.id.replace("-", ""))}


def test_orphans_are_bounded_and_the_oldest_is_told() -> None:
    talk = Talk()
    early = [edited(talk, f"m{number}", "x") for number in range(17)]
    answer = talk.hear(*early)
    assert answer.event("input_ignored").data.metadata == {"event_id": early[0].id}
    assert len(talk.state.orphans) == len(talk.view.dump(b"o")) == 16
