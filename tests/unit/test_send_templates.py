"""`send` and templates: what is known not to be approved fails before any call, what nobody knows does not."""

import pytest

from schemas.content import TemplateContent
from schemas.control import TemplateState, template_key
from schemas.outbound import OutboundMessage, Part
from schemas.registry import encode
from tests.unit.send_view import Crash
from tests.unit.send_world import Stand, message_of
from tests.unit.test_care_templates import ScriptedTemplates


def with_template(*, text: str = "a") -> OutboundMessage:
    message = message_of(text)
    template = Part(id="message-template", content=TemplateContent(name="promo"))
    return message.model_copy(update={"parts": (*message.parts, template)})


def stand_that_knows(state: TemplateState | None) -> Stand:
    stand = Stand()
    if state is not None:
        learn(stand, state)
    return stand


def learn(stand: Stand, state: TemplateState) -> None:
    stand.stage.approvals.keepers = {"example": ScriptedTemplates()}
    stand.stage.approvals.learn(template_key("example", "", "th", "promo"), encode(state))


async def test_a_template_that_is_not_approved_fails_before_the_call_and_the_rest_is_sent() -> None:
    stand = stand_that_knows(TemplateState(name="promo", language="th", status="paused", is_approved=False))
    message = with_template()
    await stand.deliver(message)
    assert stand.sender.texts == [["a"]]
    assert stand.table.journal(message).parts == {"message-a": "sent", "message-template": "failed"}
    (failed,) = stand.table.events("message_failed")
    assert (failed.data.part_ids, failed.data.reason) == (("message-template",), "template_not_approved")
    assert failed.data.detail == "template promo in th is paused: only approved templates are sent"


async def test_a_message_of_nothing_else_makes_no_call() -> None:
    stand = stand_that_knows(TemplateState(name="promo", language="th", status="rejected", is_approved=False))
    message = with_template()
    message = message.model_copy(update={"parts": message.parts[1:]})
    await stand.deliver(message)
    assert (stand.sender.texts, stand.table.types()) == ([], ["message_failed"])


@pytest.mark.parametrize(
    "state",
    [None, TemplateState(name="promo", language="th"), TemplateState(name="promo", language="th", is_approved=True)],
)
async def test_what_nobody_knows_is_left_to_the_platform(state: TemplateState | None) -> None:
    stand = stand_that_knows(state)
    message = with_template()
    await stand.deliver(message)
    assert stand.table.journal(message).parts == {"message-a": "sent", "message-template": "sent"}


async def test_a_template_that_may_have_arrived_is_unknown_whatever_became_of_its_approval() -> None:
    """Failed would say that nobody has seen it."""
    stand = stand_that_knows(None)
    message = with_template()
    message = message.model_copy(update={"parts": message.parts[1:]})
    stand.sender.script = [Crash()]
    with pytest.raises(Crash):
        await stand.deliver(message)
    stand.restart()
    learn(stand, TemplateState(name="promo", language="th", status="paused", is_approved=False))
    await stand.deliver(message)
    assert stand.table.journal(message).parts == {"message-template": "unknown"}
