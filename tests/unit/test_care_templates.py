"""What is known about templates: from lists and webhooks onto the control topic, and from there to `send`."""

from collections.abc import Sequence
from typing import Any

import pytest

from connectors.care import Template, TemplateDraft
from connectors.errors import SendError
from connectors.interface import Channel
from schemas.content import TemplateContent
from schemas.control import TemplateState, template_key
from schemas.envelope import AnyEvent
from schemas.events import ChannelUpdated
from schemas.registry import decode_command, encode
from streams.care.keeper import World
from streams.care.templates import TemplateWatch
from streams.delivery.approval import Approvals
from streams.engine.api import Headers, Output

SHOP, BAR = Channel("shop", "example", {"account": ("A1",)}), Channel("bar", "example", {"account": ("A1",)})


class ScriptedTemplates:
    """The platform's list, as the test sets it; news name the template in their metadata."""

    default_language = "th"
    categories: tuple[str, ...] = ("UTILITY",)

    def __init__(self) -> None:
        self.listed: list[Template] = []
        self.is_down = False
        self.asked = 0

    async def list(self, channel: Channel) -> tuple[Template, ...]:
        self.asked += 1
        if self.is_down:
            raise SendError("no answer", retryable=True)
        return tuple(self.listed)

    async def create(self, channel: Channel, draft: TemplateDraft) -> Template:
        raise AssertionError("not asked for here")

    async def close(self) -> None:
        return

    def account_of(self, channel: Channel) -> str:
        return channel.first("account")

    def key_of(self, content: TemplateContent) -> tuple[str, str]:
        return content.name, content.language or "th"

    def news_of(self, update: ChannelUpdated) -> Template | None:
        return Template(**update.metadata) if update.subject == "template" else None


class MemoryControl:
    """``iris.control``; what is put is read back at once by all who follow."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.readers: list[Approvals] = []
        self.is_away = False

    async def write(self, output: Output) -> None:
        raise AssertionError("nothing goes to the log")

    async def put(self, key: str, value: bytes | None, headers: Headers = ()) -> None:
        if self.is_away:
            raise OSError("no broker")
        self.puts.append(key)
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
        for reader in self.readers:
            reader.learn(key, value)


class Installation:
    """A watch and the approvals of a sending process."""

    def __init__(self, channels: Sequence[Channel] = (SHOP,), *, control: MemoryControl | None = None) -> None:
        self.now_s, self.is_holder = 1_790_000_000.0, True
        self.templates, self.control = ScriptedTemplates(), control or MemoryControl()
        self.approvals = Approvals({"example": self.templates})
        self.control.readers.append(self.approvals)
        self.watch = TemplateWatch(
            channels,
            {"example": self.templates},
            world=World(lambda: self.now_s, self._sleep, lambda _platform: self.is_holder),
            sink=self.control,
            known=self.control.values,
        )

    async def _sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def lists(self, *templates: Template) -> None:
        self.templates.listed = list(templates)
        self.now_s += 600
        await self.watch.tick()

    async def hears(self, *, channel: str = "shop", subject: str = "template", **news: Any) -> None:
        data = ChannelUpdated(subject=subject, change="x", metadata=news)
        event = AnyEvent(
            id="e",
            type="channel_updated",
            conversation_id=f"ex_{channel}_",
            platform="example",
            channel=channel,
            occurred_at=0,
            recorded_at=0,
            data=data,
        )
        await self.watch.hear(event)

    def state(self, name: str = "promo", language: str = "th") -> TemplateState | None:
        value = self.control.values.get(template_key("example", "A1", language, name))
        return None if value is None else decode_command(value, TemplateState)

    def refusal(self, name: str = "promo", language: str | None = None, *, channel: Channel = SHOP) -> str:
        return self.approvals.refusal(channel, TemplateContent(name=name, language=language))


APPROVED = Template("promo", "th", "approved", True, category="UTILITY", quality="GREEN")
PENDING = Template("promo", "th", "pending", False)


async def test_what_the_list_says_is_known_to_every_sender() -> None:
    it = Installation()
    assert it.refusal() == "", "nobody knows yet: the platform judges"
    await it.lists(PENDING, Template("other", "th", "approved", True))
    assert it.refusal() == "template promo in th is pending: only approved templates are sent"
    assert it.refusal("other") == ""
    assert it.refusal(language="en") == "", "another language is another template"
    await it.lists(APPROVED)
    assert it.refusal() == ""


async def test_a_list_that_says_nothing_new_writes_nothing() -> None:
    it = Installation()
    await it.lists(APPROVED)
    await it.lists(APPROVED)
    assert len(it.control.puts) == 1


async def test_a_template_that_left_the_list_is_unknown_again() -> None:
    it = Installation()
    await it.lists(PENDING)
    await it.lists()
    assert it.state() is None
    assert it.refusal() == ""


@pytest.mark.parametrize(
    ("news", "is_sendable"),
    [
        ({"status": "rejected", "is_approved": False, "reason": "INVALID_FORMAT"}, False),
        ({"status": "paused", "is_approved": False}, False),
        ({"status": "flagged"}, True),
        ({"quality": "RED"}, True),
        ({"category": "MARKETING"}, True),
    ],
)
async def test_a_webhook_changes_only_what_it_speaks_of(news: dict[str, Any], is_sendable: bool) -> None:
    it = Installation()
    await it.lists(APPROVED)
    before = it.state()
    await it.hears(name="promo", language="th", **news)
    after = it.state()
    assert before is not None
    assert after == before.model_copy(update=news)
    assert (it.refusal() == "") is is_sendable


async def test_a_rejection_is_told_with_its_reason() -> None:
    it = Installation()
    await it.hears(name="promo", language="th", status="rejected", is_approved=False, reason="INVALID_FORMAT")
    assert it.refusal() == "template promo in th is rejected (INVALID_FORMAT): only approved templates are sent"


async def test_news_without_a_language_are_about_all_that_are_known() -> None:
    it = Installation()
    await it.lists(APPROVED, Template("promo", "en", "approved", True), Template("promo_2", "th", "approved", True))
    await it.hears(name="promo", language="", quality="RED")
    states = [it.state("promo", "th"), it.state("promo", "en"), it.state("promo_2", "th")]
    assert [state.quality if state else None for state in states] == ["RED", "RED", ""]


async def test_channels_of_one_account_share_what_is_known() -> None:
    it = Installation((SHOP, BAR))
    await it.lists(APPROVED)
    assert it.templates.asked == 1
    await it.hears(channel="bar", name="promo", language="th", status="disabled", is_approved=False)
    assert it.refusal(channel=SHOP) != ""


async def test_other_news_of_a_channel_and_news_of_strangers_change_nothing() -> None:
    it = Installation()
    await it.hears(subject="account_update", name="promo", language="th", status="x")
    await it.hears(channel="unknown", name="promo", language="th", status="paused", is_approved=False)
    assert it.control.puts == []


async def test_only_the_holder_of_partition_0_lists_and_hears() -> None:
    it = Installation()
    it.is_holder = False
    await it.lists(PENDING)
    await it.hears(name="promo", language="th", status="paused", is_approved=False)
    assert (it.templates.asked, it.control.puts) == (0, [])


async def test_who_takes_over_writes_nothing_that_is_known() -> None:
    first = Installation()
    await first.lists(PENDING)
    second = Installation(control=first.control)
    await second.lists(PENDING)
    assert len(first.control.puts) == 1


async def test_a_list_or_broker_that_fails_is_tried_again() -> None:
    it = Installation()
    it.templates.is_down = True
    await it.lists(PENDING)
    it.templates.is_down = False
    it.control.is_away = True
    await it.lists(PENDING)
    it.control.is_away = False
    await it.lists(PENDING)
    assert it.refusal() != ""


def test_a_platform_without_templates_is_never_refused() -> None:
    approvals = Approvals({})
    assert approvals.refusal(SHOP, TemplateContent(name="promo")) == ""


def test_a_record_of_another_version_says_nothing() -> None:
    approvals = Approvals({"example": ScriptedTemplates()})
    key = template_key("example", "A1", "th", "promo")
    approvals.learn(key, encode(TemplateState(name="promo", language="th", status="paused", is_approved=False)))
    assert approvals.refusal(SHOP, TemplateContent(name="promo")) != ""
    approvals.learn(key, b'{"name":"promo","new_field":1}')
    assert approvals.refusal(SHOP, TemplateContent(name="promo")) == ""
