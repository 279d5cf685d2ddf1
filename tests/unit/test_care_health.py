"""Health of channels with a stepped clock: who asks, how often, and what is told when a state changes."""

import asyncio

import pytest

from connectors.care import Health
from connectors.interface import Channel
from schemas.control import ChannelHealth, HealthState, health_key
from schemas.registry import decode_command, decode_event
from tests.unit.care_world import BAR, EVENTS, SHOP, START_S, Installation, MemorySink


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["connected", "connected"], []),
        (["bad_credentials"], ["bad_credentials"]),
        (["connected", "transient", "transient", "connected"], ["transient", "connected"]),
        (["connected", "limited", "unsubscribed", "bad_credentials"], ["limited", "unsubscribed", "bad_credentials"]),
        (["unsubscribed", "connected", "unsubscribed"], ["unsubscribed", "connected", "unsubscribed"]),
    ],
)
async def test_every_change_is_told_once_and_nothing_else(states: list[HealthState], told: list[str]) -> None:
    assert await Installation().sees(*states) == told


async def test_a_new_reason_alone_is_no_change() -> None:
    it = Installation()
    await it.sees("bad_credentials")
    it.care.states[SHOP.id] = Health("bad_credentials", "another reason")
    await it.later()
    assert (len(it.sink.events), it.sink.puts) == (1, 1)


async def test_the_event_belongs_to_the_channel_and_says_what_was_before() -> None:
    it = Installation()
    await it.sees("connected", "bad_credentials")
    (output,) = it.sink.events
    event = decode_event(output.value)
    assert (output.topic, output.key, event.conversation_id) == (EVENTS, b"tg_shop_", "tg_shop_")
    assert (event.type, event.platform, event.channel, event.data.subject) == (
        "channel_updated",
        "telegram",
        "shop",
        "health",
    )
    assert event.data.metadata == {"previous": "connected", "detail": "why bad_credentials"}
    assert dict(output.headers)["iris-schema"] == b"channel_updated/1"


async def test_the_last_state_stands_on_the_control_topic_with_its_beginning() -> None:
    it = Installation()
    await it.sees("connected", "limited", "limited")
    record = decode_command(it.sink.control[health_key("telegram", "shop")], ChannelHealth)
    assert (record.state, record.detail) == ("limited", "why limited")
    assert record.since == int((START_S + 120) * 1000), "since it began, not since it was last seen"
    assert it.sink.puts == 2


async def test_a_channel_is_asked_once_a_minute() -> None:
    it = Installation((SHOP, BAR))
    for _ in range(120):
        await it.later(1.0)
    assert (it.care.asked.count("shop"), it.care.asked.count("bar")) == (2, 2)


async def test_a_platform_with_many_channels_is_asked_about_twenty_at_once() -> None:
    it = Installation(tuple(Channel(f"c{number}", "telegram", {}) for number in range(50)))
    out: list[int] = []
    asking = 0

    async def slow(channel: Channel) -> Health:
        nonlocal asking
        asking += 1
        out.append(asking)
        await asyncio.sleep(0)
        asking -= 1
        return Health("connected")

    it.care.answer = slow
    await it.later()
    assert (len(out), max(out)) == (50, 20)


async def test_only_the_holder_of_partition_0_asks() -> None:
    it = Installation()
    it.is_holder = False
    await it.sees("bad_credentials", "connected")
    assert (it.care.asked, it.sink.events) == ([], [])


async def test_who_takes_over_asks_at_once_and_tells_nothing_that_is_known() -> None:
    first = Installation()
    await first.sees("unsubscribed")
    second = Installation(sink=first.sink)
    assert await second.sees("unsubscribed") == ["unsubscribed"]
    assert second.care.asked == ["shop"]
    assert await second.sees("connected") == ["unsubscribed", "connected"]


async def test_a_state_that_was_written_but_not_yet_read_back_is_not_told_again() -> None:
    it = Installation()
    it.sink.lag = True
    assert await it.sees("transient", "transient", "transient") == ["transient"]


async def test_a_change_that_could_not_be_written_is_told_later() -> None:
    it = Installation()
    await it.sees("connected")
    it.sink.is_away = True
    await it.sees("bad_credentials")
    it.sink.is_away = False
    assert await it.sees("bad_credentials") == ["bad_credentials"]


async def test_what_is_told_twice_over_a_crash_is_one_event() -> None:
    """The log is written before the state, so the successor of a process that died in between tells it once more."""
    before = MemorySink()
    first = Installation(sink=before)
    await first.sees("connected")
    known = dict(before.control)
    await first.sees("limited")
    before.control.clear()
    before.control |= known
    second = Installation(sink=before)
    second.now_s = START_S + 300
    await second.sees("limited")
    told = [decode_event(output.value) for output in before.events]
    assert [event.data.change for event in told] == ["limited", "limited"]
    assert told[0].id == told[1].id


async def test_two_changes_alike_are_two_events() -> None:
    it = Installation()
    await it.sees("connected", "limited", "connected", "limited")
    ids = [decode_event(output.value).id for output in it.sink.events]
    assert len(set(ids)) == len(ids) == 3


async def test_a_mistake_in_one_channel_leaves_the_others_alone() -> None:
    it = Installation((SHOP, BAR))
    it.care.states["shop"] = Health("connected", "raise")
    it.care.states["bar"] = Health("limited")
    await it.later()
    await it.later()
    assert [output.key for output in it.sink.events] == [b"tg_bar_"]


async def test_who_looks_after_a_channel_again_asks_at_once_and_not_a_minute_later() -> None:
    it = Installation()
    await it.sees("connected", "limited")
    it.is_holder = False
    await it.later(1.0)
    it.is_holder = True
    await it.later(1.0)
    assert len(it.care.asked) == 3


async def test_a_credential_that_the_platform_quotes_is_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    it = Installation((Channel("shop", "telegram", {"bot_token": ("700:tok",)}),))
    it.care.states["shop"] = Health("bad_credentials", "no bot 700:tok", warnings=("700:tok ends soon",))
    await it.later()
    told = (it.sink.events[0].value, it.sink.control[health_key("telegram", "shop")], caplog.text.encode())
    assert [(b"700:tok" in each, b"***" in each) for each in told] == [(False, True)] * 3


async def test_a_warning_is_logged_when_it_is_new(caplog: pytest.LogCaptureFixture) -> None:
    it = Installation()
    it.care.states["shop"] = Health("connected", warnings=("Graph v21.0 ends soon",))
    await it.later()
    await it.later()
    assert [record.getMessage() for record in caplog.records] == ["channel shop of telegram: Graph v21.0 ends soon"]
