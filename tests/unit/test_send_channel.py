"""`send` and a channel that is down: paused once, probed at intervals, resumed without loss; and its slots."""

import asyncio
import itertools
import logging

import pytest

from connectors.interface import Call, Receipt
from tests.unit.send_view import START_S, all_of, settle
from tests.unit.send_world import BAD, REVOKED, TIMEOUT, ScriptedPlatform, Stand, message_of


async def test_a_channel_that_is_down_is_paused_and_resumes_without_loss(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand(channels=("shop", "other"))
    messages = [message_of(f"t{number}", id=f"m{number}", peer=f"U{number}") for number in range(6)]
    elsewhere = message_of("x", id="elsewhere", channel="other")
    stand.sender.by_channel = {"shop": REVOKED}
    tasks = [asyncio.ensure_future(stand.handle(message)) for message in messages]
    await settle()
    await stand.handle(elsewhere)
    assert stand.statuses(elsewhere) == {"x": "sent"}
    for _ in range(12):
        stand.clock.step()
        await settle()
    calls_of_shop = [made.at_s - START_S for made in stand.sender.made if made.channel == "shop"]
    stand.sender.by_channel = {}
    for task in tasks:
        await stand.clock.run(all_of(task))
    # Two were out when the channel went down; from then on there is one try per pause.
    assert calls_of_shop[:2] == [0.0, 0.0]
    assert all(late - early >= 30.0 for early, late in itertools.pairwise(calls_of_shop[1:]))
    assert [stand.statuses(message) for message in messages] == [{f"t{number}": "sent"} for number in range(6)]
    assert stand.table.events("message_failed") == []
    changes = [(event.conversation_id, event.data.change) for event in stand.table.events("channel_updated")]
    assert changes == [("ex_shop_", "paused"), ("ex_shop_", "resumed")]
    assert [record.levelno for record in caplog.records].count(logging.ERROR) == 1


@pytest.mark.parametrize("texts", [("a", "b"), ("a|b",)])
async def test_a_channel_that_went_down_between_two_calls_does_not_hold_back_the_first_ones_outcome(
    texts: tuple[str, ...],
) -> None:
    stand = Stand()
    message, other = message_of(*texts), message_of("x", id="other", peer="U2")

    async def meanwhile(call: Call) -> Receipt:
        stand.sender.by_channel = {"shop": REVOKED}
        await stand.stage.start()
        task = asyncio.ensure_future(stand.handle(other))
        tasks.append(task)
        await settle()
        return stand.sender.show(call)

    tasks: list[asyncio.Task[None]] = []
    stand.sender.by_peer = {"U1": [meanwhile]}
    task = asyncio.ensure_future(stand.handle(message))
    for _ in range(3):
        await settle()
    assert [step.state for step in stand.table.journal(message).steps][:1] == ["sent"]
    stand.sender.by_channel = {}
    await stand.clock.run(all_of(task))
    await stand.clock.run(all_of(tasks[0]))
    assert sorted(stand.sender.seen) == ["a", "b", "x"]


async def test_a_plan_that_waited_for_its_channel_is_made_again_for_the_window_of_now() -> None:
    stand = Stand()
    others = [message_of("a", id=f"m{number}", peer=f"V{number}") for number in range(5)]
    late = message_of("b", peer="U2", reply_token="token", reply_token_at=int(START_S * 1000))
    stand.sender.by_peer = {other.peer: [REVOKED] for other in others}
    tasks = [asyncio.ensure_future(stand.handle(message)) for message in (*others, late)]
    for task in tasks:
        await stand.clock.run(all_of(task))
    (call,) = [made.call for made in stand.sender.made if made.call.body["to"] == "U2"]
    assert call.name == "push"


async def test_a_call_that_was_out_when_the_channel_went_down_does_not_open_it_again() -> None:
    stand = Stand()
    gate_is_shut = asyncio.Event()

    async def slow(call: Call) -> Receipt:
        await gate_is_shut.wait()
        return stand.sender.show(call)

    stand.sender.by_peer = {"U1": [slow], "U2": [REVOKED]}
    first = asyncio.ensure_future(stand.handle(message_of("a", id="m1")))
    second = asyncio.ensure_future(stand.handle(message_of("b", id="m2", peer="U2")))
    await settle()
    gate_is_shut.set()
    await first
    third = asyncio.ensure_future(stand.handle(message_of("c", id="m3", peer="U3")))
    await settle()
    assert stand.sender.texts == [["a"], ["b"]]
    await stand.clock.run(all_of(second))
    await stand.clock.run(all_of(third))
    assert [event.data.change for event in stand.table.events("channel_updated")] == ["paused", "resumed"]


async def test_a_probe_that_proves_nothing_leaves_the_channel_paused() -> None:
    stand = Stand()
    messages = [message_of("a", id=f"m{number}", peer=f"U{number}") for number in range(4)]
    stand.sender.by_peer = {"U0": [REVOKED], "U1": [REVOKED], "U2": [TIMEOUT]}
    await stand.clock.run(all_of(*(stand.handle(message) for message in messages)))
    calls_of = {made.call.body["to"]: made.at_s - START_S for made in stand.sender.made}
    assert (calls_of["U2"], calls_of["U3"]) == (30.0, 60.0)


async def test_a_probe_that_is_refused_for_its_own_sake_shows_that_the_channel_works() -> None:
    stand = Stand()
    messages = [message_of("a", id=f"m{number}", peer=f"U{number}") for number in range(4)]
    stand.sender.by_peer = {"U0": [REVOKED], "U1": [REVOKED], "U2": [BAD]}
    await stand.clock.run(all_of(*(stand.handle(message) for message in messages)))
    calls_of = {made.call.body["to"]: made.at_s - START_S for made in stand.sender.made}
    assert (calls_of["U2"], calls_of["U3"]) == (30.0, 30.0)


async def test_a_call_in_doubt_that_waited_a_day_for_its_channel_is_not_repeated() -> None:
    stand = Stand(ScriptedPlatform(has_keys=True))
    message, other = message_of("a"), message_of("x", id="other", peer="U2")

    async def late(call: Call) -> Receipt:
        await stand.clock.sleep(0.5)
        raise REVOKED

    stand.sender.by_peer = {"U1": [TIMEOUT], "U2": [late]}
    task = asyncio.ensure_future(stand.handle(message))
    second = asyncio.ensure_future(stand.handle(other))
    for _ in range(2):
        await settle()
        stand.clock.step()
    await settle()
    stand.clock.now_s += 24 * 3600
    await stand.clock.run(all_of(task, second))
    assert stand.statuses(message) == {"a": "unknown"}
    assert stand.sender.texts.count(["a"]) == 1


async def test_no_more_calls_of_a_channel_are_out_at_once_than_the_setting_says() -> None:
    stand = Stand()
    most, out = 0, 0

    async def slow(call: Call) -> Receipt:
        nonlocal most, out
        out += 1
        most = max(most, out)
        await stand.clock.sleep(1.0)
        out -= 1
        return stand.sender.show(call)

    stand.sender.script = [slow] * 6
    await stand.clock.run(all_of(*(stand.handle(message_of("a", id=f"m{n}", peer=f"U{n}")) for n in range(6))))
    assert (most, len(stand.sender.seen)) == (stand.settings.send_concurrency, 6)
