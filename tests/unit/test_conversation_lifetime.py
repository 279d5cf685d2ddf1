"""Sessions and what outlives them (law 11): context for a day, ids and windows until their horizon, then nothing."""

import msgspec

from schemas.content import UnsupportedContent
from schemas.events import (
    ContactJoined,
    ConversationExpired,
    DeliveryReported,
    MessageDeleted,
    ReferralReceived,
    Unrecognised,
)
from schemas.registry import encode
from streams.conversation.model import BLANK, State, decode_state, encode_state
from tests.unit.conversation_world import HOUR_MS, MINUTE_MS, START_MS, Talk, contents

DAY_MS = 24 * HOUR_MS


def test_context_preferences_and_session_go_a_day_after_the_last_message() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask(), user_insights={"size": "M"}), "p1")
    answer = talk.wait(DAY_MS)
    assert answer.types == ["conversation_expired"]
    assert answer.events[0].data.last_message_at == START_MS
    assert (talk.history, talk.state.preferences, talk.state.session_start) == ([], {}, None)
    request = talk.ask("hello again")
    assert contents(request) == []
    assert request.question.context.user_preferences == {}
    assert request.question.context.session_start == START_MS + DAY_MS


def test_every_message_of_either_side_keeps_the_session() -> None:
    talk = Talk()
    request = talk.ask()
    talk.wait(20 * HOUR_MS)
    talk.answer(request)
    assert talk.wait(23 * HOUR_MS).types == []
    talk.ask("still here")
    assert talk.state.session_start == START_MS


def test_timer_of_the_session_is_not_moved_by_every_message() -> None:
    talk = Talk()
    talk.answer(talk.ask())
    before = dict(talk.view.timers)
    talk.wait(MINUTE_MS)
    talk.ask("more")
    assert talk.view.timers == before == {"session": START_MS + DAY_MS}


def test_session_length_is_a_setting() -> None:
    talk = Talk(session_hours=1)
    talk.answer(talk.ask())
    assert talk.wait(HOUR_MS).types == ["conversation_expired"]


def test_ids_and_unsettled_sends_outlive_the_session() -> None:
    talk = Talk()
    said = talk.said("hello")
    (request,) = talk.hear(said).requests
    message = talk.answer(request)
    talk.hear(talk.started(message))
    talk.wait(2 * DAY_MS)
    assert talk.hear(said).outputs == []
    assert (talk.state.last_inbound_at, message.id in talk.state.sends) == (START_MS, True)
    talk.hear(talk.sent(message, "p1"))
    assert talk.state.sends == {}


def test_nothing_is_left_in_the_end() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    talk.wait(8 * DAY_MS + 1)
    talk.view.now_ms = talk.now
    assert (talk.view.dump(), talk.view.timers) == ({}, {})


def test_whoever_comes_back_in_time_is_not_forgotten() -> None:
    talk = Talk()
    talk.answer(talk.ask())
    talk.wait(7 * DAY_MS + 12 * HOUR_MS)
    talk.answer(talk.ask("back again"))
    talk.wait(12 * HOUR_MS)
    assert talk.lines == ["back again", "how can I help?"]
    assert talk.state.session_start == START_MS + 7 * DAY_MS + 12 * HOUR_MS


def test_message_that_was_taken_back_holds_no_session() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("a slip", "m2"), talk.event(MessageDeleted(message_id="m2")))
    talk.deliver(talk.answer(request), "p1")
    assert len(talk.state.pending) == 1
    assert talk.wait(DAY_MS).types == ["conversation_expired"]


def test_turn_that_nobody_answered_for_two_days_is_abandoned_and_the_next_begins() -> None:
    talk = Talk()
    request = talk.ask()
    waiting = talk.said("hello?")
    talk.hear(waiting)
    assert talk.wait(DAY_MS).outputs == []
    answer = talk.wait(DAY_MS)
    failed = answer.event("reply_failed")
    assert (failed.data.turn_id, failed.data.reason) == (request.id, "abandoned")
    assert answer.event("reply_requested").data.event_ids == (waiting.id,)
    assert answer.messages == []
    assert talk.hear(talk.replied(request.id, "too late")).outputs == []


def test_every_turn_has_its_own_days() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.said("hello?"))
    talk.wait(25 * HOUR_MS)
    assert talk.hear(talk.replied(request.id, "sorry, it took a day")).types == ["message_planned", "reply_requested"]
    assert talk.wait(47 * HOUR_MS).outputs == []
    assert talk.wait(HOUR_MS).event("reply_failed").data.reason == "abandoned"


def test_outage_of_our_own_abandons_nobody() -> None:
    """The timer was due long ago and is read after a backlog; what that led to was asked a moment ago."""
    talk = Talk()
    talk.answer(talk.ask())
    talk.now += 2 * HOUR_MS
    late = talk.said("anybody?")
    talk.now += 3 * DAY_MS
    ((key, name, due),) = talk.table.due(talk.now)
    talk.append(encode(late))
    talk.append(talk.stage.timer_output(key, name, due).value)
    answer = talk.hear()
    assert answer.types == ["reply_requested"]
    assert talk.answer(answer.requests[0]).parts
    assert talk.wait(DAY_MS).types == ["conversation_expired"]


def test_record_of_an_end_under_other_settings_ends_the_session_too() -> None:
    talk = Talk()
    talk.answer(talk.ask())
    stale = talk.event(ConversationExpired(last_message_at=START_MS - 1))
    talk.hear(stale)
    assert len(talk.history) == 2
    talk.hear(talk.event(ConversationExpired(last_message_at=START_MS)))
    assert talk.history == []


def test_window_opens_by_whatever_the_platform_counts() -> None:
    talk = Talk()
    talk.hear(talk.event(ReferralReceived(sender_id="U4af")))
    assert talk.state == BLANK
    talk.hear(talk.event(ReferralReceived(sender_id="U4af", metadata={"opens_window": True})))
    assert talk.state.last_inbound_at == START_MS
    talk.now += 5
    talk.hear(talk.event(ContactJoined(contact_id="U4af", how="start", metadata={"opens_window": True})))
    assert talk.state.last_inbound_at == START_MS + 5
    talk.wait(8 * DAY_MS)
    assert talk.state == BLANK


def test_clock_of_a_platform_that_is_ahead_opens_no_longer_window() -> None:
    talk = Talk()
    talk.ask(occurred_at=START_MS + HOUR_MS)
    assert talk.state.last_inbound_at == START_MS


def test_events_that_leave_nothing_behind_leave_no_state() -> None:
    talk = Talk()
    raw = UnsupportedContent(native_kind="poll")
    talk.hear(
        talk.event(Unrecognised(native_kind="poll", content=raw)),
        talk.event(DeliveryReported(status="delivered", message_id="p1")),
    )
    assert b"" not in talk.view.dump()


def test_state_survives_its_encoding() -> None:
    talk = Talk()
    request = talk.ask(reply_token="t1")
    talk.hear(talk.said("waiting"), talk.replied(request.id, "yes", user_insights={"likes": ["a", {"b": None}]}))
    assert decode_state(encode_state(talk.state)) == talk.state
    assert decode_state(None) == BLANK


def test_value_of_an_older_version_is_read() -> None:
    """Fields are only appended: an old value is a shorter array, a newer one longer."""
    talk = Talk()
    talk.ask()
    old = [getattr(talk.state, name) for name in State.__struct_fields__[:3]]
    assert decode_state(msgspec.msgpack.encode(old)).session_start == START_MS
    newer = msgspec.msgpack.encode([getattr(talk.state, name) for name in State.__struct_fields__] + ["new"])
    assert decode_state(newer) == talk.state


def test_state_is_bounded_whatever_is_said() -> None:
    """64 KiB a conversation without ids (law 9); the history has keys of its own."""
    talk = Talk()
    request = talk.ask("x" * 20_000)
    flood = [talk.said("y" * 20_000, reply_token="t" * 100) for _ in range(250)]
    edits = [talk.event(MessageDeleted(message_id=f"{number}{'m' * 100}")) for number in range(20)]
    insights = {f"{number:03}": "ก" * 400 for number in range(50)}
    talk.hear(*flood, talk.replied(request.id, "yes", user_insights=insights), *edits, at_once=True)
    talk.hear(*(talk.said("z", reply_token="t" * 100) for _ in range(250)), at_once=True)
    assert talk.state.turn is not None
    assert len(talk.state.turn.messages) == len(talk.state.pending) == 200
    assert len(talk.view.get() or b"") <= 65_536
