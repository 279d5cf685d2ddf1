"""Our own messages: how far each part has come, and what platforms report of them."""

import pytest

from schemas.events import (
    ContactLeft,
    DeliveryReported,
    MessagePlanned,
    MessageRead,
    MessageSuppressed,
    SendDelayed,
)
from schemas.outbound import OutboundMessage
from schemas.replies import AIAnswer
from streams.conversation import reports
from streams.conversation.policy import Limits
from streams.conversation.reply import parts_of
from streams.conversation.reports import Marks, Report, find_marks, find_report
from streams.conversation.scope import Scope
from tests.unit.conversation_world import START_MS, Talk


def report_of(talk: Talk, platform_id: str) -> Report | None:
    return find_report(Scope(talk.view, Limits(), START_MS), platform_id)


def reported(talk: Talk, status: str, **more: object) -> None:
    data = DeliveryReported.model_validate({"status": status, **more})
    talk.hear(talk.event(data))


def ranks(talk: Talk, message: OutboundMessage) -> list[int]:
    """Of the message's unsettled parts."""
    send = talk.state.sends.get(message.id)
    return [] if send is None else list(send.parts.values())


def two_parts(talk: Talk) -> OutboundMessage:
    """An answer of a text and a card."""
    card = {
        "type": "bubble",
        "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "x"}]},
    }
    request = talk.ask()
    content = AIAnswer(response_text="see", response_type="rich", flex_content=card)
    replied = talk.event(talk.replied(request.id, "").data.model_copy(update={"content": content}), cause=request.id)
    (message,) = talk.hear(replied).messages
    assert len(message.parts) == 2
    return message


def test_message_leaves_the_state_when_every_part_is_settled() -> None:
    talk = Talk()
    message = two_parts(talk)
    first, second = (message.model_copy(update={"parts": (part,)}) for part in message.parts)
    assert ranks(talk, message) == [reports.PLANNED, reports.PLANNED]
    talk.hear(talk.started(first))
    assert ranks(talk, message) == [reports.STARTED, reports.PLANNED]
    talk.hear(talk.sent(first, "p1"))
    assert ranks(talk, message) == [reports.SENT, reports.PLANNED]
    talk.hear(talk.started(second), talk.failed(second))
    assert talk.state.sends == {}


def test_parts_never_go_back() -> None:
    talk = Talk()
    message = two_parts(talk)
    first = message.model_copy(update={"parts": message.parts[:1]})
    talk.hear(talk.started(first), talk.sent(first, "p1"))
    talk.hear(talk.started(first), talk.unknown(first), talk.failed(first))
    assert ranks(talk, message) == [reports.SENT, reports.PLANNED]


def test_copies_of_settled_events_bring_nothing_back() -> None:
    talk = Talk()
    request = talk.ask()
    answer = talk.hear(talk.replied(request.id, "yes"))
    (message,) = answer.messages
    started, sent = talk.started(message), talk.sent(message, "p1")
    talk.hear(started, sent)
    before = talk.view.dump()
    talk.hear(started, sent, answer.event("message_planned"))
    assert talk.view.dump() == before


def test_delay_is_no_step() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    delayed = SendDelayed(
        message_id=message.id, part_ids=(message.parts[0].id,), attempt=1, reason="429", retry_at=START_MS
    )
    before = talk.state
    talk.hear(talk.event(delayed))
    assert talk.state == before


def test_unknown_send_waits_for_evidence_and_is_then_held() -> None:
    talk = Talk(evidence_wait_s=30)
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), talk.unknown(message))
    assert talk.state.timers[f"evidence:{message.id}"] == START_MS + 30_000
    assert talk.wait(29_999).outputs == []
    assert ranks(talk, message) == [reports.UNKNOWN]
    assert talk.wait(1).outputs == []
    assert (talk.state.sends, set(talk.state.timers)) == ({}, {"session"})


@pytest.mark.parametrize("evidence", ["report", "echo", "outcome"])
def test_evidence_settles_an_unknown_send(evidence: str) -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message), talk.unknown(message))
    tag = message.parts[0].id
    if evidence == "report":
        reported(talk, "delivered", message_id="p1", tag=tag)
    elif evidence == "echo":
        talk.hear(talk.echoed("p1", tag=tag))
    else:
        talk.hear(talk.sent(message, "p1"))
    assert (talk.state.sends, set(talk.state.timers)) == ({}, {"session"})
    report = report_of(talk, "p1")
    assert report is not None
    assert report.part_id == tag


@pytest.mark.parametrize(
    ("statuses", "rank"),
    [
        (("delivered", "sent"), reports.DELIVERED),
        (("read", "delivered", "sent"), reports.READ),
        (("failed", "delivered"), reports.DELIVERED),
        (("delivered", "failed"), reports.DELIVERED),
        (("played", "failed", "read"), reports.PLAYED),
        (("failed", "read"), reports.READ),
        (("read", "failed"), reports.READ),
        (("failed", "played"), reports.PLAYED),
        (("played", "failed"), reports.PLAYED),
        # The platform took it, and tells later that it could not deliver it.
        (("failed", "sent"), reports.BOUNCED),
        (("sent", "failed"), reports.BOUNCED),
    ],
)
def test_status_is_the_maximum_of_the_reports(statuses: tuple[str, ...], rank: int) -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    for status in statuses:
        reported(talk, status, message_id="p1")
    report = report_of(talk, "p1")
    assert report is not None
    assert (report.rank, report.has_failed) == (rank, "failed" in statuses)


def test_report_that_overtakes_the_sends_answer_is_matched() -> None:
    talk = Talk()
    message = talk.answer(talk.ask())
    talk.hear(talk.started(message))
    reported(talk, "delivered", message_id="p1")
    assert report_of(talk, "p1") == Report("", "", reports.DELIVERED)
    talk.hear(talk.sent(message, "p1"))
    assert report_of(talk, "p1") == Report(message.parts[0].id, message.id, reports.DELIVERED)


def test_every_message_of_the_platform_belongs_to_a_part() -> None:
    talk = Talk()
    message = two_parts(talk)
    talk.deliver(message, "p1", "p2", "p3")
    owners = [report.part_id for name in ("p1", "p2", "p3") if (report := report_of(talk, name))]
    assert owners == [message.parts[0].id, message.parts[1].id, message.parts[1].id]


def test_watermarks_only_move_forward() -> None:
    talk = Talk()
    reported(talk, "delivered", watermark=START_MS)
    reported(talk, "delivered", watermark=START_MS - 5)
    talk.hear(talk.event(MessageRead(reader_id="U", watermark=START_MS - 9)))
    assert find_marks(Scope(talk.view, Limits(), START_MS)) == Marks(START_MS, START_MS - 9)


def test_reports_leave_the_state_value_alone() -> None:
    talk = Talk()
    talk.deliver(talk.answer(talk.ask()), "p1")
    before = talk.view.get()
    reported(talk, "read", message_id="p1", watermark=START_MS)
    assert b"" not in dict(talk.view.written)
    assert talk.view.get() == before


def test_message_that_was_suppressed_was_never_said() -> None:
    talk = Talk()
    message = two_parts(talk)
    first, second = (part.id for part in message.parts)
    talk.hear(talk.event(MessageSuppressed(message_id=message.id, part_ids=(first,), reason="not_renderable")))
    assert talk.lines == ["hello", "see"]
    talk.hear(talk.event(MessageSuppressed(message_id=message.id, part_ids=(second,), reason="not_renderable")))
    assert (talk.lines, talk.state.sends) == (["hello"], {})


def test_message_to_somebody_who_left_is_suppressed() -> None:
    talk = Talk()
    request = talk.ask()
    talk.hear(talk.event(ContactLeft(contact_id="U4af", how="block")))
    answer = talk.hear(talk.replied(request.id, "are you there?"))
    assert answer.event("message_suppressed").data.reason == "unreachable"
    assert answer.messages == []
    assert talk.answer(talk.ask("I am back")).parts


def test_message_that_a_program_plans_is_part_of_the_history() -> None:
    talk = Talk()
    parts = parts_of(AIAnswer(response_text="your parcel is here"), message_id="7b1f3c52-6a0e-5d43-9c55-1f4e0a7a9b10")
    planned = MessagePlanned(
        message_id="7b1f3c52-6a0e-5d43-9c55-1f4e0a7a9b10",
        part_ids=tuple(part.id for part in parts),
        content=parts,
        origin="system",
    )
    talk.hear(talk.event(planned))
    assert talk.lines == ["your parcel is here"]
    assert len(talk.state.sends) == 1
